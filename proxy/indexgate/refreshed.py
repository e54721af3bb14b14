"""A refresh on demand as data: what is wanted, what it would take, and what came of it."""

from datetime import date, datetime
from typing import Literal, TypeAlias

from msgspec import Struct
from packaging.utils import NormalizedName

from indexgate.observing import Failure
from indexgate.sources.day_log import Plan
from indexgate.whole_index import Counted
from indexgate_policy.flags import Flag
from indexgate_policy.health.result import HealthScore
from indexgate_policy.signals import Unknown

State: TypeAlias = Literal["refreshed", "failed", "not reached"]


class Wanted(Struct, frozen=True, kw_only=True):
    """What to refresh: `projects` by name, or all that clients asked for.

    `sources` are the only ones to ask, empty: all that are on. `days` of the download log are read
    whether they were read before or not. `whole_index`: also assess all other projects of which
    there is a download history.
    """

    projects: tuple[NormalizedName, ...] = ()
    everything: bool = False
    sources: tuple[str, ...] = ()
    days: tuple[date, ...] = ()
    whole_index: bool = False


class ProjectRow(Struct, frozen=True, kw_only=True):
    """What came of one project. `error` says why it `failed`; `asked` are sources that answered.

    `failures` are those that could not: what they said before still stands.
    """

    project: str
    state: State
    error: str = ""
    score: HealthScore | Unknown = Unknown(reason="it has not been scored yet")
    flags: tuple[Flag, ...] = ()
    asked: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()


class DayRow(Struct, frozen=True, kw_only=True):
    """What came of one day of a log; `error` says why it was not read, empty when it was."""

    day: date
    source: str
    projects: int = 0
    rows: int = 0
    error: str = ""


class Refreshed(Struct, frozen=True, kw_only=True):
    """What came of a refresh of projects of `index`.

    `stopped` when somebody ended it: what was done is kept, and the same command goes on from
    there. `billed` are the bytes that BigQuery billed meanwhile, `dollars` their list price;
    `feed_failure` says why the advisories could not be read, None when they were or need not be.
    `whole_index` counts the projects that were assessed from their history alone.
    """

    index: str
    at: datetime
    projects: tuple[ProjectRow, ...] = ()
    days: tuple[DayRow, ...] = ()
    stopped: bool = False
    billed: int = 0
    dollars: float = 0.0
    feed_failure: str | None = None
    whole_index: Counted | None = None

    @property
    def failed(self) -> bool:
        """Whether anything could not be had."""
        rows = any(row.error or row.failures for row in self.projects)
        return rows or any(row.error for row in self.days) or self.feed_failure is not None


class Question(Struct, frozen=True, kw_only=True):
    """What a source would be asked: about how many projects, the first of them by name.

    `perhaps` counts those about which it is asked only if others say what it needs. `left` is what
    its limits still allow, `costs` what it costs.
    """

    source: str
    projects: int
    perhaps: int
    names: tuple[str, ...]
    left: str
    costs: str


class Intended(Struct, frozen=True, kw_only=True):
    """What a refresh would ask of whom; nothing was asked for it but dry runs, which are free.

    `untold` are days of which that could not be found out, each with the reason.
    """

    index: str
    projects: int
    questions: tuple[Question, ...]
    days: tuple[Plan, ...] = ()
    untold: tuple[DayRow, ...] = ()
