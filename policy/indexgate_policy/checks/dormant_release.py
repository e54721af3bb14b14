"""A release after long silence."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise

from indexgate_policy.assessment import Case
from indexgate_policy.checks.definition import Definition
from indexgate_policy.checks.history import FRESH, is_attested, with_news
from indexgate_policy.checks.newcomers import named, newcomers
from indexgate_policy.checks.tags import is_untagged
from indexgate_policy.dated import Dated
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.signals import Unknown

DEFINITION = Definition(
    id="dormant-release",
    short="A release after at least a year of silence",
    motivation=(
        "An account that nobody watches any more is worth taking over: the first release after "
        "years of silence is how many take-overs began"
    ),
    computes=(
        "The gap before the newest release, against the project's longest gap before; and three "
        "signs: attestations that the release before had are missing, no tag in the repository "
        "where those before have one, an owner who came in the 45 days before"
    ),
    source="Science fl-1; attestations after PEP 740",
    minimum_data=(
        "Two releases, the upload times of all; silent 30 days after the release; a sign that is "
        "not known adds nothing"
    ),
    severity=(
        "Low when the gap is below 1.5 times the longest one before, else medium; one higher for "
        "each sign"
    ),
    known_false_alarms="Finished libraries that release every few years",
    remediation="Read what changed since the release before, or stay with that one for a month",
)

SILENCE = timedelta(days=365)
USUAL = 1.5


def check(case: Case) -> Flag | Unknown | None:
    """Flag a newest release that broke a long silence a short while ago."""
    dated = with_news(case)
    if dated is None or isinstance(dated, Unknown):
        return dated
    if len(dated) < 2:
        return None
    before, newest = dated[-2], dated[-1]
    gap = newest.at - before.at
    if gap < SILENCE:
        return None
    gaps = (later - earlier for earlier, later in pairwise(dated.times[:-1]))
    longest = max(gaps, default=timedelta(0))
    severity = Severity.LOW if gap < USUAL * longest else Severity.MEDIUM
    signs = tuple(_signs(case, dated))
    since = (
        f"{newest.release.version} of {newest.at.date()} is the first release since "
        f"{before.release.version} of {before.at.date()}"
    )
    return Flag(
        check=DEFINITION.id,
        severity=Severity(min(severity + len(signs), Severity.CRITICAL)),
        evidence=", ".join((since, *signs)),
        facts={
            "silent_days": gap.days,
            "longest_silence_before_days": longest.days,
            "signs": signs,
        },
        versions=(newest.release.version,),
        began=newest.at,
        ends=newest.at + FRESH,
    )


def _signs(case: Case, dated: Sequence[Dated]) -> Iterator[str]:
    before, newest = dated[-2], dated[-1]
    if is_attested(before.release) is True and is_attested(newest.release) is False:
        yield "it has lost its attestations"
    if is_untagged(case, dated) is True:
        yield "it has no tag in its repository, those before have"
    new = newcomers(case, newest.at)
    if not isinstance(new, Unknown) and new:
        yield f"{named(new)} had become an owner shortly before"
