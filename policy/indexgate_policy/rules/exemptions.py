"""Exemptions: for which projects a rule is waived, why, on whose word, and until when.

A `[[grandfather]]` is an exemption too: of the very versions that were in use when a rule came, so
that they are warned of for a while before they are refused. It never waives a refusal for malware.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

from msgspec import Struct
from msgspec.structs import replace
from packaging.specifiers import SpecifierSet
from packaging.utils import InvalidName, NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from indexgate_policy.rules.conditions.names import read_globs, read_specifier
from indexgate_policy.rules.durations import after
from indexgate_policy.rules.strict import Field, Fields, shown, suggest
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Client, File

QUARANTINED = "quarantined"
GATE_FAULT = "gate-fault"
REMOVED_UPSTREAM = "removed-upstream"

BUILT_IN = {
    QUARANTINED: "the project is quarantined upstream (PEP 792); nothing can waive it",
    GATE_FAULT: "the gate failed while it judged the file; nothing can waive it",
    REMOVED_UPSTREAM: "the file is in the gate's cache and upstream no longer lists it; waivable",
}
"""The rules that hold under every policy, and what each says."""

NOT_WAIVABLE = frozenset({QUARANTINED, GATE_FAULT})

BREAK_GLASS = "break-glass"

_SHARED = ("rule", "team", "reason", "owner", "expires", "granted", "id")
_KEYS = ("project", "version", *_SHARED)
_GRANDFATHER_KEYS = ("packages", *_SHARED)
_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")


class Exemption(Struct, frozen=True, kw_only=True):
    """A rule waived: `projects`, `version` and `packages` say for what, `ends` when it is over.

    `ends` is exclusive: the moment from which it waives nothing. `granted` is the day on which it
    was granted, where that is known. `packages`, if there are any, are the only names and versions
    it speaks of. One that `spares_malware` waives no refusal of a version that is called malware
    (`malware.is_malware`). One with a `team` holds for clients of that team alone. `word` is how
    its warnings begin; one for a run says nothing of a day.
    """

    id: str
    written: str
    projects: re.Pattern[str]
    version: SpecifierSet | None
    rules: frozenset[str]
    team: str | None = None
    reason: str
    owner: str
    expires: date
    ends: datetime
    granted: date | None = None
    packages: frozenset[tuple[str, Version]] | None = None
    spares_malware: bool = False
    word: str = "waived"

    def covers(self, file: File) -> bool:
        """Tell whether it speaks of the version of *file*; one that is not PEP 440 never fits."""
        if not self.projects.fullmatch(file.project.name):
            return False
        if self.packages is not None:
            return (file.project.name, file.parsed) in self.packages
        if self.version is None:
            return True
        if isinstance(file.parsed, Unknown):
            return False
        return self.version.contains(file.parsed, prereleases=True)

    def serves(self, client: Client) -> bool:
        """Tell whether it holds for *client*: who is of no known team is not of its team."""
        return self.team is None or client.team == self.team

    @property
    def names_one(self) -> NormalizedName | None:
        """The one project it speaks of, None where it speaks of several or of a pattern."""
        name = self.written
        if self.packages is not None or re.search(r"[*?\[, ]", name):
            return None
        return canonicalize_name(name)

    @property
    def said(self) -> str:
        """What it says of itself where it waives: until when, on whose word, and why."""
        until = "" if self.word == BREAK_GLASS else f" until the end of {self.expires}"
        team = "" if self.team is None else f" for the team {self.team}"
        return f"{self.word}{team}{until} by {self.owner} ({self.reason})"

    def capped(self, longest: timedelta | None) -> "Exemption":
        """Return it ending at the latest *longest* after the day on which it was granted."""
        if longest is None or self.granted is None:
            return self
        last = after(_day(self.granted), longest)
        if self.ends <= last + _ONE_DAY:
            return self
        return replace(self, expires=last.date(), ends=_end_of(last.date()))


_ONE_DAY = timedelta(days=1)


def read(field: Field, rules: frozenset[str] | None) -> Exemption:
    """Return the exemption in the table *field*, where *rules* are the ids that exist.

    Without *rules* any id will do: those that are granted outlive edits of the policy. Raises
    PolicyError.
    """
    fields = field.fields(_KEYS, "an exemption")
    project = fields.needed("project")
    named = _rules(fields.needed("rule"), rules)
    expires = _date(fields.needed("expires"))
    return Exemption(
        id=_id(fields, field),
        written=shown(", ".join(project.texts())),
        projects=read_globs(project),
        version=read_specifier(fields["version"]) if "version" in fields else None,
        rules=named,
        team=_team(fields),
        reason=fields.needed("reason").text(),
        owner=fields.needed("owner").text(),
        expires=expires,
        ends=_end_of(expires),
        granted=_date(fields["granted"]) if "granted" in fields else None,
    )


def read_grandfather(field: Field, rules: frozenset[str] | None) -> Exemption:
    """Return what the table *field* of a `[[grandfather]]` exempts; see `read`."""
    fields = field.fields(_GRANDFATHER_KEYS, "a grandfather")
    packages = [_package(item) for item in fields.needed("packages").items("a list of packages")]
    named = _rules(fields.needed("rule"), rules)
    expires = _date(fields.needed("expires"))
    names = sorted({name for name, _ in packages})
    return Exemption(
        id=_id(fields, field),
        written=f"{len(packages)} packages" if len(packages) > 1 else names[0],
        projects=re.compile("|".join(re.escape(name) for name in names)),
        version=None,
        rules=named,
        team=_team(fields),
        reason=fields.needed("reason").text(),
        owner=fields.needed("owner").text(),
        expires=expires,
        ends=_end_of(expires),
        granted=_date(fields["granted"]) if "granted" in fields else None,
        packages=frozenset(packages),
        spares_malware=True,
        word="grandfathered",
    )


def _rules(rule: Field, known: frozenset[str] | None) -> frozenset[str]:
    for name in rule.texts():
        if name in NOT_WAIVABLE:
            raise rule.error("not-waivable", f"`{name}` cannot be waived by an exemption")
        if known is not None and name not in known and name != REMOVED_UPSTREAM:
            hint = suggest(name, {*known, REMOVED_UPSTREAM})
            raise rule.error("unknown-rule", f"there is no rule `{shown(name)}` to waive", hint)
    return frozenset(rule.texts())


def _team(fields: Fields) -> str | None:
    return fields["team"].text() if "team" in fields else None


def id_of(table: Mapping[str, object]) -> str:
    """Return the id that the *table* of an exemption gives, else one made from what it says."""
    if "id" in table:
        return str(table["id"])
    said = json.dumps(table, default=str, sort_keys=True)
    return f"x-{hashlib.sha256(said.encode()).hexdigest()[:8]}"


def _id(fields: Fields, table: Field) -> str:
    if "id" not in fields:
        return id_of(table.table())
    given = fields["id"]
    if not _ID.fullmatch(given.text()):
        what = f"`{shown(given.value)}` is not an id of an exemption"
        raise given.error("bad-id", what, "use lower-case letters, digits and `-`, at most 64")
    return given.text()


def _package(item: Field) -> tuple[str, Version]:
    """Return name and version of a text like `demo==2.0`."""
    name, _, version = item.text().partition("==")
    try:
        return canonicalize_name(name.strip(), validate=True), Version(version)
    except (InvalidName, InvalidVersion):
        raise item.error(
            "bad-package",
            f"`{shown(item.value)}` of `{item.key}` is not a package with its version",
            "write one like `demo==2.0`",
        ) from None


def _date(field: Field) -> date:
    if isinstance(field.value, date) and not isinstance(field.value, datetime):
        return field.value
    raise field.error(
        "bad-date",
        f"`{field.key}` must be a date like `2027-01-31`",
        "write the day without quotes and without a time; it counts to its end in UTC",
    )


def _day(day: date) -> datetime:
    return datetime.combine(day, time(0), UTC)


def _end_of(day: date) -> datetime:
    return after(_day(day), _ONE_DAY)
