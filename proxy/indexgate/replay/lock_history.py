"""What a lock file pinned, version by version, as git keeps them."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from indexgate.errors import GateError
from indexgate.locks.entry import Pinned
from indexgate.locks.read import read_lock

_COMMIT = "\x01"


class LockVersion(Struct, frozen=True, kw_only=True):
    """A committed version of a lock: its commit, when that was made, and its path then."""

    commit: str
    at: datetime
    path: str


def versions(lock: Path, since: datetime) -> list[LockVersion]:
    """Return the versions of *lock* committed since, oldest first, also under earlier names.

    The version that was in force at *since* is the first. Raises GateError `lock-history`,
    `git-missing`.
    """
    told = _git(
        lock,
        "log",
        "--follow",
        "--diff-filter=d",
        "--name-only",
        f"--format={_COMMIT}%H %ct",
        "--",
        lock.name,
    )
    found = list(_read(told.decode("utf-8", "replace")))
    found.reverse()  # git tells the newest first, and two may be of one second
    found.sort(key=lambda one: one.at)
    if not found:
        raise GateError(
            "lock-history",
            f"git has no commit of `{lock}`",
            "Name a lock file that is committed; without `--lock` the gate's record is replayed.",
        )
    before = [one for one in found if one.at < since]
    return [*before[-1:], *(one for one in found if one.at >= since)]


def pinned(lock: Path, version: LockVersion) -> tuple[Pinned, ...]:
    """Return what *version* of *lock* pins on an index. Raises GateError."""
    content = _git(lock, "show", f"{version.commit}:{version.path}")
    return read_lock(content, version.path).pinned


def _read(told: str) -> Iterator[LockVersion]:
    for block in told.split(_COMMIT)[1:]:
        head, *names = [line for line in block.splitlines() if line]
        commit, _, seconds = head.partition(" ")
        if names:
            at = datetime.fromtimestamp(int(seconds), UTC)
            yield LockVersion(commit=commit, at=at, path=names[-1])


def _git(lock: Path, *arguments: str) -> bytes:
    command = ["git", "-c", "core.quotePath=false", *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - git, without a shell
            command, cwd=lock.parent, capture_output=True, check=False
        )
    except FileNotFoundError as error:
        if not lock.parent.is_dir():
            raise GateError("lock-history", f"there is no folder `{lock.parent}`") from error
        raise GateError(
            "git-missing", "git is not installed, and only git knows a lock file's history"
        ) from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise GateError(
            "lock-history",
            f"git cannot tell the history of `{lock}`: {said[0] if said else done.returncode}",
            "Name a lock file inside a git repository.",
        )
    return done.stdout
