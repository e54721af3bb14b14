"""What `indexgate check` is to look at: requirements, locks, environments, each told apart."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath

from msgspec import Struct

from indexgate import own_addresses
from indexgate.errors import GateError
from indexgate.locks.entry import STDIN_SHOWN, Format, Lock
from indexgate.locks.of_environment import read_environment
from indexgate.locks.read import by_content, by_name, read_lock
from indexgate.locks.text import LARGEST, shown
from indexgate.requirements.file import STDIN, ReadFile, Requirements, read_requirements
from indexgate.requirements.lines import decode

_FILES = (".txt", ".in", ".lock", ".toml", ".json")
_ARCHIVES = (".whl", ".zip", ".gz", ".tgz", ".bz2", ".xz")
_ENVIRONMENTS = ("VIRTUAL_ENV", "CONDA_PREFIX")
_PROJECT_ENVIRONMENT = ".venv"


class Named(Struct, frozen=True, kw_only=True):
    """What the command line names; `format` is that of the files, None to tell it."""

    words: tuple[str, ...]
    files: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    format: Format | None = None

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to look at."""
        return not (self.words or self.files or self.environments)


def read(
    named: Named,
    *,
    read_file: ReadFile,
    environ: Mapping[str, str],
    folder: Path,
    roots: Sequence[str] = (),
) -> tuple[Requirements, tuple[Lock, ...]]:
    """Read all that is *named*; *roots* are the gate's addresses. Raises GateError."""
    own = {own_addresses.simple(root) for root in roots}
    lines = [word for word in named.words if not _is_file(word)]
    files = [*named.files, *(word for word in named.words if _is_file(word))]
    kept: dict[str, bytes] = {}

    def read_once(path: str, most: int) -> bytes:
        if path not in kept:
            kept[path] = read_file(path, LARGEST + 1)
        return kept[path][:most]

    locks: list[Lock] = []
    plain: list[str] = []
    for path in files:
        format_ = named.format or _format(path, read_once)
        if format_ is None or format_ == "requirements":
            plain.append(path)
            continue
        content = _content(path, read_once)
        locks.append(read_lock(content, STDIN_SHOWN if path == STDIN else path, format=format_))
    requirements = read_requirements(
        lines,
        plain,
        named.constraints,
        read_file=read_once,
        environ=environ,
        is_gate=lambda url: f"{url.rstrip('/')}/" in own,
    )
    places = (_environment(text, environ, folder) for text in named.environments)
    return requirements, (*locks, *map(read_environment, places))


def _is_file(word: str) -> bool:
    """Tell whether *word* names a file to read, and is no requirement."""
    if word == STDIN or by_name(word) is not None:
        return True
    path = PurePath(word)
    if path.name.lower().endswith(_ARCHIVES):
        return False  # a requirement: a file to install
    suffix = path.suffix.lower()
    # A project may well be called `zope.json`, but hardly `requirements.txt` or `uv-old.lock`; and
    # a lock that is not there should be said to be missing, not be asked of the index by its name.
    return suffix in (".txt", ".lock") or (suffix in _FILES and Path(word).is_file())


def _format(path: str, read_file: ReadFile) -> Format | None:
    if (found := by_name(path)) is not None:
        return found
    try:
        content = read_file(path, LARGEST + 1)
        return by_content(decode(content, path))
    except (OSError, ValueError, GateError):
        return None  # the reader of requirements says what is wrong with it


def _content(path: str, read_file: ReadFile) -> bytes:
    try:
        return read_file(path, LARGEST + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else None
        raise GateError(
            "lock-file", f"cannot read `{shown(path)}`: {(why or str(error)).lower()}"
        ) from error


def _environment(text: str, environ: Mapping[str, str], folder: Path) -> Path:
    """Return the environment that *text* names; `-` is the active one, else the project's."""
    if text != STDIN:
        return Path(text)
    active: Sequence[str] = [environ[name] for name in _ENVIRONMENTS if environ.get(name)]
    if active:
        return Path(active[0])
    if (folder / _PROJECT_ENVIRONMENT).is_dir():
        return Path(os.path.relpath(folder / _PROJECT_ENVIRONMENT))
    raise GateError(
        "environment-not-found",
        "no environment is active, and there is no folder `.venv`",
        "Name one: `--environment PATH`.",
    )
