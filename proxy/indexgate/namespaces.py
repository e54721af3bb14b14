"""Which names belong to one of several indexes alone."""

from collections.abc import Callable
from fnmatch import fnmatchcase

from msgspec import Struct
from packaging.utils import NormalizedName

from indexgate.upstream_choice import UpstreamChoice


class Namespaces(Struct, frozen=True):
    """Patterns of names, each with the id of the index that has it; the first that fits holds."""

    patterns: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, choice: UpstreamChoice) -> "Namespaces":
        """Return the namespaces of all indexes of *choice*, in their order."""
        return cls(
            tuple((glob, index.index_id) for index in choice.all for glob in index.namespaces)
        )

    def home(self, project: NormalizedName) -> tuple[str, str] | None:
        """Return the pattern that *project* fits and the id of the index that it belongs to."""
        return next((pair for pair in self.patterns if fnmatchcase(project, pair[0])), None)

    def elsewhere(self, index_id: str) -> Callable[[NormalizedName], bool]:
        """Return what tells whether a name belongs to another index than this one."""

        def is_elsewhere(project: NormalizedName) -> bool:
            home = self.home(project)
            return home is not None and home[1] != index_id

        return is_elsewhere
