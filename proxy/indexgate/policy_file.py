"""The policy in force: a shipped one by name, or a file whose edits hold from the next request on.

The file is looked at (not read) on every request. A broken edit keeps the policy that was in force
and is told in the log and on `/-/health`, once per edit. What was granted apart from the policy
belongs to it, and for a run whose glass is broken it is another one.
"""

import difflib
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from indexgate.broken_glass import BrokenGlass
from indexgate.errors import GateError
from indexgate.granted_file import GrantsInForce
from indexgate_policy import policies
from indexgate_policy.checks import CHECKS
from indexgate_policy.errors import PolicyError
from indexgate_policy.rules import document
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.granted import Granted

_Look = tuple[int, int, int]


class PolicyInForce:
    """The policy named *place*: a shipped name, or the path of a file.

    *granted* is the file of granted exemptions, if there may be any.
    `taken` and `rejected` count the edits since the start; `broken` says what is wrong with the
    file as it is now.

    Raises GateError, PolicyError when it cannot be used at the start.
    """

    def __init__(
        self,
        place: str,
        *,
        clock: Callable[[], datetime],
        log: Callable[[str, str], None] = lambda _event, _text: None,
        granted: Path | None = None,
    ) -> None:
        self._clock = clock
        self._log = log
        self.place = place
        self.broken: str | None = None
        self.taken = 0
        self.rejected = 0
        self.glass = BrokenGlass()
        self._path: Path | None = None
        self._look: _Look | None = None
        if place in policies.NAMES:
            self._policy = self._parsed(policies.shipped(place))
        else:
            self._path = Path(place)
            self._look = _look(self.place)
            self._policy = self._read(self._path)
        self._grants = None if granted is None else GrantsInForce(granted, log)
        self._joined: tuple[Policy, Granted, Policy] | None = None

    @property
    def grants_broken(self) -> str | None:
        """Why the file of granted exemptions cannot be read, None when it can."""
        return None if self._grants is None else self._grants.broken

    def current(self, run: str | None = None) -> Policy:
        """Return the policy in force now, for the *run* of an `indexgate run` if it is one's."""
        policy = self._written()
        if self._grants is not None:
            granted = self._grants.current()
            joined = self._joined
            if joined is None or joined[0] is not policy or joined[1] is not granted:
                joined = self._joined = (policy, granted, granted.joined(policy))
            policy = joined[2]
        return policy if run is None else self.glass.policy(run, policy, self._clock())

    def _written(self) -> Policy:
        if self._path is None:
            return self._policy
        try:
            look = _look(self.place)
        except GateError as error:
            self._keep_old(None, str(error.message))
            return self._policy
        if look != self._look:
            try:
                self._policy = self._read(self._path)
            except (GateError, PolicyError) as error:
                self._keep_old(look, error.message)
            else:
                self._look, self.broken = look, None
                self.taken += 1
                self._log("policy-changed", f"`{self.place}` is in force from now on")
        return self._policy

    def _read(self, path: Path) -> Policy:
        try:
            text = path.read_bytes()
        except OSError as error:
            raise unreadable(self.place, error) from error
        return self._parsed(text)

    def _parsed(self, text: bytes) -> Policy:
        computed = frozenset(check.definition.id for check in CHECKS)
        return document.parse(text, source=self.place, now=self._clock(), checks=computed)

    def _keep_old(self, look: _Look | None, why: str) -> None:
        if self.broken is None or look != self._look:
            self.rejected += 1
            self._log("policy-broken", f"{why}; the policy read before stays in force")
        self._look, self.broken = look, why


def _look(place: str) -> _Look:
    try:
        stat = os.stat(place)  # noqa: PTH116 - on every request, and Path is slower
    except OSError as error:
        raise unreadable(place, error) from error
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def unreadable(place: str, error: OSError) -> GateError:
    """Return the error that the policy *place* cannot be read because of *error*."""
    shipped = ", ".join(policies.NAMES)
    if _is_bare_name(place) and isinstance(error, FileNotFoundError):
        nearest = difflib.get_close_matches(place.lower(), policies.NAMES, n=1)
        meant = f"Did you mean `{nearest[0]}`? " if nearest else ""
        return GateError(
            "policy-unreadable",
            f"there is no policy `{place}`",
            f"{meant}Name one of the shipped policies ({shipped}), or a file, such as"
            f" `{place}.toml`",
        )
    return GateError(
        "policy-unreadable",
        f"the policy file `{place}` cannot be read: {error.strerror or error}",
        f"Name a readable file, or one of the shipped policies: {shipped}",
    )


def _is_bare_name(place: str) -> bool:
    """Tell whether *place* looks like the name of a shipped policy rather than like a file."""
    return Path(place).name == place and not place.endswith(".toml")
