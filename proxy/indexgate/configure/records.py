"""What was configured and how to undo it, kept in the gate's state folder.

One file for each settings file: digests of it before and after, and the lines that were replaced.
The whole of it is not kept, since settings files hold passwords.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from indexgate.configure import disk
from indexgate.configure.hunks import Hunk
from indexgate.errors import GateError

_FOLDER = "configured"


class Record(Struct, frozen=True, kw_only=True):
    """A change that is in force.

    `client` and `scope` say what was asked for, `form` the kind of file. `before` and `after` are
    SHA-256 in hex; `before` is None where there was no file. `folders` were made for it.
    """

    version: int = 1
    client: str
    scope: str
    form: str
    path: str
    url: str
    before: str | None
    after: str
    hunks: tuple[Hunk, ...]
    folders: tuple[str, ...] = ()


def digest(content: bytes) -> str:
    """Return the SHA-256 of *content*, in hex."""
    return hashlib.sha256(content).hexdigest()


def find(state: Path, path: Path) -> Record | None:
    """Return what is recorded of the settings file *path*. Raises GateError."""
    return _read(_place(state, path))


def every(state: Path) -> Iterator[Record]:
    """Yield all that is recorded in the state folder. Raises GateError."""
    for place in sorted((state / _FOLDER).glob("*.json")):
        found = _read(place)
        if found is not None:
            yield found


def keep(state: Path, record: Record) -> None:
    """Keep *record* in place of what was recorded of its file. Raises GateError."""
    place = _place(state, Path(record.path))
    disk.put(place, msgspec.json.format(msgspec.json.encode(record)) + b"\n", private=True)


def drop(state: Path, path: Path) -> None:
    """Forget what is recorded of *path*. Raises GateError."""
    disk.remove(_place(state, path), (state / _FOLDER,))


def _place(state: Path, path: Path) -> Path:
    return state / _FOLDER / f"{digest(str(path).encode())[:16]}.json"


def _read(place: Path) -> Record | None:
    content = disk.read(place)
    if content is None:
        return None
    try:
        return msgspec.json.decode(content, type=Record)
    except msgspec.MsgspecError as error:
        raise GateError(
            "configure-record",
            f"`{place}` does not say how to undo what was configured: {error}",
            "Undo it by hand, then remove that file.",
        ) from error
