"""The bundled list of the most downloaded names: facts of one day, so that no network is needed.

`popular-names.txt.gz` has the day in its first line, then a line a name: normalised name, downloads
in 30 days, most downloaded first. Its origin is told in `NOTICE`.
"""

import gzip
from collections.abc import Iterator
from datetime import date
from functools import cache
from importlib.resources import files

from indexgate_policy.lookalike import PopularNameList

FILE = "popular-names.txt.gz"
AS_OF = date(2026, 4, 1)


@cache
def load() -> PopularNameList:
    """Return the bundled list, the same object each time. Nothing is read before it is asked."""
    return PopularNameList(read, as_of=AS_OF)


def read() -> Iterator[tuple[str, int]]:
    """Yield (normalised name, downloads in 30 days), most downloaded first."""
    lines = gzip.decompress(files(__package__).joinpath(FILE).read_bytes()).decode().splitlines()
    for line in lines[1:]:
        name, _, downloads = line.partition(" ")
        yield name, int(downloads)


def counted_on() -> date:
    """Return the day that the file itself states."""
    packed = files(__package__).joinpath(FILE).read_bytes()
    first, _, _ = gzip.decompress(packed).decode().partition("\n")
    return date.fromisoformat(first.removeprefix("as-of "))
