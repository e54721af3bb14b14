"""What explains a finding: measured where the history tells, by table where it does not."""

from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from indexgate_policy.downloads.kinds import CLASSES
from indexgate_policy.series.finding import Finding
from indexgate_policy.timeline.changes import change_of
from indexgate_policy.timeline.explanation import Explanation, explain
from tests.policy.timeline.cases import DAYS, NO_MOVEMENT, event, panel_of

DAY = DAYS - 8
ONSET = DAYS - 14


def panel(**series: Any) -> Any:
    """Return a project of 700 consumers a day, and what else is told of it."""
    classes = np.zeros((DAYS, len(CLASSES)), np.float32)
    classes[:, CLASSES.index("ci")] = 700
    return panel_of("demo", classes, series)


def finding(**facts: Any) -> Finding:
    usual: dict[str, Any] = {
        "row": 0, "day": DAY, "kind": "installer", "why": "1", "onset": ONSET, "last": DAY,
        "before": 0.1, "now": 0.6, "score": 2.0,
    }  # fmt: skip
    return Finding(**(usual | facts))


def explained(found: Finding, **series: Any) -> Explanation:
    return explain(found, panel(**series), NO_MOVEMENT, ())


@pytest.mark.parametrize(("inflow", "share"), [(0, 0.0), (175, 0.5), (350, 1.0), (9_000, 1.0)])
def test_a_mix_is_explained_by_dependents_that_bring_as_much_as_it_shifted(
    inflow: float, share: float
) -> None:
    brought = np.zeros((1, DAYS), np.float32)
    brought[0, ONSET:] = inflow
    found = explained(finding(), inflow=brought)
    assert found.share == pytest.approx(share, abs=0.01)
    assert [cause.event.kind for cause in found.causes] == ["new-dependents"] * (share > 0)


def test_stars_and_releases_do_not_explain_a_mix() -> None:
    many = np.full((1, DAYS), 50, np.float32)
    assert explained(finding(), stars=many, releases=many).share == 0


def test_what_the_detector_knew_to_explain_a_first_week_is_kept() -> None:
    first_week = finding(kind="surge", why="first-week", explained=1.0, by="stars", before=0.0)
    found = explained(first_week)
    assert (found.share, found.verdict) == (1.0, "explained")
    assert [cause.event.kind for cause in found.causes] == ["stars"]


def test_several_causes_of_one_kind_share_what_the_kind_carries() -> None:
    surge = finding(kind="surge", why="step", before=700.0, now=4_900.0)
    day = panel().first_day
    sized = [
        event("new-dependents", day.fromordinal(day.toordinal() + ONSET), name, size)
        for name, size in (("a", 3_000.0), ("b", 1_000.0))
    ]
    found = explain(surge, panel(), NO_MOVEMENT, sized)
    carried = {cause.event.text: cause.carries for cause in found.causes}
    assert carried["a"] == pytest.approx(3 * carried["b"])
    assert found.share == pytest.approx(3_000 / 4_200, abs=0.01)


@pytest.mark.parametrize(
    ("share", "verdict"),
    [(0, "unexplained"), (0.24, "unexplained"), (0.25, "partly explained"), (0.6, "explained")],
)
def test_the_verdict_is_by_the_share(share: float, verdict: str) -> None:
    assert Explanation(share=share).verdict == verdict


@pytest.mark.parametrize(
    ("facts", "flag", "says"),
    [
        ({}, "installer-mix-shift", "uv 10 % -> 60 %"),
        ({"kind": "region", "why": "8"}, "region-shift", "RU 10 % -> 60 %"),
        ({"kind": "version", "why": "3"}, "version-shift", "2 years or older 10 % -> 60 %"),
        (
            {"kind": "automation", "why": "people-left", "before": 0.3, "now": 0.05},
            "automation-shift",
            "people 30 % -> 5 %",
        ),
        ({"kind": "stars", "why": "burst", "before": 2.0, "now": 612.0}, "star-inflation",
         "2 -> 612 stars a week"),
        ({"kind": "drop", "why": "part", "before": 900.0, "now": 200.0}, "drop-part",
         "900 -> 200 downloads a week"),
        ({"kind": "surge", "why": "first-week", "before": 0.0, "now": 14_000.0}, "new-10k",
         "14,000 downloads in its first week"),
    ],
)  # fmt: skip
def test_every_kind_of_finding_says_what_changed(
    facts: dict[str, Any], flag: str, says: str
) -> None:
    change = change_of(finding(**facts), panel(), Explanation(), ())
    assert (change.flag, change.says) == (flag, says)
    assert change.called


def test_what_the_history_does_not_know_of_a_mix_explains_nothing() -> None:
    nothing = np.full((1, DAYS), np.nan, np.float32)
    blind = replace(panel(), inflow=nothing, stars=nothing, releases=nothing)
    assert explain(finding(), blind, NO_MOVEMENT, ()).share == 0
