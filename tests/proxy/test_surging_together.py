from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from packaging.utils import NormalizedName

from indexgate.store.database import Store, open_store
from indexgate.surging_together import relate_surges
from indexgate_policy.assessment import Assessment
from indexgate_policy.downloads.day_counts import DayCounts
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.signals import Signal, Unknown

INDEX = "0" * 64
NOW = datetime(2026, 11, 17, 6, tzinfo=UTC)
ONSET = datetime(2026, 11, 10, tzinfo=UTC)
PLUGIN, LIBRARY, OTHER = map(NormalizedName, ("plugin", "library", "other"))


@pytest.fixture
async def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store.sqlite3", lambda: NOW)


async def surging(store: Store, project: NormalizedName, week: float, *needs: str) -> None:
    store.projects.seen(INDEX, project, NOW)
    flag = Flag(
        check="download-surge",
        severity=Severity.MEDIUM,
        evidence="many more",
        facts={"usual_week": 100.0, "week": week},
        began=ONSET,
    )
    requires = Signal(name="requires", value=needs, source="project-json", observed_at=NOW)
    await store.assessments.save(
        Assessment(
            index_id=INDEX,
            project=project,
            formula="fl-1",
            inputs=(requires,),
            flags=(flag,),
            assessed_at=NOW,
            valid_until=NOW,
        )
    )


async def test_a_surge_that_a_dependent_brings_is_noted_with_what_it_carries(store: Store) -> None:
    await surging(store, PLUGIN, 7100.0, "library")
    await surging(store, LIBRARY, 7100.0)
    await surging(store, OTHER, 7100.0)
    assert await relate_surges(store, INDEX) == (LIBRARY,)
    (event,) = store.events.of(INDEX, LIBRARY, ONSET)
    assert (event.kind, event.text) == ("new-dependents", "`plugin`, which needs it, surges too")
    classes = np.ones(7, np.float32)
    nothing = np.full(22, np.nan, np.float32)
    day = DayCounts(
        project=LIBRARY,
        day=date(2026, 11, 12),
        classes=classes,
        installers=nothing[:6],
        regions=nothing[:12],
        version_ages=nothing[:4],
        n=7,
    )
    await store.history.add(INDEX, LIBRARY, [day])
    panel = store.history.panel(INDEX, LIBRARY, date(2026, 11, 12), 14)
    assert not isinstance(panel, Unknown)
    assert panel.inflow[0, -1] == pytest.approx(1000, rel=0.01)
    store.close()


async def test_noting_it_again_changes_nothing(store: Store) -> None:
    await surging(store, PLUGIN, 7100.0, "library")
    await surging(store, LIBRARY, 7100.0)
    assert await relate_surges(store, INDEX) == await relate_surges(store, INDEX)
    assert len(store.events.of(INDEX, LIBRARY, ONSET)) == 1
    store.close()
