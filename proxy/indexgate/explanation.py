"""Everything the gate knows of one project and what the policy makes of it, as data."""

from datetime import datetime

from msgspec import Struct

from indexgate_policy.advisories import Advisories
from indexgate_policy.flags import Flag
from indexgate_policy.health.result import HealthScore
from indexgate_policy.rules.verdict import Verdict
from indexgate_policy.signals import Signal, Unknown


class ReleaseVerdict(Struct, frozen=True, kw_only=True):
    """The policy's answer for one version; `released` is the earliest upload of its files."""

    version: str
    released: datetime | Unknown
    verdict: Verdict


class Explanation(Struct, frozen=True, kw_only=True):
    """What is known of `project` at the time `at`.

    `asked` is the version that was asked for, if one was; `index` the upstream without credentials;
    `index_name` is its name where there are several, and `index_why` says why the project comes
    from it; `stale` why the page could not be had anew, if so. `signals` hold what checks could not
    look at as `unchecked`. `releases` counts versions not yanked.
    `verdicts` are of the newest few versions, newest first, and of the asked one.
    `refused_project` is set when no version may be installed.
    """

    project: str
    asked: str | None = None
    at: datetime
    index: str
    index_name: str = ""
    index_why: str = ""
    public: bool
    fetched_at: datetime
    stale: str | None = None
    status: str = "active"
    status_reason: str = ""
    releases: int
    first_upload: datetime | Unknown
    first_seen: datetime | Unknown
    assessed_at: datetime | Unknown
    signals: tuple[Signal, ...] = ()
    flags: tuple[Flag, ...] = ()
    score: HealthScore | Unknown
    advisories: Advisories | Unknown
    policy: str
    policy_digest: str
    verdicts: tuple[ReleaseVerdict, ...] = ()
    refused_project: Verdict | None = None

    @property
    def refused(self) -> bool:
        """Whether what was asked for (the version, else the whole project) is refused."""
        for row in self.verdicts:
            if row.version == self.asked:
                return row.verdict.refused
        return self.refused_project is not None
