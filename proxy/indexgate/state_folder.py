"""The folder where the gate keeps what must outlive it; nobody but its owner may look inside."""

import os
import re
import secrets
import stat
import sys
from pathlib import Path

from msgspec import Struct
from platformdirs import user_state_path

from indexgate.errors import GateError

_PRIVATE_FOLDER = 0o700
_PRIVATE_FILE = 0o600
_OTHERS = 0o077
_SECRET = re.compile(r"[0-9a-f]{64}")
_LONGEST_ADDRESS = 4_096


class StateFolder(Struct, frozen=True, kw_only=True):
    """An opened state folder.

    `secret` is 64 hex digits: who holds them may change the gate's state. `notices` says what was
    put right.
    """

    path: Path
    secret: str
    notices: tuple[str, ...] = ()

    @property
    def files(self) -> Path:
        """Where cached files lie."""
        return self.path / "files"

    @property
    def pages(self) -> Path:
        """Where upstream's pages lie."""
        return self.path / "pages"

    @property
    def run(self) -> Path:
        """Where locks lie, and files while they are being read."""
        return self.path / "run"

    def keep_upstream(self, url: str) -> None:
        """Keep the address *url* (without credentials) as the upstream of later starts."""
        part = self.path / f"upstream.{secrets.token_hex(4)}.part"
        part.write_text(f"{url}\n", encoding="utf-8")
        part.replace(self.path / "upstream")


def default_path() -> Path:
    """Return the user's own state folder of the gate."""
    return user_state_path("indexgate", appauthor=False)


def kept_upstream(path: Path) -> str | None:
    """Return the upstream kept in the state folder *path*, None when there is none."""
    try:
        with (path / "upstream").open(encoding="utf-8", errors="replace") as file:
            return file.read(_LONGEST_ADDRESS).strip() or None
    except OSError:
        return None


def open_state(path: Path) -> StateFolder:
    """Make the folder *path* if need be, close it to others and return it.

    Raises GateError `state-folder`.
    """
    notices: list[str] = []
    try:
        path.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        _close_to_others(path, notices)
        for name in ("files", "pages", "run"):
            (path / name).mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
        secret = _secret(path / "secret", notices)
    except FileExistsError as error:
        raise GateError("state-folder", f"`{error.filename}` is a file, not a folder") from error
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise GateError(
            "state-folder",
            f"cannot use the state folder `{path}`: {reason}",
            "Give another folder with `--state`.",
        ) from error
    return StateFolder(path=path, secret=secret, notices=tuple(notices))


def _close_to_others(path: Path, notices: list[str]) -> None:
    if sys.platform == "win32":
        return  # permission bits say nothing there; the user's profile is private by default
    status = path.stat()
    if status.st_uid != os.geteuid():
        raise GateError(
            "state-folder",
            f"the state folder `{path}` belongs to another user",
            "Give a folder of your own with `--state`.",
        )
    if status.st_mode & _OTHERS:
        path.chmod(_PRIVATE_FOLDER)
        mode = stat.S_IMODE(status.st_mode)
        notices.append(f"the state folder `{path}` was open to others ({mode:o}); it is 700 now")


def _secret(path: Path, notices: list[str]) -> str:
    """Return the secret in *path*; make one if there is none or it can no longer be trusted."""
    try:
        status = path.stat()
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return _new_secret(path, replace=False)
    if sys.platform != "win32" and status.st_mode & _OTHERS:
        notices.append(f"`{path}` could be read by others, so a new secret was made")
        return _new_secret(path, replace=True)
    if not _SECRET.fullmatch(text):
        notices.append(f"`{path}` held no secret, so a new one was made")
        return _new_secret(path, replace=True)
    return text


def _new_secret(path: Path, *, replace: bool) -> str:
    """Write the whole secret aside and then give it its name, so that nobody reads half of one."""
    secret = secrets.token_hex(32)
    part = path.with_name(f"secret.{secrets.token_hex(4)}.part")
    part.touch(mode=_PRIVATE_FILE, exist_ok=False)
    part.write_text(secret, encoding="ascii")
    if replace:
        part.replace(path)
        return secret
    try:
        os.link(part, path)  # unlike a rename, this loses against a gate that was quicker
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    finally:
        part.unlink()
    return secret
