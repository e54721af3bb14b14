"""Conditions on flags, the findings of the checks: `flag`, `any_flag`."""

from collections.abc import Callable

from indexgate_policy.flags import Flag
from indexgate_policy.rules.affected import canonical
from indexgate_policy.rules.conditions import severities, shapes
from indexgate_policy.rules.conditions.definition import Definition, Scope, Test, UsualTest
from indexgate_policy.rules.kleene import FAILS, Outcome, holds, unknown
from indexgate_policy.rules.known import Known
from indexgate_policy.rules.strict import Field, Fields
from indexgate_policy.rules.usual import Usual, named
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import File

EXPLAINED_FROM = 0.6
"""The share of a finding that events must account for to call it explained (science, section 3)."""

CHECKS = (
    "automation-only",
    "automation-shift",
    "clockwork",
    "dormant-release",
    "download-surge",
    "downloads-without-engagement",
    "drop-part",
    "drop-to-zero",
    "installer-mix-shift",
    "maintainer-change",
    "malware",
    "milestone-gap",
    "new-10k",
    "packaging-change",
    "phantom-name",
    "popular-here-only",
    "provenance-lost",
    "quarantined",
    "region-concentration",
    "region-shift",
    "release-burst",
    "repo-mismatch",
    "stale-majority",
    "star-inflation",
    "typosquat",
    "version-jump",
    "version-shift",
    "yanked",
)
"""The ids that formula fl-1 defines; a version of the program may compute only some of them."""

VOLUME = frozenset(
    [
        "automation-only",
        "automation-shift",
        "clockwork",
        "download-surge",
        "downloads-without-engagement",
        "drop-part",
        "drop-to-zero",
        "installer-mix-shift",
        "milestone-gap",
        "new-10k",
        "region-concentration",
        "region-shift",
        "stale-majority",
        "version-shift",
    ]
)
"""The checks that look at downloads alone: they never refuse alone (science fl-1, section 5.4)."""

_MODIFIERS = (
    f"{severities.VALUE}; `explained` is whether known events account for at least "
    f"{EXPLAINED_FROM:.0%} of it"
)


def _flag(field: Field) -> Test:
    fields = field.fields(("id", "severity", "explained"), f"`{field.key}`")
    wanted = fields.needed("id").some_of(CHECKS)
    matches = _modifiers(fields)

    def test(file: File, known: Known) -> Outcome:
        if isinstance(known.flags, Unknown):
            return unknown(known.flags.reason)
        found = [f for f in known.flags if f.check in wanted and matches(f) and _names(f, file)]
        return _said(found, file) if found else _not_found(wanted, known)

    return test


def _usual_flag(field: Field) -> UsualTest:
    fields = field.fields(("id", "severity", "explained"), f"`{field.key}`")
    wanted = fields.needed("id").some_of(CHECKS)
    matches = _modifiers(fields)

    def usual(file: File, known: Known) -> Usual:
        if isinstance(known.flags, Unknown):
            return Usual(outcome=unknown(known.flags.reason))
        found = [flag for flag in known.flags if flag.check in wanted and matches(flag)]
        return _usually(found, file, _not_found(wanted, known))

    return usual


def _not_found(wanted: frozenset[str], known: Known) -> Outcome:
    if not wanted.isdisjoint(known.failed):
        check = min(wanted.intersection(known.failed))
        return unknown(f"the check {check} failed: {known.failed[check]}")
    if not wanted.isdisjoint(known.unchecked):
        check = min(wanted.intersection(known.unchecked))
        return unknown(f"{check} could not be checked: {known.unchecked[check]}")
    return FAILS


def _any_flag(field: Field) -> Test:
    matches = _modifiers(field.fields(("severity", "explained"), f"`{field.key}`"))

    def test(file: File, known: Known) -> Outcome:
        if isinstance(known.flags, Unknown):
            return unknown(known.flags.reason)
        found = [flag for flag in known.flags if matches(flag) and _names(flag, file)]
        return _said(found, file) if found else _none_found(known)

    return test


def _usual_any_flag(field: Field) -> UsualTest:
    matches = _modifiers(field.fields(("severity", "explained"), f"`{field.key}`"))

    def usual(file: File, known: Known) -> Usual:
        if isinstance(known.flags, Unknown):
            return Usual(outcome=unknown(known.flags.reason))
        return _usually(list(filter(matches, known.flags)), file, _none_found(known))

    return usual


def _none_found(known: Known) -> Outcome:
    for check, reason in known.failed.items():
        return unknown(f"the check {check} failed: {reason}")
    return FAILS


def _modifiers(fields: Fields) -> Callable[[Flag], bool]:
    suffices = severities.read(fields["severity"]) if "severity" in fields else None
    explained = fields["explained"].switch() if "explained" in fields else None

    def matches(flag: Flag) -> bool:
        if suffices is not None and not suffices(flag.severity):
            return False
        return explained is None or (flag.explained >= EXPLAINED_FROM) is explained

    return matches


def _names(flag: Flag, file: File) -> bool:
    return not flag.versions or canonical(file.version) in map(canonical, flag.versions)


def _usually(found: list[Flag], file: File, else_: Outcome) -> Usual:
    """Say what *found* mean for the versions that none of them names."""
    if not found:
        return Usual(outcome=else_)
    of_all = [flag for flag in found if not flag.versions]
    texts = (text for flag in found for text in flag.versions)
    return Usual(outcome=_said(of_all, file) if of_all else else_, apart=named(texts))


def _said(found: list[Flag], file: File) -> Outcome:
    """Let the worst flag speak; when it ends another may, in other words."""
    worst = max(found, key=lambda flag: flag.severity)
    return holds(f"{file.project.name}: {worst.evidence} ({worst.check})", worst.ends)


_SHAPES = {"severity": shapes.SEVERITY, "explained": shapes.SWITCH}

FLAG = Definition(
    name="flag",
    scope=Scope.RELEASE,
    what=(
        "The project has one of these flags, with the modifiers given. A flag that concerns "
        "versions holds for these versions only."
    ),
    value=f"`id` is a check's id or a list of them; {_MODIFIERS}",
    example='{ id = ["typosquat"], severity = { at_least = "high" } }',
    unknown=(
        "nothing is known of the project yet, or a check of these could not be computed or lacked "
        "the facts that it needs"
    ),
    shape=shapes.table({"id": shapes.one_or_many(shapes.one_of(CHECKS)), **_SHAPES}, "id"),
    read=_flag,
    read_usual=_usual_flag,
)
ANY_FLAG = Definition(
    name="any_flag",
    scope=Scope.RELEASE,
    what=(
        "The project has any flag with these modifiers. Checks that lack the facts they need are "
        "passed over: some always do."
    ),
    value=_MODIFIERS,
    example='{ severity = { at_least = "medium" }, explained = false }',
    unknown="nothing is known of the project yet, or a check could not be computed",
    shape=shapes.table(_SHAPES),
    read=_any_flag,
    read_usual=_usual_any_flag,
)
