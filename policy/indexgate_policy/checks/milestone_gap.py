"""A young project that is installed, far behind what people around it would leave."""

from bisect import bisect_right
from math import exp, log

from indexgate_policy.assessment import Case
from indexgate_policy.checks import readings
from indexgate_policy.checks.definition import Definition
from indexgate_policy.checks.volume import recent
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.health.wording import count
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import age

DEFINITION = Definition(
    id="milestone-gap",
    short="A young project that is installed but has hardly any people",
    motivation=(
        "A project that people take up leaves traces in order: stars, issues, mentions, requests "
        "to change it; downloads alone leave none"
    ),
    computes=(
        "The geometric mean of observed over expected for stars (20, 100, 500 at 7, 30, 90 days), "
        "people in issues (5, 20, 50) and mentions (1, 5, 20), and, where an operator has entered "
        "evidence of them by hand, contacts (2, 10, 50) and testimonials (1 at 30, 5 at 90 days); "
        "a tenth or less is a gap"
    ),
    source="Science fl-1: the path that projects take which people adopt",
    minimum_data=(
        "7 days to a year of age, 1,000 human-like downloads in 28 days, stars and people in issues"
    ),
    severity="Info",
    known_false_alarms="Most projects never take that path; with many installs fewer do",
    remediation="Read it beside the other flags; alone it says little",
)

LEAST = 1_000
GAP = 0.1
FIRST_DAY, LAST_DAY = 7, 365
AT_LEAST, AT_MOST = 0.01, 10.0  # one fact must not decide alone
A_LITTLE = 0.2  # so that none is not infinitely few
DAYS = (0, 7, 30, 90)
PATH = {
    "stars": (0, 20, 100, 500),
    "people_in_issues": (0, 5, 20, 50),
    "mentions": (0, 1, 5, 20),
}
BY_HAND = {"contact": (0, 2, 10, 50), "testimonial": (0, 0, 1, 5)}


def check(case: Case) -> Flag | Unknown | None:
    """Flag a young project that is far behind the path."""
    known = age(case.project.first_upload, case.now)
    if isinstance(known, Unknown):
        return known
    if not FIRST_DAY <= known.days < LAST_DAY:
        return None
    volume = recent(case)
    if isinstance(volume, Unknown):
        return volume
    if volume.human < LEAST:
        return None
    seen = {name: readings.number(case, name) for name in PATH}
    for needed in ("stars", "people_in_issues"):
        value = seen[needed]
        if isinstance(value, Unknown):
            return value
    counts = {name: value for name, value in seen.items() if not isinstance(value, Unknown)}
    share = _share({**counts, **_entered(case)}, known.days)
    if share > GAP:
        return None
    return Flag(
        check=DEFINITION.id,
        severity=Severity.INFO,
        evidence=(
            f"{volume.human:,.0f} human-like downloads in four weeks, but "
            f"{count(counts['stars'], 'star')} and "
            f"{count(counts['people_in_issues'], 'person', 'people')} in issues, "
            "a tenth or less of what a project that people take up has at its age"
        ),
        facts={"share_of_the_path": round(share, 2), "age_days": known.days},
    )


def _entered(case: Case) -> dict[str, float]:
    """Return how much evidence of each kind an operator has entered; none entered is not none."""
    texts = readings.texts(case, "evidence")
    if isinstance(texts, Unknown):
        return {}
    entered = {kind: sum(text.startswith(kind) for text in texts) for kind in BY_HAND}
    return {kind: float(times) for kind, times in entered.items() if times}


def _share(counts: dict[str, float], days: int) -> float:
    logs = []
    for name, seen in counts.items():
        expected = _expected((PATH | BY_HAND)[name], days)
        if expected > 0:
            ratio = (seen + A_LITTLE) / expected
            logs.append(log(min(AT_MOST, max(AT_LEAST, ratio))))
    return exp(sum(logs) / len(logs))


def _expected(path: tuple[int, ...], days: int) -> float:
    """Return what *path* expects after *days*, in straight lines between its points."""
    place = bisect_right(DAYS, days)
    if place == len(DAYS):
        return path[-1]
    before, after = DAYS[place - 1], DAYS[place]
    done = (days - before) / (after - before)
    return path[place - 1] + done * (path[place] - path[place - 1])
