"""A project as it stood at a moment of the past, from the few facts that public lists keep."""

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path

from packaging.utils import NormalizedName, canonicalize_name

from indexgate.replay.past_case import Uploads, case_at
from indexgate.sources import popular

__all__ = ["Uploads", "case_at", "is_popular", "rows"]


def rows(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a tab separated table, packed or not."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


def is_popular(name: str) -> bool:
    """Tell whether *name* is on the bundled list."""
    return popular.load().rank(NormalizedName(canonicalize_name(name))) is not None
