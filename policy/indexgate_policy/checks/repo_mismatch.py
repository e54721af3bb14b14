"""The linked source repository is not, or not visibly, the project's own."""

from collections.abc import Iterator

from packaging.utils import canonicalize_name

from indexgate_policy.assessment import Case
from indexgate_policy.checks import readings
from indexgate_policy.checks.definition import Definition
from indexgate_policy.checks.history import with_news
from indexgate_policy.checks.repositories import are_related, are_same
from indexgate_policy.checks.tags import is_untagged
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.signals import Unknown

DEFINITION = Definition(
    id="repo-mismatch",
    short="The linked repository does not match the project",
    motivation=(
        "Anybody can link a famous repository and borrow its stars; and a release that the "
        "repository does not know did not come from it"
    ),
    computes=(
        "Whether the linked repository says that it is another project, whether attestations name "
        "another repository than the link, and whether the newest release has no tag though those "
        "before it have"
    ),
    source="Science fl-1; attestations after PEP 740",
    minimum_data=(
        "A repository link, and what the repository or an attestation says; tags that were looked "
        "at six hours after the release or later"
    ),
    severity=(
        "High for another project's repository, medium when both have one owner or name or the "
        "project is among the most downloaded itself, and for a release without its tag in its "
        "first 30 days"
    ),
    known_false_alarms="Several projects in one repository; a move; tags that are pushed late",
    remediation="Open the repository and look for the version before you trust its stars",
)

_Finding = tuple[Severity, str, tuple[str, ...]]


def check(case: Case) -> Flag | Unknown | None:
    """Flag a project that links what is not its own."""
    link = readings.text(case, "repository")
    if isinstance(link, Unknown):
        return link
    if not link:
        return None
    found = [*_says_another(case, link), *_attested_elsewhere(case, link), *_untagged(case)]
    if not found:
        return _wanting(case)
    concerned = {versions for _, _, versions in found}
    return Flag(
        check=DEFINITION.id,
        severity=max(severity for severity, _, _ in found),
        evidence=", ".join(text for _, text, _ in found),
        facts={"repository": link},
        versions=() if () in concerned else concerned.pop(),
    )


def _wanting(case: Case) -> Unknown | None:
    """Return why nothing could be compared, if nothing could."""
    told = [readings.text(case, name) for name in ("repository_names", "attested_repository")]
    tags = readings.texts(case, "tags")
    unknown = [one for one in (*told, tags) if isinstance(one, Unknown)]
    return unknown[0] if len(unknown) == 1 + len(told) else None


def _says_another(case: Case, link: str) -> Iterator[_Finding]:
    named = readings.text(case, "repository_names")
    if isinstance(named, Unknown) or not named or case.signals.value("repository_proven") is True:
        return
    other = canonicalize_name(named)
    if other == case.project.name or _is_same_owner(case, other):
        return
    known = case.context.popular.rank(case.project.name) is not None
    severity = Severity.MEDIUM if known else Severity.HIGH  # it need not borrow another's stars
    yield severity, f"the linked repository {link} says that it is `{other}`", ()


def _is_same_owner(case: Case, other: str) -> bool:
    owners = readings.texts(case, "owners")
    return not isinstance(owners, Unknown) and not case.context.owners_of.get(
        other, frozenset()
    ).isdisjoint(owners)


def _attested_elsewhere(case: Case, link: str) -> Iterator[_Finding]:
    attested = readings.text(case, "attested_repository")
    if isinstance(attested, Unknown) or not attested or are_same(attested, link):
        return
    moved = readings.text(case, "repository_moved_to")
    if isinstance(moved, str) and moved and are_same(attested, moved):
        return
    severity = Severity.MEDIUM if are_related(attested, link) else Severity.HIGH
    yield severity, f"its attestations name {attested}, it links {link}", ()


def _untagged(case: Case) -> Iterator[_Finding]:
    dated = with_news(case)
    if dated is None or isinstance(dated, Unknown):
        return
    if is_untagged(case, dated) is True:
        newest = dated[-1]
        text = f"{newest.release.version} of {newest.at.date()} has no tag in its repository"
        yield Severity.MEDIUM, f"{text}, those before have", (newest.release.version,)
