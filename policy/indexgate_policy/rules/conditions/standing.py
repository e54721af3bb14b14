"""Conditions on what upstream says: `status`, `yanked`, `kind`, `provenance`."""

from operator import attrgetter

from indexgate_policy.rules.conditions import shapes
from indexgate_policy.rules.conditions.definition import Definition, Scope, Test, UsualTest
from indexgate_policy.rules.kleene import FAILS, Outcome, holds, unknown
from indexgate_policy.rules.known import Known
from indexgate_policy.rules.strict import Field
from indexgate_policy.rules.usual import Usual
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import File

_HAS_YANKED = attrgetter("has_yanked")
STATUSES = ("active", "archived", "deprecated", "quarantined")
KINDS = ("wheel", "sdist", "other")


def _status(field: Field) -> Test:
    wanted = field.some_of(STATUSES)

    def test(file: File, known: Known) -> Outcome:
        project = file.project
        if project.status not in wanted:
            return FAILS
        reason = f" ({project.status_reason})" if project.status_reason else ""
        return holds(f"{project.name} is {project.status} upstream{reason}")

    return test


def _yanked(field: Field) -> Test:
    wanted = field.switch()

    def test(file: File, known: Known) -> Outcome:
        if (file.yanked is not False) is not wanted:
            return FAILS
        release = f"{file.project.name} {file.version}"
        if not wanted:
            return holds(f"{release} is not yanked")
        reason = f" ({file.yanked})" if isinstance(file.yanked, str) and file.yanked else ""
        return holds(f"{release} was yanked upstream{reason}")

    return test


def _usual_yanked(field: Field) -> UsualTest:
    wanted = field.switch()

    def usual(file: File, known: Known) -> Usual | None:
        # That a file is not yanked is usual, but is said in words that name its version.
        return Usual(outcome=FAILS, apart=(_HAS_YANKED,)) if wanted else None

    return usual


def _kind(field: Field) -> Test:
    wanted = field.some_of(KINDS)

    def test(file: File, known: Known) -> Outcome:
        if file.kind not in wanted:
            return FAILS
        kind = "neither a wheel nor an sdist" if file.kind == "other" else f"a {file.kind}"
        return holds(f"{file.filename} is {kind}".replace("a sdist", "an sdist"))

    return test


def _provenance(field: Field) -> Test:
    wanted = field.switch()

    def test(file: File, known: Known) -> Outcome:
        if isinstance(file.provenance, Unknown):
            return unknown(file.provenance.reason)
        if file.provenance is not wanted:
            return FAILS
        return holds(f"{file.filename} has {'an' if wanted else 'no'} attestation")

    return test


STATUS = Definition(
    name="status",
    scope=Scope.PROJECT,
    what="The project's status marker (PEP 792) is one of these.",
    value="one of " + ", ".join(f"`{status}`" for status in STATUSES) + ", or a list of them",
    example='["archived", "deprecated"]',
    shape=shapes.one_or_many(shapes.one_of(STATUSES)),
    read=_status,
)
YANKED = Definition(
    name="yanked",
    scope=Scope.FILE,
    what="Upstream yanked the file (PEP 592), or did not.",
    value="`true` or `false`",
    example="true",
    shape=shapes.SWITCH,
    read=_yanked,
    read_usual=_usual_yanked,
)
KIND = Definition(
    name="kind",
    scope=Scope.FILE,
    what="The file is a wheel, an sdist, or something older (`other`).",
    value="one of " + ", ".join(f"`{kind}`" for kind in KINDS) + ", or a list of them",
    example='"sdist"',
    singles_out=True,
    shape=shapes.one_or_many(shapes.one_of(KINDS)),
    read=_kind,
)
PROVENANCE = Definition(
    name="provenance",
    scope=Scope.FILE,
    what="The index offers attestations of the file (PEP 740), or does not.",
    value="`true` or `false`",
    example="false",
    unknown="the form in which the page was read cannot say it",
    shape=shapes.SWITCH,
    read=_provenance,
)
