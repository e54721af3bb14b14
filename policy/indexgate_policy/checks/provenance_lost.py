"""Releases used to say by attestations where they come from, and the newest does not."""

from collections.abc import Sequence

from indexgate_policy.assessment import Case
from indexgate_policy.checks import readings
from indexgate_policy.checks.definition import Definition
from indexgate_policy.checks.history import FRESH, is_attested, with_news
from indexgate_policy.checks.newcomers import named, newcomers
from indexgate_policy.checks.repositories import are_related, are_same
from indexgate_policy.dated import Dated
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.signals import Unknown

DEFINITION = Definition(
    id="provenance-lost",
    short="The newest release has lost its attestations, or they name another repository",
    motivation=(
        "Attestations prove which repository's build made a file. Who stole an upload token can "
        "upload, but cannot make them: a project that always had them and then has not is how "
        "several take-overs looked from outside"
    ),
    computes=(
        "Whether the two releases or more before the newest, by upload, carried attestations and "
        "the newest has none; and whether the repository that they name has changed"
    ),
    source="PEP 740; science fl-1",
    minimum_data="Three releases with upload times on an index that tells attestations; 30 days",
    severity=(
        "Medium; high with an owner who came in the 45 days before, and for another repository "
        "that shares neither owner nor name"
    ),
    known_false_alarms="A broken or changed build; a release by hand; a renamed repository",
    remediation="Stay with the release before until the maintainers say why",
)

IN_A_ROW = 2


def check(case: Case) -> Flag | Unknown | None:
    """Flag a newest release that cannot say any more where it comes from."""
    dated = with_news(case)
    if dated is None or isinstance(dated, Unknown):
        return dated
    if len(dated) <= IN_A_ROW:
        return None
    newest = dated[-1]
    attested = is_attested(newest.release)
    if isinstance(attested, Unknown):
        return attested
    found = _elsewhere(case) if attested else _lost(case, dated)
    if found is None:
        return None
    severity, evidence = found
    return Flag(
        check=DEFINITION.id,
        severity=severity,
        evidence=evidence,
        facts={"lost": not attested, "attested_in_a_row_before": _in_a_row(dated)},
        versions=(newest.release.version,),
        began=newest.at,
        ends=newest.at + FRESH,
    )


def _lost(case: Case, dated: Sequence[Dated]) -> tuple[Severity, str] | None:
    count, newest = _in_a_row(dated), dated[-1]
    if count < IN_A_ROW:
        return None
    text = (
        f"{newest.release.version} of {newest.at.date()} has no attestations, the {count} releases "
        "before had"
    )
    new = newcomers(case, newest.at)
    if isinstance(new, Unknown) or not new:
        return Severity.MEDIUM, text
    return Severity.HIGH, f"{text}, and {named(new)} had become an owner shortly before"


def _in_a_row(dated: Sequence[Dated]) -> int:
    count = 0
    for one in reversed(dated[:-1]):
        if is_attested(one.release) is not True:
            break
        count += 1
    return count


def _elsewhere(case: Case) -> tuple[Severity, str] | None:
    now = readings.text(case, "attested_repository")
    before = readings.text(case, "attested_repository_before")
    if isinstance(now, Unknown) or isinstance(before, Unknown) or not now or not before:
        return None
    moved = readings.text(case, "repository_moved_to")
    if are_same(now, before) or (isinstance(moved, str) and moved and are_same(now, moved)):
        return None
    severity = Severity.MEDIUM if are_related(now, before) else Severity.HIGH
    return severity, f"its attestations name {now}, before they named {before}"
