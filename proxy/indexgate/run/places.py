"""Where a project stands in the files of a folder, for what is told of it to point at."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_FILES = (
    "requirements.txt",
    "requirements.in",
    "pyproject.toml",
    "Pipfile",
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "Pipfile.lock",
    "pylock.toml",
)
_OPTIONS = ("-r", "--requirement", "-c", "--constraint")


@dataclass(slots=True)
class Places:
    """The files that a command may have taken its requirements from.

    First come those that *command* names. `read_file` raises OSError.
    """

    folder: Path
    command: Sequence[str]
    read_file: Callable[[Path], bytes]
    _texts: list[tuple[str, list[str]]] | None = field(default=None, init=False)

    def of(self, project: str) -> tuple[str, int] | None:
        """Return the file, as named, and the line of the first mention of *project*; or None."""
        name = r"[-_.]+".join(map(re.escape, project.split("-")))
        mention = re.compile(rf"(?:^|[\"'\s]){name}(?=$|[\"'\s=<>!~;\[@,(])", re.IGNORECASE)
        if self._texts is None:
            self._texts = list(self._read())
        for path, lines in self._texts:
            for number, line in enumerate(lines, start=1):
                if mention.search(line) and not line.lstrip().startswith("#"):
                    return path, number
        return None

    def _read(self) -> Iterator[tuple[str, list[str]]]:
        for name in dict.fromkeys([*_named(self.command), *_FILES]):
            try:
                text = self.read_file(self.folder / name).decode("utf-8-sig")
            except (OSError, ValueError):
                continue
            yield name, text.splitlines()


def _named(command: Sequence[str]) -> Iterator[str]:
    """Yield the files that the options of *command* name."""
    for word, following in zip(command, (*command, "")[1:], strict=True):
        option, equals, value = word.partition("=")
        if option in _OPTIONS:
            yield value if equals else following
        elif word.startswith(("-r", "-c")) and not word.startswith("--"):
            yield word[2:]
