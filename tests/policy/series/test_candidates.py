import numpy as np
import pytest

from indexgate_policy.downloads.panel import Panel
from indexgate_policy.series import automation, findings
from indexgate_policy.series.candidates import candidates
from indexgate_policy.series.index_level import common
from tests.policy.series.panels import level, panel_of
from tests.policy.series.simulated import simulated


def _all_rows(panel: Panel, *_: object) -> object:
    return np.arange(len(panel.names))


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("first", [28, 120, 220])
def test_nothing_is_found_in_those_that_are_not_looked_at_closely(
    seed: int, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel, _ = simulated(rows=250, seed=seed, each=6)
    panel.classes[40:80, 100:150] = np.nan
    quick = findings.findings(panel, first=first)
    monkeypatch.setattr(findings, "candidates", _all_rows)
    monkeypatch.setattr(automation, "_fewer", lambda people, _first: np.arange(len(people)))
    assert findings.findings(panel, first=first) == quick
    assert {"surge", "drop", "automation"} <= {one.kind for one in quick} or first == 220


def test_only_what_may_have_moved_is_looked_at_closely() -> None:
    surged, dropped = level(300, seed=2), level(300, seed=3)
    surged[-10:] *= 10
    dropped[-10:] = 0
    panel = panel_of(level(300, seed=1), surged, dropped, level(0.3, seed=4))
    index = common(panel, None)[1]
    assert candidates(panel, index, panel.days - 15).tolist() == [1, 2]
