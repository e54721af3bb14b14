"""A release after long silence."""

from datetime import timedelta
from itertools import pairwise

from indexgate_policy.assessment import Case
from indexgate_policy.checks.definition import Definition
from indexgate_policy.checks.history import history
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Release, age

DEFINITION = Definition(
    id="dormant-release",
    short="A release after at least a year of silence",
    motivation=(
        "An account that nobody watches any more is worth taking over: the first release after "
        "years of silence is how many take-overs began"
    ),
    computes=(
        "The gap before the newest release, against the project's longest gap before; and whether "
        "attestations that the release before had are missing"
    ),
    source="Science fl-1; attestations after PEP 740",
    minimum_data="Two releases, the upload times of all; silent 30 days after the release",
    severity=(
        "Low when the gap is below 1.5 times the longest one before, else medium; one higher when "
        "attestations were lost"
    ),
    known_false_alarms="Finished libraries that release every few years",
    remediation="Read what changed since the release before, or stay with that one for a month",
)

SILENCE = timedelta(days=365)
FRESH = timedelta(days=30)  # by then people would have noticed
USUAL = 1.5


def check(case: Case) -> Flag | None:
    """Flag a newest release that broke a long silence a short while ago."""
    dated = history(case.releases)
    if isinstance(dated, Unknown) or len(dated) < 2:
        return None
    before, newest = dated[-2], dated[-1]
    gap, since = newest.at - before.at, age(newest.at, case.now)
    if isinstance(since, Unknown) or gap < SILENCE or since >= FRESH:
        return None
    gaps = (later.at - earlier.at for earlier, later in pairwise(dated[:-1]))
    longest = max(gaps, default=timedelta(0))
    severity = Severity.LOW if gap < USUAL * longest else Severity.MEDIUM
    lost = _attested(before.release) and not _attested(newest.release)
    evidence = (
        f"{newest.release.version} of {newest.at.date()} is the first release since "
        f"{before.release.version} of {before.at.date()}"
    )
    return Flag(
        check=DEFINITION.id,
        severity=Severity(severity + lost),
        evidence=f"{evidence}, and has lost its attestations" if lost else evidence,
        facts={
            "silent_days": gap.days,
            "longest_silence_before_days": longest.days,
            "attestations_lost": lost,
        },
        versions=(newest.release.version,),
        began=newest.at,
        ends=newest.at + FRESH,
    )


def _attested(release: Release) -> bool:
    return any(file.provenance is True for file in release.files)
