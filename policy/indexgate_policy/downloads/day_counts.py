"""What a day's rows of the log come to for one project."""

from datetime import date

import numpy as np
from msgspec import Struct
from packaging.utils import NormalizedName

from indexgate_policy.downloads.kinds import INSTALLERS, REGIONS, VERSION_AGES
from indexgate_policy.downloads.panel import Counts


class DayCounts(Struct, frozen=True, kw_only=True, eq=False):
    """The downloads of one project on one day.

    `classes` is (7,) by `kinds.CLASSES` and adds up to `n`, the rows' total. `installers` (6,),
    `regions` (12,) and `version_ages` (4,) are what the day adds to the week's mixes; all are
    float32, not a number where the source does not tell. `undated` counts the consumer downloads
    that `version_ages` leaves out because nobody could say when the version was uploaded.
    `certain` is the part of `n` whose class is all but certain (probability .9 or more).
    """

    project: NormalizedName
    day: date
    classes: Counts
    installers: Counts
    regions: Counts
    version_ages: Counts
    n: int
    undated: float = 0.0
    certain: float = float("nan")


def untold(length: int) -> Counts:
    """Return *length* counts that the source does not tell."""
    return np.full(length, np.nan, np.float32)


NO_INSTALLERS = untold(len(INSTALLERS))
NO_REGIONS = untold(len(REGIONS))
NO_VERSION_AGES = untold(len(VERSION_AGES))
