"""The granted exemptions: a file in the state folder, in force on the next request of every gate.

Gates look at it (and do not read it) on every request. One that cannot be read leaves in force what
was read before, at the start nothing: what is not known to be exempt is refused.
"""

import os
import secrets
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from indexgate.errors import GateError
from indexgate_policy.errors import PolicyError
from indexgate_policy.rules import granted
from indexgate_policy.rules.document_text import LARGEST
from indexgate_policy.rules.granted import Granted

NAME = "exemptions.toml"
_PRIVATE = 0o600

Tables: TypeAlias = dict[str, list[dict[str, Any]]]
_Look: TypeAlias = tuple[int, int, int]


class GrantsInForce:
    """What the file *path* grants now. `broken` says why it cannot be read, if so."""

    def __init__(self, path: Path, log: Callable[[str, str], None]) -> None:
        self.broken: str | None = None
        self._path = path
        self._place = str(path)
        self._log = log
        self._look: _Look | None = None
        self._granted = granted.NONE
        self._read(at_start=True)

    def current(self) -> Granted:
        """Return what is granted now."""
        if self._seen() != self._look:
            self._read()
        return self._granted

    def _read(self, *, at_start: bool = False) -> None:
        look = self._seen()
        if look is None:
            found = granted.NONE
        else:
            try:
                found = read(self._path)
            except (GateError, PolicyError) as error:
                self._look, self.broken = look, error.message
                self._log("exemptions-broken", f"{error.message}; what was read before holds")
                return
        changed = found.digest != self._granted.digest and not at_start
        self._look, self._granted, self.broken = look, found, None
        if changed:
            self._log("exemptions-changed", f"{len(found.exemptions)} are granted from now on")

    def _seen(self) -> _Look | None:
        if not os.access(self._place, os.F_OK):  # in a third of the time that a failing stat takes
            return None
        try:
            stat = os.stat(self._place)  # noqa: PTH116 - on every request, and Path is slower
        except FileNotFoundError:
            return None
        except OSError:
            return (0, 0, 0)  # it cannot be read either, which says why
        return stat.st_mtime_ns, stat.st_size, stat.st_ino


def read(path: Path) -> Granted:
    """Return what the file *path* grants. Raises GateError, PolicyError."""
    return granted.parse(_bytes(path), source=str(path))


def tables(path: Path) -> Tables:
    """Return the tables of the file *path* as they are written. Raises GateError, PolicyError."""
    body = _bytes(path, missing=b"version = 1\n")
    granted.parse(body, source=str(path))
    found = tomllib.loads(body.decode("utf-8-sig"))
    return {name: list(found.get(name, ())) for name in ("exemption", "grandfather")}


@contextmanager
def changed(path: Path) -> Iterator[Tables]:
    """Give the tables of the file *path* to be changed, and write them when the block ends well.

    The file is replaced as a whole. Whoever changes it holds a lock meanwhile. Raises GateError,
    PolicyError.
    """
    found = tables(path)
    yield found
    text = granted.render(found)
    if len(text.encode()) > LARGEST:
        raise GateError(
            "exemptions-full",
            f"`{path}` would have more than {LARGEST} bytes",
            "End those that are not needed any more: `indexgate exempt report` names them.",
        )
    granted.parse(text, source=str(path))
    _replace(path, text)


def _bytes(path: Path, *, missing: bytes | None = None) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except OSError as error:
        if missing is not None and isinstance(error, FileNotFoundError):
            return missing
        raise GateError(
            "exemptions-unreadable",
            f"the granted exemptions in `{path}` cannot be read: {error.strerror or error}",
        ) from error


def _replace(path: Path, text: str) -> None:
    """Write *text* aside and give it its name, so that nobody ever reads half of it."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        part.touch(mode=_PRIVATE, exist_ok=False)
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise GateError(
            "exemptions-unwritable",
            f"the granted exemptions in `{path}` cannot be written: {error.strerror or error}",
        ) from error
