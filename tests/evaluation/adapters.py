"""The parts of the project in the shapes that measuring programs ask for."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
from packaging.utils import canonicalize_name

from indexgate_policy.downloads.kinds import CLASSES
from indexgate_policy.downloads.panel import NOT_BORN, Counts, Panel
from indexgate_policy.lookalike import PopularNameList
from indexgate_policy.series.findings import findings


def confusability(
    popular: list[tuple[str, int]],
) -> Callable[[str], tuple[float, str | None]]:
    """Return a judge of names: (confusability 0..1, imitated name or None)."""
    names = PopularNameList(lambda: popular)

    def judge(name: str) -> tuple[float, str | None]:
        found = names.lookalike(canonicalize_name(name))
        return (0.0, None) if found is None else (found.confusability, found.imitates)

    return judge


def detect(panel: Any) -> list[dict[str, object]]:
    """Return the findings of a simulated panel, in its own words.

    The panel has `cls` (N, T, 5: mirror, scanner, ci, container, human), `installer_w`, `region_w`,
    `version_w` (N, W, 6, 12 and 4), `stars`, `issues`, `release` and `dep_inflow` (N, T), `born`
    (N,), `gap` (T,), `weekday0`.
    """
    return [
        {
            "pkg": found.row,
            "day": found.day,
            "kind": found.kind,
            "explained": found.is_explained,
            "score": found.score,
        }
        for found in findings(_panel(panel))
    ]


def _panel(simulated: Any) -> Panel:
    def counts(values: Any) -> Counts:
        return np.asarray(values, np.float32)

    rows, days = simulated.stars.shape
    classes = np.zeros((rows, days, len(CLASSES)), np.float32)
    for place, name in enumerate(("mirror", "scanner", "ci", "pipeline", "human")):
        classes[:, :, CLASSES.index(name)] = simulated.cls[:, :, place]
    monday = date(2024, 1, 1)  # with 240 days, clear of known breaks in counting
    return Panel(
        names=tuple(canonicalize_name(f"p{row:05d}") for row in range(rows)),
        first_day=monday + timedelta(days=simulated.weekday0),
        classes=classes,
        installers=counts(simulated.installer_w),
        regions=counts(simulated.region_w),
        version_ages=counts(simulated.version_w),
        stars=counts(simulated.stars),
        people=counts(simulated.issues),
        releases=counts(simulated.release),
        inflow=counts(simulated.dep_inflow),
        born=np.where(simulated.born < days, simulated.born, NOT_BORN).astype(np.int32),
        incomplete=np.asarray(simulated.gap, bool),
    )
