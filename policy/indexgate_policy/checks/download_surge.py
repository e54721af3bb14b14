"""Many times the usual downloads, at once or by and by."""

from typing import TYPE_CHECKING

from indexgate_policy.assessment import Case
from indexgate_policy.checks import series
from indexgate_policy.checks.definition import Definition
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.signals import Unknown

if TYPE_CHECKING:
    from indexgate_policy.downloads.panel import Panel
    from indexgate_policy.series.finding import Finding

DEFINITION = Definition(
    id="download-surge",
    short="Many times the usual downloads, and nothing that explains them",
    motivation=(
        "Downloads are bought with a loop to make a project look trusted; a project that people "
        "really take up is written about, starred and depended upon"
    ),
    computes=(
        "Downloads by CI, pipelines and people of 7 days against the median week of 7 to 48 days "
        "before (step) and of 28 to 83 days before (drip): 4 times as many and 5 standard "
        "deviations, or 8 times and 3.25, on nearly all its days, and 200 more; or 40 times on 3 "
        "days, 100 times on 2. What new dependents, stars and a release carry is taken off; what "
        "the whole index did is divided out"
    ),
    source="Science fl-1; spread of a week fitted to real series",
    minimum_data="8 weeks of history and 60 days of age, for a drip 12 weeks and 150 days",
    severity=(
        "Information when 60 % or more is explained; low, medium from 10 times the usual without "
        "what is explained, high from 50 times when there is a second sign: owners changed in 45 "
        "days, under 90 days old, or a name like a popular one"
    ),
    known_false_alarms="A company's batch job, a course, a conference, a cache that was emptied",
    remediation="Look at the timeline; do not take the number of downloads for trust",
)

MEDIUM, HIGH = 10.0, 50.0

_CARRIERS = {
    "new-dependents": "new dependents",
    "stars": "stars with an audience",
    "release": "a release",
}
_SERIES = {"inflow": "new dependents", "stars": "stars", "releases": "releases"}
_BACK = 14  # days before the onset on which what could explain it is looked for


def check(case: Case) -> Flag | Unknown | None:
    """Flag a project of which far more is downloaded than usual."""
    found = series.in_force(case, "surge", but=("first-week",))
    if found is None or isinstance(found, Unknown):
        return found
    panel = case.history
    if isinstance(panel, Unknown):
        return panel
    second = series.second_sign(case)
    severity = _severity(found, second is not None)
    also = f"; {second}" if second and severity is Severity.HIGH else ""
    return Flag(
        check=DEFINITION.id,
        severity=severity,
        evidence=(
            f"{series.count(found.before)} -> {series.count(found.now)} downloads a week since "
            f"{series.moment(case, found.onset):%Y-%m-%d}; {_carried(panel, found)}{also}"
        ),
        facts={
            "usual_week": round(found.before, 1),
            "week": round(found.now, 1),
            "ratio": round(found.ratio, 1),
            "unexplained_ratio": round(found.unexplained_ratio, 1),
            "rule": found.why,
            "explained_by": _CARRIERS.get(found.by, "nothing"),
        },
        began=series.moment(case, found.onset),
        ends=series.ends(case, found),
        explained=round(found.explained, 3),
    )


def _severity(found: "Finding", second: bool) -> Severity:
    if found.is_explained:
        return Severity.INFO
    if found.unexplained_ratio >= HIGH and second:
        return Severity.HIGH
    return Severity.MEDIUM if found.unexplained_ratio >= MEDIUM else Severity.LOW


def _carried(panel: "Panel", found: "Finding") -> str:
    if found.explained >= 0.005:
        most = _CARRIERS[found.by]
        return f"known events carry {series.percent(found.explained)} of it, mostly {most}"
    days = slice(max(0, found.onset - _BACK), found.day + 1)
    seen = {name: getattr(panel, field)[0, days] for field, name in _SERIES.items()}
    # What is not a number is not equal to itself; numpy need not be imported to know.
    absent = [name for name, counts in seen.items() if (counts == counts).any()]  # noqa: PLR0124
    unknown = [name for name in seen if name not in absent]
    told = []
    if absent:
        told.append(f"no {_either(absent)} explain it")
    if unknown:
        told.append(f"nothing is known of {_either(unknown)}")
    return ", ".join(told)


def _either(names: list[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last
