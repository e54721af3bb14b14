"""Panels with a plain story."""

from datetime import date
from typing import Any

import numpy as np
from packaging.utils import canonicalize_name

from indexgate_policy.downloads.kinds import CLASSES, INSTALLERS, REGIONS, VERSION_AGES
from indexgate_policy.downloads.panel import Panel

FIRST_DAY = date(2026, 5, 4)  # a Monday


def panel(classes: Any, *, first_day: date = FIRST_DAY, **given: Any) -> Panel:
    """Return a panel of *classes* (N, T, 7); every other array is 0 unless *given*."""
    classes = np.asarray(classes, np.float32)
    projects, days, _ = classes.shape
    weeks = days // 7

    def zeros(*shape: int) -> Any:
        return np.zeros(shape, np.float32)

    arrays: dict[str, Any] = {
        "installers": zeros(projects, weeks, len(INSTALLERS)),
        "regions": zeros(projects, weeks, len(REGIONS)),
        "version_ages": zeros(projects, weeks, len(VERSION_AGES)),
        "stars": zeros(projects, days),
        "people": zeros(projects, days),
        "releases": zeros(projects, days),
        "inflow": zeros(projects, days),
        "born": np.full(projects, -1, np.int32),
        "incomplete": np.zeros(days, np.bool_),
    }
    names = tuple(canonicalize_name(f"p{number}") for number in range(projects))
    return Panel(names=names, first_day=first_day, classes=classes, **(arrays | given))


def steady(days: int = 182, projects: int = 1, **a_day: float) -> Any:
    """Return classes (N, T, 7) with the same downloads of each class every day."""
    classes = np.zeros((projects, days, len(CLASSES)), np.float32)
    for name, count in a_day.items():
        classes[:, :, CLASSES.index(name)] = count
    return classes
