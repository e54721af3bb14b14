"""The gate as a unit of the user's systemd."""

import re
from collections.abc import Sequence
from pathlib import Path

NAME = "indexgate.service"
_CONTROL = ("systemctl", "--user")

INSTALL = (
    (*_CONTROL, "daemon-reload"),
    (*_CONTROL, "enable", NAME),
    (*_CONTROL, "restart", NAME),
)
"""What to run once the unit is written; the last one starts it too."""
STOP = ((*_CONTROL, "disable", "--now", NAME),)
"""What to run before the unit is removed."""
REMOVED = ((*_CONTROL, "daemon-reload"),)
"""What to run afterwards."""
IS_ENABLED = (*_CONTROL, "is-enabled", NAME)
IS_RUNNING = (*_CONTROL, "is-active", NAME)

# Only what a user's own service manager can do without namespaces: the rest fails where the kernel
# keeps them from users. The gate opens sockets and files, nothing else; netlink is how a resolver
# looks at this machine's addresses.
_UNIT = """\
[Unit]
Description=indexgate: a gate in front of the Python package index
# A port that is taken, by the gate of a run as well, comes free again: never give up.
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart={command}
Restart=on-failure
RestartSec=10
UMask=0077
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=default.target
"""
_BARE = re.compile(r"[\w@+=:,./-]+", re.ASCII)


def place(config: Path) -> Path:
    """Return where the unit lies in the user's configuration folder *config*."""
    return config / "systemd" / "user" / NAME


def link(config: Path) -> Path:
    """Return the link by which systemd knows that the unit is to be started at log-in."""
    return config / "systemd" / "user" / "default.target.wants" / NAME


def unit(command: Sequence[str]) -> str:
    """Return the unit that runs *command*, whose first word is an absolute path."""
    return _UNIT.format(command=" ".join(map(_quoted, command)))


def _quoted(word: str) -> str:
    """Return *word* as systemd reads it back: no specifier, no variable, one word."""
    plain = word.replace("%", "%%").replace("$", "$$")
    if _BARE.fullmatch(plain):
        return plain
    escaped = plain.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
