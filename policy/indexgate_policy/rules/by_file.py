"""The verdicts of a page by file: most of them one and the same, and only the others listed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from indexgate_policy.rules.verdict import Verdict
from indexgate_policy.subject import Release


class ByFile(Mapping[str, Verdict]):
    """The verdicts of a page's files by name: those `apart`, and `usual`, that of all others.

    What is usual is never a refusal. None: every file is apart.
    """

    __slots__ = ("_all", "_releases", "apart", "usual")

    def __init__(
        self, releases: Sequence[Release], usual: Verdict | None, apart: Mapping[str, Verdict]
    ) -> None:
        self._releases = releases
        self._all: Mapping[str, Verdict] | None = None
        self.usual = usual
        self.apart = apart

    def __getitem__(self, filename: str) -> Verdict:
        found = self.apart.get(filename)
        return self._each()[filename] if found is None else found

    def __iter__(self) -> Iterator[str]:
        return iter(self._each())

    def __len__(self) -> int:
        return len(self._each())

    def distinct(self) -> Iterable[Verdict]:
        """Return every verdict, the usual one once."""
        return (*self.apart.values(), *(() if self.usual is None else (self.usual,)))

    def _each(self) -> Mapping[str, Verdict]:
        if self.usual is None:
            return self.apart
        if self._all is None:
            names = [name for release in self._releases for name in release.filenames]
            self._all = {**dict.fromkeys(names, self.usual), **self.apart}
        return self._all
