"""A change of a settings file: worked out whole first, then shown, then made; and its undoing."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from indexgate.configure import disk, hunks, records
from indexgate.configure.edits import Edited
from indexgate.configure.hunks import ReadValues, Values
from indexgate.configure.records import Record
from indexgate.errors import GateError
from indexgate.redact import redact

_BOM = b"\xef\xbb\xbf"
NO_VALUES: Values = Counter()
"""What is read of a file whose values are nobody else's."""

Edit: TypeAlias = Callable[[str], Edited]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What *path* holds and shall hold (None: no such file), and what is recorded afterwards.

    `path` is where a link leads. `replaced` are the addresses that give way. `exact` is False where
    others changed the file since, so that only the gate's own lines are touched; `left` counts
    those of its changes that were not found again.
    """

    path: Path
    before: bytes | None = field(repr=False)
    after: bytes | None = field(repr=False)
    record: Record | None
    replaced: tuple[str, ...] = field(default=(), repr=False)
    exact: bool = True
    left: int = 0

    @property
    def changes(self) -> bool:
        """Whether anything is written."""
        return self.before != self.after


class _Base(Struct, frozen=True, kw_only=True):
    """What a file held before the gate's lines came into it, as far as that can be told."""

    content: bytes | None
    how: Literal["exact", "picked out"] = "exact"
    left: int = 0


def make(wanted: Record, edit: Edit, read_values: ReadValues, known: Record | None) -> Change:
    """Work out the change that *edit* makes in the file of *wanted*.

    *wanted* says what to record, but for what is found out here; *known* is what is recorded of the
    file already: that change is taken back first. Raises GateError.
    """
    path = Path(wanted.path)
    now = disk.read(path)
    base = _Base(content=now) if known is None else _base(now, known, read_values)
    if base.left and now is not None and known is not None and known.url in _text(path, now):
        raise GateError(
            "configure-changed",
            f"`{path}` was changed since the gate was put in, so that cannot be taken back",
            "Take the gate's address out by hand, then configure again.",
        )
    marked = base.content is not None and base.content.startswith(_BOM)
    text = _text(path, base.content or b"")
    try:
        edited = edit(text)
    except hunks.NotByLines:
        raise
    except ValueError as error:
        raise GateError(
            "configure-unreadable", f"`{path}` cannot be read: {str(error).lower()}"
        ) from error
    after = (_BOM if marked else b"") + edited.text.encode()
    made = hunks.between(text, edited.text)
    _check_no_secret(path, made)
    record = replace(
        wanted,
        before=None if base.content is None else records.digest(base.content),
        after=records.digest(after),
        hunks=made,
        folders=() if known is None else known.folders,
    )
    if edited.text == text and known is None:
        return Change(path=path, before=now, after=now, record=None)
    return Change(path=path, before=now, after=after, record=record, replaced=edited.replaced)


def undo(known: Record, read_values: ReadValues) -> Change:
    """Work out how the change *known* is taken back. Raises GateError."""
    path = Path(known.path)
    now = disk.read(path)
    base = _base(now, known, read_values)
    return Change(
        path=path,
        before=now,
        after=base.content,
        record=None,
        exact=base.how == "exact",
        left=base.left,
    )


def carry_out(change: Change, state: Path, known: Record | None) -> None:
    """Write *change*, and what is recorded of it in the state folder. Raises GateError.

    What is recorded is written first and forgotten last, so that a change can always be undone.
    """
    if change.record is not None:
        records.keep(state, change.record)
        try:
            made = disk.put(change.path, change.after or b"") if change.changes else ()
        except GateError:
            if known is None:
                records.drop(state, change.path)
            else:
                records.keep(state, known)
            raise
        folders = (*change.record.folders, *map(str, made))
        records.keep(state, replace(change.record, folders=folders))
        return
    if change.changes:
        if change.after is None:
            disk.remove(change.path, tuple(map(Path, known.folders)) if known else ())
        else:
            disk.put(change.path, change.after)
    if known is not None:
        records.drop(state, change.path)


def _base(now: bytes | None, known: Record, read_values: ReadValues) -> _Base:
    """Return what the file held before *known*."""
    path = Path(known.path)
    if now is None or records.digest(now) == known.before:
        return _Base(content=now)
    text = _text(path, now)
    mark = _BOM if now.startswith(_BOM) else b""
    if records.digest(now) == known.after:
        content = mark + hunks.taken_back(text, known.hunks).encode()
        if known.before is None:
            return _Base(content=None)
        if records.digest(content) == known.before:
            return _Base(content=content)
    picked, found = hunks.picked_out(text, known.hunks, read_values)
    empty = known.before is None and not picked.strip()
    return _Base(
        content=None if empty else mark + picked.encode(),
        how="picked out",
        left=len(known.hunks) - found,
    )


def _text(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise GateError("configure-unreadable", f"`{path}` is not UTF-8 text") from error


def _check_no_secret(path: Path, made: tuple[hunks.Hunk, ...]) -> None:
    """Raise GateError where a line that gives way holds a password: it would have to be kept."""
    for line in (line for hunk in made for line in hunk.before):
        if redact(line) != line:
            raise GateError(
                "configure-credentials",
                f"`{path}` has an index with a login in its address, which the gate does not keep:"
                f" `{redact(line).strip()}`",
                "Put the login into a netrc file and take it out of the address, then configure"
                " again.",
            )
