"""The facts of one project as the score reads them: typed, in days, each made once."""

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property

from msgspec import Struct
from packaging.utils import canonicalize_name

from indexgate_policy.advisories import Advisories
from indexgate_policy.assessment import Case
from indexgate_policy.health import releases
from indexgate_policy.health.engagement import confirmed
from indexgate_policy.health.finished import WIDELY_NEEDED, finished
from indexgate_policy.health.open_advisories import OpenAdvisories, open_advisories
from indexgate_policy.health.wording import count, number
from indexgate_policy.signals import Unknown, Value, unobserved
from indexgate_policy.subject import Release

ALIKE = 0.15
"""How far facts of a repository count (above neutral) that only its name ties to the project."""
PROJECTS_AN_OWNER = 10
"""Dependents for one owner, where only projects were counted: one account can publish them all."""

ON_TRUST = 10
"""So many dependents count without anybody who installs the project."""
INSTALLS_AN_OWNER, INSTALLS_A_PROJECT = 20, 2
"""People's installs in 30 days that stand behind each further owner or project that needs it.

Whoever installs a dependent installs the project too: of 55 projects that people know none has
under 40 an owner, or 10 for each project that reaches it. What nobody installs was published for
the count, or nobody uses it any more.
"""

MOST = 1e15
"""More than anything counted here: what is larger is an error, and no text could hold it."""

_DAY = timedelta(days=1)
_AFFIX = re.compile(r"^(?:python|py)-|-(?:python|py)$")


class Dependents(Struct, frozen=True, kw_only=True):
    """How many different owners need the project, and in words where that comes from."""

    owners: float
    evidence: str


class Facts:
    """The facts of `case` with the advisories that are open in its newest version.

    What is missing, or is not of the type that the table of signals gives it, is `Unknown`.
    """

    def __init__(self, case: Case, advisories: Advisories | Unknown) -> None:
        self.case = case
        self.now = case.now
        self._advisories = advisories
        self._signals = {signal.name: signal for signal in case.signals.values()}
        self._freshness: dict[datetime, float] = {}

    def number(self, name: str) -> float | Unknown:
        """Return the signal *name* as a number that is not negative."""
        value = self._value(name)
        if isinstance(value, Unknown):
            return value
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= MOST:
            return float(value)
        return Unknown(reason=f"{name} was given as something other than a number from 0 to 1e15")

    def share(self, name: str) -> float | Unknown:
        """Return the signal *name* as a share, at most 1."""
        value = self.number(name)
        return value if isinstance(value, Unknown) else min(1.0, value)

    def text(self, name: str) -> str | Unknown:
        """Return the signal *name* as text."""
        value = self._value(name)
        if isinstance(value, (str, Unknown)):
            return value
        return Unknown(reason=f"{name} was given as something other than text")

    def texts(self, name: str) -> tuple[str, ...] | Unknown:
        """Return the signal *name* as texts."""
        value = self._value(name)
        if isinstance(value, (tuple, Unknown)):
            return value
        return Unknown(reason=f"{name} was given as something other than a list of texts")

    def truth(self, name: str) -> bool | Unknown:
        """Return the signal *name* as true or false."""
        value = self._value(name)
        if isinstance(value, (bool, Unknown)):
            return value
        return Unknown(reason=f"{name} was given as something other than true or false")

    def moment(self, name: str) -> datetime | Unknown:
        """Return the start of the day that the signal *name* holds; a time within it is kept."""
        value = self.text(name)
        if isinstance(value, Unknown):
            return value
        try:
            if len(value) == len("2026-11-22"):
                return datetime.combine(date.fromisoformat(value), time(), UTC)
            moment = datetime.fromisoformat(value)
        except ValueError:
            return Unknown(reason=f"{name} was given as something other than a day")
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)

    def _value(self, name: str) -> Value | Unknown:
        signal = self._signals.get(name)
        return unobserved(name) if signal is None else signal.value

    @cached_property
    def counted_until(self) -> datetime | None:
        """The newest day of the log that signals on downloads are made from."""
        day = self.moment("downloads_until")
        return None if isinstance(day, Unknown) else day

    def days_since(self, moment: datetime) -> float:
        """Return the days from *moment* to now; 0 for one in the future."""
        return max(0.0, (self.now - moment) / _DAY)

    def freshness(self, names: tuple[str, ...], seen: datetime | None) -> float:
        """Return .5 ^ (age / 30 d) of the oldest known signal of *names*, or of *seen* if older."""
        oldest = seen
        for name in names:
            signal = self._signals.get(name)
            if signal is not None and not isinstance(signal.value, Unknown):
                at = signal.observed_at
                oldest = at if oldest is None or at < oldest else oldest
        if oldest is None:
            return 1.0
        known = self._freshness.get(oldest)
        if known is None:
            known = self._freshness[oldest] = 0.5 ** (self.days_since(oldest) / 30)
        return known

    @cached_property
    def first_release(self) -> datetime | Unknown:
        """When the first release was uploaded: by the page, the index's word, or the releases."""
        first = self.case.project.first_upload
        if not isinstance(first, Unknown):
            return first
        told = self.moment("first_release_at")
        if not isinstance(told, Unknown):
            return told
        dated = [each.released for each in self.case.releases]
        return min((at for at in dated if not isinstance(at, Unknown)), default=first)

    @cached_property
    def age(self) -> float | Unknown:
        """Days since the first release."""
        first = self.first_release
        return first if isinstance(first, Unknown) else self.days_since(first)

    @cached_property
    def kept(self) -> tuple[Release, ...]:
        """The releases that are not yanked."""
        return tuple(each for each in self.case.releases if not each.yanked)

    @cached_property
    def newest(self) -> Release | None:
        """The newest release, see `releases.newest`."""
        return releases.newest(self.kept, self.case.orders)

    @cached_property
    def rhythm(self) -> releases.Rhythm | Unknown:
        """When the project released, see `releases.rhythm`."""
        return releases.rhythm(self.kept, self._tags, self.now)

    @cached_property
    def advisories(self) -> OpenAdvisories | Unknown:
        """What is open in the newest version."""
        version = self.newest.version if self.newest is not None else None
        return open_advisories(version, self._advisories)

    @cached_property
    def dependents(self) -> Dependents | Unknown:
        """The owners of dependents; where nobody counted owners, a tenth of the projects.

        Only as many as people's installs bear out, see `installed_for`.
        """
        owners = self.number("dependent_owners")
        if not isinstance(owners, Unknown):
            return self._borne_out(owners, f"projects of {count(owners, 'different owner')}")
        projects = self.number("dependents")
        if isinstance(projects, Unknown):
            return owners
        assumed = projects / PROJECTS_AN_OWNER
        said = f"{count(projects, 'project')}; nobody counted their owners, taken as "
        return self._borne_out(assumed, said + count(assumed, "owner"))

    @cached_property
    def repositories(self) -> float | Unknown:
        """The repositories that need it, as many as people's installs bear out."""
        found = self.number("dependent_repositories")
        if isinstance(found, Unknown):
            return found
        return self.installed_for(found, INSTALLS_A_PROJECT)

    def _borne_out(self, owners: float, said: str) -> Dependents:
        if not owners:
            return Dependents(owners=owners, evidence="no other project needs it")
        counted = self.installed_for(owners, INSTALLS_AN_OWNER)
        few = f"; people install it too seldom for more than {number(round(counted))}"
        return Dependents(
            owners=counted, evidence=f"needed by {said}" + (few if counted < owners else "")
        )

    def installed_for(self, dependents: float, each: float) -> float:
        """Return as many of *dependents* as people's installs bear out, *each* so many for one.

        All of them where nobody knows how often people install it.
        """
        installs = self.number("human_installs_high")
        if isinstance(installs, Unknown):
            installs = self.number("human_installs")
        if isinstance(installs, Unknown):
            return dependents
        return min(dependents, ON_TRUST + installs / each)

    @cached_property
    def repository_share(self) -> float | Unknown:
        """How far facts of the claimed repository count: 1, `ALIKE`, 0, or unknown.

        A link alone proves nothing, anyone can name a famous repository. An attestation ties the
        two together, or the repository's own word, or that so many have needed it for a year with
        this link that a wrong one would have been seen. A repository called like the project is a
        hint: to have that, a false name needs a repository of its own. A link that was seen to
        change is none for a year: a name that has slept must not wake up with a famous one.
        """
        if self.truth("repository_proven") is True:
            return 1.0
        named = self.text("repository_names")
        if isinstance(named, str) and canonicalize_name(named) == self.case.project.name:
            return 1.0
        if self._is_known_to_many:
            return 1.0
        if isinstance(named, str) and named:
            return Unknown(reason=f"the repository says that it is `{named}`, not this project")
        link = self.text("repository")
        alike = isinstance(link, str) and self._is_called_alike(link)
        return ALIKE if alike and not self._is_link_new else 0.0

    def _is_called_alike(self, link: str) -> bool:
        """Tell whether *link* ends in the project's name, `python` before or after it allowed."""
        called = _bare(link.rstrip("/").removesuffix(".git").rpartition("/")[2])
        return bool(called) and called == _bare(self.case.project.name)

    @cached_property
    def finished(self) -> float | Unknown | None:
        """The least that release age counts for a finished library, see `finished`."""
        return finished(self)

    @cached_property
    def confirmed(self) -> float | Unknown:
        """What downloads may be worth at most, see `engagement.confirmed`."""
        return confirmed(self)

    @property
    def _tags(self) -> releases.Tags | Unknown:
        names = self.texts("tags")
        if isinstance(names, Unknown):
            return names
        return releases.Tags(names=names, seen=self._signals["tags"].observed_at)

    @property
    def _is_link_new(self) -> bool:
        changed = self.moment("repository_changed_on")
        return not isinstance(changed, Unknown) and self.days_since(changed) <= 365

    @property
    def _is_known_to_many(self) -> bool:
        first, changed = self.first_release, self.moment("repository_changed_on")
        if isinstance(first, Unknown) or isinstance(self.dependents, Unknown):
            return False
        linked = first if isinstance(changed, Unknown) else max(first, changed)
        return self.days_since(linked) > 365 and self.dependents.owners >= WIDELY_NEEDED


def _bare(name: str) -> str:
    return _AFFIX.sub("", canonicalize_name(name))
