"""Find the known spellings within a few edits of a name, quickly and in little memory.

Spellings lie in small lists by length and by first, and again by last, letter; only those that
share an end with the name are measured. Slips at both ends of a name at once are not found.
"""

from collections import defaultdict
from collections.abc import Iterator

TWO_EDITS_FROM = 7  # letters a name must have before two edits still leave it recognisable
THREE_EDITS_FROM = 13


class Spellings:
    """Spellings without separators, found by edit distance (optimal string alignment)."""

    __slots__ = ("_distance", "_extract", "_shelves")

    def __init__(self) -> None:
        # Fifty modules, which whoever never asks about a spelling does without.
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        self._extract, self._distance = process.extract, OSA.distance
        self._shelves: defaultdict[tuple[int, int, str], list[str]] = defaultdict(list)

    def add(self, spelling: str) -> None:
        """Add *spelling* (not empty; adding it twice finds it twice)."""
        for end in (0, -1):
            self._shelves[len(spelling), end, spelling[end]].append(spelling)

    def near(self, spelling: str) -> Iterator[str]:
        """Yield the spellings a slip or few away from *spelling*, itself included."""
        if not spelling:
            return
        edits = reach(len(spelling))
        for length in range(len(spelling) - edits, len(spelling) + edits + 1):
            cutoff = min(edits, reach(length))
            for end in (0, -1):
                shelf = self._shelves.get((length, end, spelling[end]))
                if shelf is None:
                    continue
                for found, _, _ in self._extract(
                    spelling, shelf, scorer=self._distance, score_cutoff=cutoff, limit=None
                ):
                    # What shares both ends lies on two shelves.
                    if end == 0 or found[0] != spelling[0]:
                        yield found


def reach(length: int) -> int:
    """Return how many edits a name of *length* letters bears."""
    return 1 + (length >= TWO_EDITS_FROM) + (length >= THREE_EDITS_FROM)
