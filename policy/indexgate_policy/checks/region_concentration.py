"""Nearly all human-like downloads come from one country, where that is not the usual."""

from collections.abc import Sequence
from datetime import timedelta
from math import log

from indexgate_policy.assessment import Case
from indexgate_policy.checks import readings
from indexgate_policy.checks.definition import Definition
from indexgate_policy.checks.mixes import WEEKS, total, weekly
from indexgate_policy.checks.shares import wilson
from indexgate_policy.checks.volume import recent
from indexgate_policy.downloads.kinds import REGIONS
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.signals import Unknown

DEFINITION = Definition(
    id="region-concentration",
    short="Nearly all human-like downloads come from one country",
    motivation=(
        "A project of the whole world's is fetched from all over it; a count that was made by one "
        "party comes from where its machines stand"
    ),
    computes=(
        "The 95 % lower bound of the top country's share of four weeks' downloads by people and "
        "pipelines is 80 % or more, and below half in the project's own weeks before; the "
        "concentration (HHI) and evenness (H / ln K) are shown. The United States, where most "
        "rented machines stand, and the countries counted together are left out"
    ),
    source="Science fl-1; Wilson's interval",
    minimum_data=(
        "300 human-like downloads in 28 days and their countries; with fewer than eight earlier "
        "weeks known no country is taken for usual"
    ),
    severity="Low",
    known_false_alarms="A course or a fair; a project for one country; exits of a large network",
    remediation="Ask whether the project is meant for that country before you take the count",
)

LEAST = 300
TOP = 0.8
USUAL = 0.5
PAST_WEEKS = 8
LEFT_OUT = frozenset({"US", "other"})


def check(case: Case) -> Flag | Unknown | None:
    """Flag a project that one country alone has begun to download."""
    volume = recent(case)
    if isinstance(volume, Unknown):
        return volume
    if volume.human < LEAST:
        return None
    weeks = weekly(case, "regions")
    if isinstance(weeks, Unknown):
        return weeks
    counts = total(weeks[-WEEKS:])
    if not counts:
        return Unknown(reason="the countries of the last four weeks' downloads are not known")
    most = max(counts)
    top = REGIONS[counts.index(most)]
    low, _ = wilson(most, sum(counts))
    before = _share_before(weeks[:-WEEKS], top)
    if sum(counts) < LEAST or low < TOP or top in LEFT_OUT:
        return None
    if before is not None and before >= USUAL:
        return None
    share = most / sum(counts)
    past = "and no habit is known" if before is None else f"{before:.0%} in the weeks before"
    return Flag(
        check=DEFINITION.id,
        severity=Severity.LOW,
        evidence=(
            f"{share:.0%} of {sum(counts):,.0f} downloads by people and pipelines in four weeks "
            f"came from {top}, {past}"
        ),
        facts={
            "country": top,
            "share": round(share, 3),
            "concentration": round(_concentration(counts), 3),
            "evenness": round(_evenness(counts), 3),
        },
        began=readings.start(volume.until - timedelta(weeks=WEEKS)),
    )


def _share_before(weeks: Sequence[list[float] | None], country: str) -> float | None:
    """Return the share of *country* in earlier weeks; None: too few are known to be a habit."""
    known = [week for week in weeks if week is not None]
    counts = total(known)
    if len(known) < PAST_WEEKS or sum(counts) == 0:
        return None
    return counts[REGIONS.index(country)] / sum(counts)


def _concentration(counts: Sequence[float]) -> float:
    return sum((count / sum(counts)) ** 2 for count in counts)


def _evenness(counts: Sequence[float]) -> float:
    shares = [count / sum(counts) for count in counts if count > 0]
    return sum(-share * log(share) for share in shares) / log(len(counts))
