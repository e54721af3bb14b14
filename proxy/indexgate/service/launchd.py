"""The gate as an agent of the user's launchd, on macOS."""

import plistlib
from collections.abc import Sequence
from pathlib import Path

LABEL = "indexgate"


def place(home: Path) -> Path:
    """Return where the agent lies in the user's *home*."""
    return home / "Library" / "LaunchAgents" / f"{LABEL}.plist"


def agent(command: Sequence[str], log: Path) -> str:
    """Return the agent that runs *command* and writes what it says into *log*."""
    described = {
        "Label": LABEL,
        "ProgramArguments": list(command),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 10,
        "ProcessType": "Background",
        "Umask": 0o077,
        "StandardOutPath": str(log),
        "StandardErrorPath": str(log),
    }
    return plistlib.dumps(described, sort_keys=False).decode()


def start(path: Path, user: int) -> tuple[tuple[str, ...], ...]:
    """Return what to run once the agent is written, for the user with this number."""
    return (("launchctl", "bootstrap", f"gui/{user}", str(path)),)


def stop(user: int) -> tuple[tuple[str, ...], ...]:
    """Return what to run before the agent is written anew or removed."""
    return (("launchctl", "bootout", f"gui/{user}/{LABEL}"),)


def described(user: int) -> tuple[str, ...]:
    """Return what tells of the agent; its answer has `state = running` while it runs."""
    return ("launchctl", "print", f"gui/{user}/{LABEL}")
