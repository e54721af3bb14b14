"""The newest release is packed or linked unlike those before."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from indexgate_policy.assessment import Case
from indexgate_policy.checks import readings
from indexgate_policy.checks.definition import Definition
from indexgate_policy.checks.history import FRESH, with_news
from indexgate_policy.checks.repositories import are_related
from indexgate_policy.dated import Dated
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.health.wording import number
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Kind, Release

DEFINITION = Definition(
    id="packaging-change",
    short="The newest release is packed unlike those before",
    motivation=(
        "Who releases by a way that is not the project's own packs differently: without the "
        "wheels, from a source archive that runs code when it is installed, or with much more in it"
    ),
    computes=(
        "Whether the newest release has lost the wheels that the three before had, is eight times "
        "or a tenth of the size of the one before, or the repository link changed within 30 days; "
        "and whether a project's first release is a source archive alone, without a repository"
    ),
    source="Science fl-1; sizes after PEP 700",
    minimum_data=(
        "The upload times; two releases to compare, or one within 90 days; silent 30 days after. "
        "Which dependencies are new is not known from any index and is not computed"
    ),
    severity=(
        "Low for the size, a new source archive and a changed link; medium for lost wheels and for "
        "a link to a repository with neither the owner nor the name of the one before"
    ),
    known_false_alarms="A new build system, data moved into or out of the package, a moved project",
    remediation="Compare the files of the release with those of the one before",
)

NEW = timedelta(days=90)
BEFORE = 3  # releases that all had wheels make wheels the habit
LARGER, SMALLER = 8.0, 0.1
COMPARED: tuple[Kind, ...] = ("wheel", "sdist")


class _Finding(Struct, frozen=True, kw_only=True):
    severity: Severity
    text: str
    ends: datetime


def check(case: Case) -> Flag | Unknown | None:
    """Flag a newest release that is packed unlike the ones before."""
    dated = with_news(case)
    if isinstance(dated, Unknown):
        return dated
    found = [*(_of_release(case, dated) if dated else ()), *_of_link(case)]
    if not found:
        return None
    newest = dated[-1] if dated else None
    return Flag(
        check=DEFINITION.id,
        severity=max(one.severity for one in found),
        evidence=", ".join(one.text for one in found),
        facts={"findings": len(found)},
        versions=() if newest is None else (newest.release.version,),
        began=None if newest is None else newest.at,
        ends=max(one.ends for one in found),
    )


def _of_release(case: Case, dated: Sequence[Dated]) -> Iterator[_Finding]:
    newest, before = dated[-1], dated[:-1]
    ends = newest.at + FRESH
    if _has(newest.release, "sdist") and not _has(newest.release, "wheel"):
        said = f"{newest.release.version} is a source archive alone"
        if len(before) >= BEFORE and all(_has(one.release, "wheel") for one in before[-BEFORE:]):
            text = f"{said}, those before had wheels: installing it runs its code"
            yield _Finding(severity=Severity.MEDIUM, text=text, ends=ends)
        elif case.now < dated[0].at + NEW and readings.text(case, "repository") == "":
            text = f"{said} of a new project that links no repository"
            yield _Finding(severity=Severity.LOW, text=text, ends=min(ends, dated[0].at + NEW))
    if before:
        yield from _of_size(newest.release, before[-1].release, ends)


def _of_size(newest: Release, before: Release, ends: datetime) -> Iterator[_Finding]:
    for kind in COMPARED:
        now, then = _largest(newest, kind), _largest(before, kind)
        if not now or not then or SMALLER <= now / then <= LARGER:
            continue
        change = f"{number(now / then)} times" if now > then else f"{100 * now / then:.2g} % of"
        text = f"the {kind} of {newest.version} is {change} the size of that of {before.version}"
        yield _Finding(severity=Severity.LOW, text=text, ends=ends)
        return


def _of_link(case: Case) -> Iterator[_Finding]:
    changed = readings.day(case, "repository_changed_on")
    if isinstance(changed, Unknown) or case.now >= readings.start(changed) + FRESH:
        return
    now, before = readings.text(case, "repository"), readings.text(case, "repository_before")
    told, severity = "", Severity.LOW
    if isinstance(before, str) and isinstance(now, str) and before and now:
        told = f" from {before} to {now}"
        severity = Severity.LOW if are_related(before, now) else Severity.MEDIUM
    ends = readings.start(changed) + FRESH
    text = f"the repository link changed{told} on {changed}"
    yield _Finding(severity=severity, text=text, ends=ends)


def _has(release: Release, kind: Kind) -> bool:
    return any(file.kind == kind for file in release.files)


def _largest(release: Release, kind: Kind) -> int:
    """Return the size in bytes of the largest file of *kind*; 0 when none or one is not known."""
    sizes = [file.size for file in release.files if file.kind == kind]
    known = [size for size in sizes if not isinstance(size, Unknown)]
    return max(known, default=0) if len(known) == len(sizes) else 0
