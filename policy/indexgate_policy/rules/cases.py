"""Cases: facts and the verdict that a policy is meant to give on them, written beside the policy.

A case tells only what matters; all else is an old, ordinary release of a project of which all is
known and nothing is wrong. Times are ages before the moment at which the cases are judged.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from msgspec import Struct
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from indexgate_policy.advisories import Advisories, Advisory, Range
from indexgate_policy.assessment import Assessment
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.health.result import HealthScore, grade
from indexgate_policy.rules import document
from indexgate_policy.rules.conditions import asker, findings, severities, standing
from indexgate_policy.rules.document_text import read_toml
from indexgate_policy.rules.judge import judge
from indexgate_policy.rules.positions import Position
from indexgate_policy.rules.strict import Field, Fields, shown, tables
from indexgate_policy.rules.verdict import Action, Verdict
from indexgate_policy.signals import Signal, Unknown, Value
from indexgate_policy.subject import Client, File, Project

KEYS = {
    "name": "what the case shows, one sentence",
    "expect": "`allow`, `warn` or `refuse`",
    "rule": "id of the rule that decides (optional)",
    "warnings": "ids of all rules that warn, in order (optional)",
    "project": 'project name, `"demo"`',
    "version": '`"1.0"`',
    "file": "file name (made from project, version and kind)",
    "kind": '`"wheel"`, `"sdist"` or `"other"`, `"wheel"`',
    "release_age": 'age of the version or `"unknown"`, `"400d"`',
    "file_age": "age of the file, that of the version",
    "project_age": 'age of the project, `"1000d"`',
    "first_seen": 'time since the gate was first asked for it, `"1000d"`',
    "status": 'PEP 792 status, `"active"`',
    "yanked": "`true`, `false` or the reason, `false`",
    "provenance": '`true`, `false` or `"unknown"`, `false`',
    "releases": "number of releases, `20`",
    "flags": "tables with `id`, `severity`, `evidence`, `explained`, `versions`, `imitates`; none",
    "advisories": "tables with `id`, `kind`, `severity`, `versions`, `introduced`, `fixed`; none",
    "feed_age": 'age of the advisory feed or `"unknown"`, `"1h"`',
    "assessment": '`"unknown"`: nothing is known of the project yet',
    "health": 'health score, 0 to 100, or `"unknown"`; unknown',
    "confidence": "confidence of the health score, 0 to 1, `1`",
    "signals": "a table of stored signals; none",
    "client": "a table with `kind`, `family`, `team`",
}
"""The keys of a case: what each says, and after the last comma what stands when it is left out."""

_FLAG = ("id", "severity", "evidence", "explained", "versions", "imitates")
_ADVISORY = ("id", "kind", "severity", "versions", "introduced", "fixed")
_SEEN = timedelta(days=1000)


class Expected(Struct, frozen=True, kw_only=True):
    """What a case expects: an action and, where it says so, the rule and all that warn."""

    action: Action
    rule: str | None = None
    warnings: tuple[str, ...] | None = None

    def __str__(self) -> str:
        return _told(self.action, self.rule, self.warnings)

    def difference(self, verdict: Verdict) -> str:
        """Say how *verdict* differs; empty when it does not."""
        found = []
        if verdict.action is not self.action:
            found.append(f"expected {self.action}, got {verdict.action}")
        if self.rule is not None and self.rule != verdict.rule:
            found.append(f"expected the rule {self.rule}, got {verdict.rule or 'none'}")
        got = warning_rules(verdict)
        if self.warnings is not None and self.warnings != got:
            found.append(f"expected the warnings {list(self.warnings)}, got {list(got)}")
        return "; ".join(found)


class Result(Struct, frozen=True, kw_only=True):
    """What became of one case: `difference` says how the verdict differs; empty when it passed.

    `position` is where the case begins in its document.
    """

    name: str
    expected: Expected
    verdict: Verdict
    difference: str
    position: Position | None

    @property
    def passed(self) -> bool:
        """Whether the policy said what the case expects."""
        return not self.difference

    @property
    def got(self) -> str:
        """The verdict in the words in which `expected` is told."""
        return _told(self.verdict.action, self.verdict.rule, warning_rules(self.verdict))


def run(
    policy_text: bytes | str,
    cases_text: bytes | str,
    *,
    now: datetime,
    source: str = "policy.toml",
    cases_source: str = "cases.toml",
) -> tuple[Result, ...]:
    """Judge every case under the policy at *now*. Raises PolicyError for either document."""
    policy = document.parse(policy_text, source=source, now=now)
    root = read_toml(cases_text, cases_source)
    if not root.value:
        raise root.error("missing-key", "`case` is missing from a file of cases")
    cases = root.fields(("case",), "a file of cases").needed("case")
    return tuple(_run(case, policy, now) for case in tables(cases, "name"))


def warning_rules(verdict: Verdict) -> tuple[str, ...]:
    """Return the ids of the rules that warn, in order."""
    return tuple(warned.rule for warned in verdict.warnings)


def unshown(policy: document.Policy, results: Iterable[Result]) -> tuple[str, ...]:
    """Return the ids of the rules of *policy* that speak in none of *results*, in order."""
    spoken = {
        rule for each in results for rule in (each.verdict.rule, *warning_rules(each.verdict))
    }
    return tuple(rule.id for rule in policy.rules if rule.id not in spoken)


def _run(table: Field, policy: document.Policy, now: datetime) -> Result:
    fields = table.fields(tuple(KEYS), "a case")
    expected = Expected(
        action=Action(fields.needed("expect").one_of([action.value for action in Action])),
        rule=fields["rule"].text() if "rule" in fields else None,
        warnings=_names(fields["warnings"]) if "warnings" in fields else None,
    )
    file = _file(fields, table, now)
    verdict = judge(file, _assessment(fields, file, now), policy, _client(fields), now)
    return Result(
        name=fields.needed("name").text(),
        expected=expected,
        verdict=verdict,
        difference=expected.difference(verdict),
        position=table.place.position(""),
    )


def _told(action: Action, rule: str | None, warnings: tuple[str, ...] | None) -> str:
    by = f" by `{rule}`" if rule else ""
    if warnings is None or (not warnings and action is not Action.ALLOW):
        return f"{action}{by}"
    told = ", ".join(f"`{name}`" for name in warnings)
    if action is Action.WARN:
        return f"{action} by {told}"
    return f"{action}{by}, with warnings by {told}" if told else f"{action} without warnings"


def _names(field: Field) -> tuple[str, ...]:
    return () if field.value == [] else field.texts()


def _file(fields: Fields, table: Field, now: datetime) -> File:
    name = canonicalize_name(fields["project"].text() if "project" in fields else "demo")
    version = fields["version"].text() if "version" in fields else "1.0"
    kind = fields["kind"].one_of(standing.KINDS) if "kind" in fields else "wheel"
    released = _since(fields, "release_age", now - timedelta(days=400), now)
    project = Project(
        name=name,
        index_id="case",
        public=True,
        status=fields["status"].one_of(standing.STATUSES) if "status" in fields else "active",
        first_upload=_since(fields, "project_age", now - _SEEN, now),
        first_seen=_since(fields, "first_seen", now - _SEEN, now),
        releases=int(fields["releases"].number()) if "releases" in fields else 20,
    )
    yanked = fields["yanked"].value if "yanked" in fields else False
    if not isinstance(yanked, bool | str):
        raise fields["yanked"].wrong("true, false or a text")
    endings = {"wheel": "-py3-none-any.whl", "sdist": ".tar.gz", "other": ".egg"}
    made = f"{name.replace('-', '_')}-{version}{endings[kind]}"
    return File(
        project=project,
        filename=fields["file"].text() if "file" in fields else made,
        kind="sdist" if kind == "sdist" else "wheel" if kind == "wheel" else "other",
        version=version,
        parsed=_version(version),
        uploaded=_since(fields, "file_age", released, now),
        released=released,
        yanked=yanked,
        provenance=_provenance(fields),
    )


def _version(text: str) -> Version | Unknown:
    try:
        return Version(text)
    except InvalidVersion:
        return Unknown(reason=f"{text} is not a PEP 440 version")


def _since(
    fields: Fields, key: str, usual: datetime | Unknown, now: datetime
) -> datetime | Unknown:
    if key not in fields:
        return usual
    if fields[key].value == "unknown":
        return Unknown(reason=f"the case leaves {key} unknown")
    return now - fields[key].duration()


def _provenance(fields: Fields) -> bool | Unknown:
    if "provenance" not in fields:
        return False
    if fields["provenance"].value == "unknown":
        return Unknown(reason="the case leaves provenance unknown")
    return fields["provenance"].switch()


def _assessment(fields: Fields, file: File, now: datetime) -> Assessment | Unknown:
    if "assessment" in fields:
        fields["assessment"].one_of(("unknown",))
        return Unknown(reason="nothing is known of the project yet")
    flags = fields["flags"].items("a list of tables") if "flags" in fields else ()
    advisories = fields["advisories"].items("a list of tables") if "advisories" in fields else ()
    return Assessment(
        index_id="case",
        project=file.project.name,
        formula="case",
        inputs=tuple(_signals(fields, now)),
        flags=tuple(_flag(flag, file) for flag in flags),
        score=_score(fields),
        assessed_at=now,
        valid_until=now + timedelta(days=1),
        advisories=Advisories(
            records=tuple(_advisory(advisory) for advisory in advisories),
            feed=_since(fields, "feed_age", now - timedelta(hours=1), now),
        ),
    )


def _score(fields: Fields) -> HealthScore | Unknown:
    if "health" not in fields or fields["health"].value == "unknown":
        return Unknown(reason="the project has not been scored yet")
    value = fields["health"].number()
    return HealthScore(
        formula="case",
        value=value,
        uncapped=value,
        confidence=fields["confidence"].number() if "confidence" in fields else 1.0,
        grade=grade(value),
        lines=(),
    )


def _flag(table: Field, file: File) -> Flag:
    fields = table.fields(_FLAG, "a flag")
    name = fields.needed("id").one_of(findings.CHECKS)
    facts = {"imitates": fields["imitates"].text()} if "imitates" in fields else {}
    return Flag(
        check=name,
        severity=Severity.named(fields.needed("severity").one_of(severities.NAMES)),
        evidence=fields["evidence"].text() if "evidence" in fields else f"the case says {name}",
        facts=facts,
        versions=fields["versions"].texts() if "versions" in fields else (),
        explained=fields["explained"].number() if "explained" in fields else 0.0,
    )


def _advisory(table: Field) -> Advisory:
    fields = table.fields(_ADVISORY, "an advisory")
    level = fields["severity"].one_of(severities.NAMES) if "severity" in fields else ""
    fixed = fields["fixed"].text() if "fixed" in fields else None
    introduced = fields["introduced"].text() if "introduced" in fields else "0"
    spans = fixed is not None or "introduced" in fields or "versions" not in fields
    return Advisory(
        id=fields["id"].text() if "id" in fields else "CASE-1",
        kind="malware" if _is_malware(fields) else "vulnerability",
        severity=Severity.named(level) if level else Unknown(reason="the case leaves it unknown"),
        summary="as the case says",
        versions=fields["versions"].texts() if "versions" in fields else (),
        ranges=(Range(introduced=introduced, fixed=fixed),) if spans else (),
    )


def _is_malware(fields: Fields) -> bool:
    return fields.needed("kind").one_of(("malware", "vulnerability")) == "malware"


def _signals(fields: Fields, now: datetime) -> Iterator[Signal]:
    if "signals" not in fields:
        return
    for name, value in fields["signals"].table().items():
        item = Field(key=f"signals.{shown(name)}", value=value, place=fields["signals"].place)
        yield Signal(name=name, value=_value(item), source="case", observed_at=now)


def _value(field: Field) -> Value:
    if isinstance(field.value, list):
        return tuple(item.text() for item in field.items("a list of texts"))
    return field.value if isinstance(field.value, bool | str) else field.number()


def _client(fields: Fields) -> Client:
    if "client" not in fields:
        return Client()
    told = fields["client"].fields(("kind", "family", "team"), "a client")
    kind = told["kind"].one_of(asker.KINDS) if "kind" in told else ""
    usual = Client()
    return Client(
        family=told["family"].text() if "family" in told else usual.family,
        kind="ci" if kind == "ci" else "person" if kind == "person" else usual.kind,
        team=told["team"].text() if "team" in told else usual.team,
    )
