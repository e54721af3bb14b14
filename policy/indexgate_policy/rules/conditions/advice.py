"""Conditions on advisories: `advisory`, `fixes_advisory`.

That an advisory names a version is a fact however old the feed is; that none does is one only while
the feed is fresh.
"""

from collections.abc import Callable

from indexgate_policy.advisories import Advisory
from indexgate_policy.rules.conditions import severities, shapes
from indexgate_policy.rules.conditions.definition import Definition, Scope, Test, UsualTest
from indexgate_policy.rules.kleene import FAILS, Outcome, holds, unknown
from indexgate_policy.rules.known import Known
from indexgate_policy.rules.strict import Field
from indexgate_policy.rules.usual import Usual
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import File, Release

KINDS = ("malware", "vulnerability")


def _meant(field: Field) -> Callable[[Advisory], bool]:
    """Read which advisories are meant; one of unknown severity may be."""
    if isinstance(field.value, str):
        kind: str | None = field.one_of(KINDS)
        ids: frozenset[str] = frozenset()
        suffices: severities.Suffices | None = None
    else:
        fields = field.fields(("id", "kind", "severity"), f"`{field.key}`")
        kind = fields["kind"].one_of(KINDS) if "kind" in fields else None
        ids = frozenset(fields["id"].texts()) if "id" in fields else frozenset()
        suffices = severities.read(fields["severity"]) if "severity" in fields else None

    def is_meant(record: Advisory) -> bool:
        if kind is not None and record.kind != kind:
            return False
        if ids and record.id not in ids and ids.isdisjoint(record.aliases):
            return False
        severity = record.severity
        return suffices is None or isinstance(severity, Unknown) or suffices(severity)

    return is_meant


def _advisory(field: Field) -> Test:
    is_meant = _meant(field)
    by_severity = isinstance(field.value, dict) and "severity" in field.value

    def test(file: File, known: Known) -> Outcome:
        doubt = None
        for record, answer in known.affected.by(file):
            if not is_meant(record):
                continue
            if by_severity and isinstance(record.severity, Unknown):
                doubt = doubt or f"the severity of {record.id} is unknown: {record.severity.reason}"
            elif answer is True:
                return holds(_said(file, record))
            else:
                doubt = doubt or (answer.reason if isinstance(answer, Unknown) else "")
        return unknown(doubt) if doubt else known.unlisted

    return test


def _usual_advisory(field: Field) -> UsualTest:
    """Read which advisories are meant: they concern the versions that they name."""
    is_meant = _meant(field)

    def usual(file: File, known: Known) -> Usual:
        affected = known.affected
        if not any(map(is_meant, affected.records)):
            return Usual(outcome=known.unlisted)

        def may_be_named(release: Release) -> bool:
            return any(is_meant(record) for record, _ in affected.by(release))

        return Usual(outcome=known.unlisted, apart=(may_be_named,))

    return usual


def _said(file: File, record: Advisory) -> str:
    release = f"{file.project.name} {file.version}"
    if record.kind == "malware":
        return f"{release} is reported as malware ({record.id})"
    level = "" if isinstance(record.severity, Unknown) else f"{record.severity.label} "
    return f"{release} has a known {level}vulnerability ({record.id}: {record.summary})"


def _fixes(field: Field) -> Test:
    wanted = field.switch()

    def test(file: File, known: Known) -> Outcome:
        record = known.affected.fixed_by(file)
        if record is not None:
            release = f"{file.project.name} {file.version}"
            return holds(f"{release} is the fix of {record.id}") if wanted else FAILS
        return _fixes_none(known, wanted=wanted)

    return test


def _usual_fixes(field: Field) -> UsualTest:
    wanted = field.switch()

    def usual(file: File, known: Known) -> Usual:
        affected = known.affected
        may_fix = (lambda release: affected.fixed_by(release) is not None,)
        return Usual(
            outcome=_fixes_none(known, wanted=wanted), apart=may_fix if affected.records else ()
        )

    return usual


def _fixes_none(known: Known, *, wanted: bool) -> Outcome:
    if wanted or known.unlisted.truth is None:
        return known.unlisted
    return holds("no advisory is fixed by this version", known.unlisted.until)


ADVISORY = Definition(
    name="advisory",
    scope=Scope.RELEASE,
    what="An advisory names the version.",
    value=(
        '`"malware"`, `"vulnerability"`, or a table: `kind` is one of these, `id` an id or alias '
        f"or a list of them, {severities.VALUE}"
    ),
    example='{ kind = "vulnerability", severity = { at_least = "high" } }',
    unknown=(
        "no advisory names the version and the feed is missing or older than `max_feed_age`, or "
        "only a version or severity that cannot be read could tell"
    ),
    shape={
        "anyOf": [
            shapes.one_of(KINDS),
            shapes.table(
                {
                    "id": shapes.TEXTS,
                    "kind": shapes.one_of(KINDS),
                    "severity": shapes.SEVERITY,
                }
            ),
        ]
    },
    read=_advisory,
    read_usual=_usual_advisory,
)
FIXES_ADVISORY = Definition(
    name="fixes_advisory",
    scope=Scope.RELEASE,
    what="The version is the one that an advisory names as the fix, or is not.",
    value="`true` or `false`",
    example="true",
    unknown="no advisory names it and the feed is missing or older than `max_feed_age`",
    shape=shapes.SWITCH,
    read=_fixes,
    read_usual=_usual_fixes,
)
