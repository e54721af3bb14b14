"""The flag of a mix of which one part has risen."""

from collections.abc import Sequence

from indexgate_policy.assessment import Case
from indexgate_policy.checks import series
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.series.finding import Finding

COMPUTES = (
    "The share of each part of the week's mix, over 1 to 4 weeks, against the 12 weeks before: 10 "
    "points more and a fifth of all, and more standard deviations (4 to 5) than chance, the "
    "over-dispersion of real mixes of that size and the project's own past let expect. What the "
    "whole index's mix did is divided out"
)
SOURCE = "Science fl-1; over-dispersion fitted to real weekly mixes, beta tails for rare parts"
MINIMUM = "4 weeks of the mix, 60 downloads a week in those that are judged, 40 in those before"


def flag_of(
    case: Case, found: Finding, *, check: str, part: str, severity: Severity, also: str | None
) -> Flag:
    """Return the flag of *check* for the *part* that rose."""
    tail = f"; {also}" if also else ""
    return Flag(
        check=check,
        severity=severity,
        evidence=(
            f"{part} {series.percent(found.before)} -> {series.percent(found.now)} since the week "
            f"of {series.moment(case, found.onset):%Y-%m-%d}{tail}"
        ),
        facts={
            "part": part,
            "usual_share": round(found.before, 3),
            "share": round(found.now, 3),
        },
        began=series.moment(case, found.onset),
        ends=series.ends(case, found),
    )


def part_of(found: Finding, parts: Sequence[str]) -> str:
    """Return the name of the part that rose."""
    return parts[int(found.why)]
