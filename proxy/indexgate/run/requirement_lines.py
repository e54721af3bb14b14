"""Indexes that a command line, or the requirements files it names, hands to pip or uv."""

import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from indexgate.run import pylock
from indexgate.run.configured import Configured

_INDEXES = frozenset(
    ["-i", "--index-url", "--pypi-url", "--extra-index-url", "--default-index", "--index"]
)
_LINKS = frozenset(["-f", "--find-links"])
_FILES = frozenset(["-r", "--requirement", "--requirements", "-c", "--constraint", "--constraints"])
_SHORT = frozenset(["-i", "-f", "-r", "-c"])
_MOST_FILES = 100


def of_command(
    arguments: Sequence[str], folder: Path, read_file: Callable[[Path], bytes]
) -> Iterator[Configured]:
    """Yield the indexes in *arguments* and in the files they name, nested ones too."""
    files: list[Path] = []
    for option, value in _options(arguments):
        if option in _FILES:
            files.append(folder / value)
        else:
            yield _found(value, f"option `{option}`")
    files += [folder / word for word in arguments if pylock.is_one(Path(word))]
    yield from _of_files(files, read_file)


def _of_files(files: list[Path], read_file: Callable[[Path], bytes]) -> Iterator[Configured]:
    read: set[Path] = set()
    while files and len(read) < _MOST_FILES:
        path = files.pop(0)
        if path in read:
            continue
        read.add(path)
        if pylock.is_one(path):
            yield from pylock.addresses(path, read_file)
            continue
        try:
            text = read_file(path).decode("utf-8", "replace")
        except (OSError, ValueError):
            continue  # an address, or missing: the client will say so
        for line in text.replace("\\\n", " ").splitlines():
            for option, value in _options(_words(line)):
                if option in _FILES:
                    files.append(path.parent / value)
                else:
                    yield _found(value, f"line `{option}` in `{path}`")


def _words(line: str) -> list[str]:
    if not line.lstrip().startswith("-"):
        return []
    try:
        return shlex.split(line, comments=True)
    except ValueError:
        return line.split()


def _options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each option of interest with its value, in every way that it may be written."""
    known = _INDEXES | _LINKS | _FILES
    waiting: str | None = None
    for word in words:
        if waiting is not None:
            yield waiting, word
            waiting = None
            continue
        if word == "--":
            return
        name, equals, value = word.partition("=")
        if word in known:
            waiting = word
        elif equals and name in known:
            yield name, value
        elif word[:2] in _SHORT and len(word) > 2 and not word.startswith("--"):
            yield word[:2], word[2:].removeprefix("=")


def _found(value: str, origin: str) -> Configured:
    """Return the index of an option: those beat variables, so the client asks it itself."""
    name, equals, url = value.partition("=")
    named = bool(equals) and "/" not in name and ":" not in name  # uv: `--index name=address`
    return Configured(url=url if named else value, origin=origin, replaced=False)
