"""libraries.io: SourceRank and who depends on a project, with a key.

Source: the service's API page; CC-BY-SA-4.0, which every signal carries. Slow to follow: a project
may be days behind. The key goes into the address, because that is the only documented way;
`outbound` keeps it out of logs.
"""

from datetime import datetime, timedelta

import httpx
import msgspec
from packaging.utils import canonicalize_name

from indexgate.sources.budgets import Budget
from indexgate.sources.protocol import About, Asked
from indexgate.sources.service import Service, part
from indexgate.sources.told import count, signals
from indexgate_policy.signals import Signal, Unknown, Value

BASE = "https://libraries.io/api"
ABOUT = About(
    name="libraries-io",
    title="libraries.io",
    by="Tidelift",
    documented_at="https://libraries.io/api",
    gives=("sourcerank", "dependents", "dependent_repositories", "stars", "forks", "contributors"),
    licence="CC-BY-SA-4.0",
    third_party=True,
    fresh_for=timedelta(days=7),
    key="needed: a key of a (free) account",
)


class _Answer(msgspec.Struct):
    name: str
    platform: str
    rank: int | None = None
    dependents_count: int | None = None
    dependent_repos_count: int | None = None
    stars: int | None = None
    forks: int | None = None
    contributions_count: int | None = None


class LibrariesIo:
    """The service, as a source. *base* is the address of its API, *key* the account's."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        budget: Budget,
        *,
        key: str,
        base: str = BASE,
        within: float = 20.0,
    ) -> None:
        self._service = Service(ABOUT, client, budget, base=base, within=within, keyed=True)
        self._key = key

    @property
    def about(self) -> About:
        """What the source is."""
        return ABOUT

    async def signals(self, asked: Asked, now: datetime) -> tuple[Signal, ...]:
        """Return the rank and the dependents. Raises SourceFailed."""
        answer = await self._service.found(
            _Answer, f"pypi/{part(asked.project)}", query={"api_key": self._key}
        )
        if answer is None:
            absent = Unknown(reason="libraries.io does not know the project")
            return tuple(signals(ABOUT, dict.fromkeys(ABOUT.gives, absent), now))
        if canonicalize_name(answer.name) != asked.project or answer.platform.lower() != "pypi":
            raise self._service.garbage("answered another project")
        return tuple(signals(ABOUT, _values(answer), now))


def _values(answer: _Answer) -> dict[str, Value | Unknown]:
    told = {
        "sourcerank": answer.rank,
        "dependents": answer.dependents_count,
        "dependent_repositories": answer.dependent_repos_count,
        "stars": answer.stars,
        "forks": answer.forks,
        "contributors": answer.contributions_count,
    }
    return {
        name: count(value, f"libraries.io does not tell {name.replace('_', ' ')}")
        for name, value in told.items()
    }
