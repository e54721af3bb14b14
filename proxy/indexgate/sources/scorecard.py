"""OpenSSF Scorecard: how carefully a source repository is kept, check by check.

Source: the project's API description; results of a weekly scan of about 1.3 million repositories,
CDLA-Permissive-2.0. A check of -1 could not be told and is no low score; that a repository was not
scanned says nothing about it. The scan leaves out CI-Tests, Contributors and
Dependency-Update-Tool.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

import httpx
import msgspec

from indexgate.sources.budgets import Budget
from indexgate.sources.protocol import About, Asked
from indexgate.sources.service import Service, part
from indexgate.sources.told import day, share, signals
from indexgate_policy.signals import Signal, Unknown, Value

BASE = "https://api.securityscorecards.dev"
ABOUT = About(
    name="scorecard",
    title="OpenSSF Scorecard",
    by="the Open Source Security Foundation",
    documented_at="https://api.securityscorecards.dev",
    gives=("scorecard", "scorecard_checks", "scorecard_untold", "scorecard_on"),
    needs=("repository",),
    licence="CDLA-Permissive-2.0",
    third_party=True,
    fresh_for=timedelta(days=7),
)

_HOSTS = ("github.com/", "gitlab.com/")
_NAME = re.compile(r"[A-Za-z][A-Za-z-]{0,60}")
_MOST_CHECKS = 60


class Check(msgspec.Struct, gc=False):
    """One check: its name and its score 0..10, -1 when it could not be told."""

    name: str
    score: int


class _Repository(msgspec.Struct):
    name: str


class _Answer(msgspec.Struct):
    repo: _Repository
    date: str | None = None
    score: float | None = None
    checks: list[Check] | None = None


class Scorecard:
    """The service, as a source. *base* is the address of its API."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        budget: Budget,
        *,
        base: str = BASE,
        within: float = 20.0,
    ) -> None:
        self._service = Service(ABOUT, client, budget, base=base, within=within)

    @property
    def about(self) -> About:
        """What the source is."""
        return ABOUT

    async def signals(self, asked: Asked, now: datetime) -> tuple[Signal, ...]:
        """Return the scores of the repository that the project claims. Raises SourceFailed."""
        claimed = asked.known.value("repository")
        identity = scanned(claimed)
        if isinstance(identity, Unknown):
            return tuple(signals(ABOUT, dict.fromkeys(ABOUT.gives, identity), now))
        path = "/".join(part(piece) for piece in identity.split("/"))
        answer = await self._service.found(_Answer, f"projects/{path}")
        if answer is None:
            absent = Unknown(reason="OpenSSF Scorecard has not scanned the repository")
            return tuple(signals(ABOUT, dict.fromkeys(ABOUT.gives, absent), now))
        if answer.repo.name.lower() != identity.lower():
            raise self._service.garbage("answered the scores of another repository")
        return tuple(signals(ABOUT, values(answer.score, answer.checks, answer.date), now))


def scanned(claimed: Value | Unknown) -> str | Unknown:
    """Return the name `host/owner/name` of the *claimed* address, if Scorecard scans its host."""
    if isinstance(claimed, Unknown):
        return claimed
    identity = str(claimed).removeprefix("https://")
    if not identity:
        return Unknown(reason="the project claims no repository")
    if not identity.startswith(_HOSTS):
        return Unknown(reason="the repository is on a host that is not scanned")
    return identity


def values(
    score: float | None, checks: Iterable[Check] | None, date: str | None
) -> dict[str, Value | Unknown]:
    """Return the signals of a result; what could not be told stands apart from what is low."""
    told: dict[str, Value | Unknown] = {
        "scorecard": share(score, 10, "OpenSSF Scorecard tells no score of the repository"),
        "scorecard_on": day(date, "OpenSSF Scorecard does not tell when it looked"),
    }
    if checks is None:
        untold = Unknown(reason="OpenSSF Scorecard tells no single checks")
        return {**told, "scorecard_checks": untold, "scorecard_untold": untold}
    named = {check.name: check.score for check in checks if _NAME.fullmatch(check.name)}
    ordered = sorted(named.items())[:_MOST_CHECKS]
    told["scorecard_checks"] = tuple(f"{name}={s}" for name, s in ordered if 0 <= s <= 10)
    told["scorecard_untold"] = tuple(name for name, s in ordered if not 0 <= s <= 10)
    return told
