"""Swapping lock files on the disk, so that no run leaves the gate's addresses in one.

A note in the state folder stands for every swapped file for as long as a run uses it; each such run
holds the note's lock, which ends with its process, however that ends. The last run to leave swaps
the file back, and so does the next run where one was killed.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from indexgate.locks.disk import change_text, read_text
from indexgate.locks.swap import Swap
from indexgate.run.configured import Configured
from indexgate.run.held import held, try_alone

_LOCK = "uv.lock"


class Notes(Struct, frozen=True, kw_only=True):
    """The folder of notes on swapped files."""

    folder: Path

    @contextlib.contextmanager
    def swapped(self, paths: Sequence[Path], swap: Swap) -> Iterator[None]:
        """Have the gate's addresses in the lock files *paths* while the block runs.

        A file that does not exist yet is looked at when the block has ended.
        """
        with contextlib.ExitStack() as stack:
            for path in paths:
                stack.enter_context(self._one(path.resolve(), swap))
            yield

    def mend(self) -> tuple[Path, ...]:
        """Swap back what a killed run has left; return the files."""
        if not self.folder.is_dir():
            return ()
        return tuple(
            path
            for note in sorted(self.folder.glob("*.swap"))
            if (path := self._left(note)) is not None
        )

    @contextlib.contextmanager
    def _one(self, path: Path, swap: Swap) -> Iterator[None]:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        note = self.folder / f"{hashlib.sha256(os.fsencode(path)).hexdigest()[:32]}.swap"
        turn = self.folder / "turn.lock"
        with contextlib.ExitStack() as using:
            with held(turn):  # nobody else swaps meanwhile
                using.enter_context(held(note, shared=True))
                _write_note(note, path, swap)
                change_text(path, swap.to_gate)
            try:
                yield
            finally:
                with held(turn):
                    using.close()
                    with try_alone(note) as alone:
                        if alone:
                            change_text(path, swap.to_upstream)
                            note.unlink(missing_ok=True)

    def _left(self, note: Path) -> Path | None:
        with held(self.folder / "turn.lock"), try_alone(note) as alone:
            if not alone:
                return None
            try:
                said = json.loads(note.read_text(encoding="utf-8"))
                path = Path(said["path"])
                changed = change_text(
                    path, Swap(gate=said["gate"], upstream=said["upstream"]).to_upstream
                )
            except (OSError, ValueError, KeyError, TypeError):
                changed = False
            note.unlink(missing_ok=True)
            return path if changed else None


def lock_files(folder: Path, arguments: Sequence[str]) -> tuple[Path, ...]:
    """Return the lock files that uv may use in *folder*: of the project, workspace or a script."""
    projects = [
        place / _LOCK
        for place in (folder, *folder.parents)
        if (place / "pyproject.toml").exists() or (place / _LOCK).exists()
    ]
    scripts = [
        folder / f"{argument}.lock"
        for argument in arguments
        if argument.endswith(".py") and (folder / argument).exists()
    ]
    return tuple(dict.fromkeys([*projects, *scripts])) or (folder / _LOCK,)


def ends_with_slash(paths: Sequence[Path], swap: Swap) -> bool:
    """Tell whether a lock among *paths* writes the registry with a slash: uv minds that."""
    return any(swap.slash(read_text(path) or "") for path in paths)


def past_the_gate(paths: Sequence[Path], swap: Swap, *, frozen: bool) -> Iterator[Configured]:
    """Yield what uv would fetch past the gate by the lock files *paths*, once they are swapped."""
    for path in paths:
        for address in swap.past_the_gate(read_text(path) or "", frozen=frozen):
            yield Configured(url=address, origin=f"`{path}`", replaced=False)


def _write_note(note: Path, path: Path, swap: Swap) -> None:
    said = {"path": str(path), "gate": swap.gate, "upstream": swap.upstream}
    note.write_text(json.dumps(said), encoding="utf-8")
