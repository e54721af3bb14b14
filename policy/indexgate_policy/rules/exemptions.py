"""Exemptions: for which projects a rule is waived, why, on whose word, and until when."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from packaging.specifiers import SpecifierSet

from indexgate_policy.rules.conditions.names import read_globs, read_specifier
from indexgate_policy.rules.durations import after
from indexgate_policy.rules.strict import Field, shown, suggest
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import File

QUARANTINED = "quarantined"
GATE_FAULT = "gate-fault"
REMOVED_UPSTREAM = "removed-upstream"

BUILT_IN = {
    QUARANTINED: "the project is quarantined upstream (PEP 792); nothing can waive it",
    GATE_FAULT: "the gate failed while it judged the file; nothing can waive it",
    REMOVED_UPSTREAM: "the file is in the gate's cache and upstream no longer lists it; waivable",
}
"""The rules that hold under every policy, and what each says."""

_KEYS = ("project", "version", "rule", "reason", "owner", "expires")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """A rule waived: `projects` and `version` say for what, `ends` when it is over (exclusive)."""

    written: str
    projects: re.Pattern[str]
    version: SpecifierSet | None
    rules: frozenset[str]
    reason: str
    owner: str
    expires: date
    ends: datetime

    def covers(self, file: File) -> bool:
        """Tell whether it speaks of the version of *file*; one that is not PEP 440 never fits."""
        if not self.projects.fullmatch(file.project.name):
            return False
        if self.version is None:
            return True
        if isinstance(file.parsed, Unknown):
            return False
        return self.version.contains(file.parsed, prereleases=True)


def read(field: Field, rules: frozenset[str]) -> Exemption:
    """Return the exemption in the table *field*, where *rules* are the ids that exist.

    Raises PolicyError.
    """
    fields = field.fields(_KEYS, "an exemption")
    project = fields.needed("project")
    rule = fields.needed("rule")
    for name in rule.texts():
        if name in (QUARANTINED, GATE_FAULT):
            raise rule.error("not-waivable", f"`{name}` cannot be waived by an exemption")
        if name not in rules and name != REMOVED_UPSTREAM:
            hint = suggest(name, {*rules, REMOVED_UPSTREAM})
            raise rule.error("unknown-rule", f"there is no rule `{shown(name)}` to waive", hint)
    expires = _date(fields.needed("expires"))
    return Exemption(
        written=shown(", ".join(project.texts())),
        projects=read_globs(project),
        version=read_specifier(fields["version"]) if "version" in fields else None,
        rules=frozenset(rule.texts()),
        reason=fields.needed("reason").text(),
        owner=fields.needed("owner").text(),
        expires=expires,
        ends=after(datetime.combine(expires, time(0), UTC), timedelta(days=1)),
    )


def _date(field: Field) -> date:
    if isinstance(field.value, date) and not isinstance(field.value, datetime):
        return field.value
    raise field.error(
        "bad-date",
        f"`{field.key}` must be a date like `2027-01-31`",
        "write the day without quotes and without a time; it counts to its end in UTC",
    )
