"""The text of a policy, of its cases, and of other files that a command of policies is given."""

import sys
from pathlib import Path

from msgspec import Struct

from indexgate.errors import GateError
from indexgate.policy_file import unreadable
from indexgate_policy import policies
from indexgate_policy.rules.document_text import LARGEST

STDIN = "-"


class PolicyText(Struct, frozen=True, kw_only=True):
    """A policy as it was written, and the place that it was read from (a path, or a name)."""

    place: str
    text: bytes


def read_policy(place: str) -> PolicyText:
    """Return the policy at *place*: a shipped name, a path, or `-`. Raises GateError."""
    if place in policies.NAMES:
        return PolicyText(place=place, text=policies.shipped(place))
    try:
        return PolicyText(place=place, text=_read(place))
    except OSError as error:
        raise unreadable(place, error) from error


def cases_beside(place: str) -> str:
    """Return where the cases of the policy *place* stand: `a.cases.toml` beside `a.toml`."""
    path = Path(place)
    return place if place in policies.NAMES else str(path.with_name(f"{path.stem}.cases.toml"))


def read_cases(place: str) -> PolicyText:
    """Return the cases at *place*: a shipped policy's name, a path, or `-`. Raises GateError."""
    if place in policies.NAMES:
        return PolicyText(place=f"{place}.cases.toml", text=policies.shipped_cases(place))
    try:
        return PolicyText(place=place, text=_read(place))
    except OSError as error:
        raise GateError(
            "cases-unreadable",
            f"the cases `{place}` cannot be read: {error.strerror or error}",
            "Write `[[case]]` tables there, or name the file that has them:"
            " `indexgate policy test POLICY CASES`.",
        ) from error


def _read(place: str) -> bytes:
    if place == STDIN:
        return sys.stdin.buffer.read(LARGEST + 1)
    with Path(place).open("rb") as file:
        return file.read(LARGEST + 1)
