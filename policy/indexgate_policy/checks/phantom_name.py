"""A name that people or their tools asked for before anybody had made it."""

from datetime import datetime, timedelta

from packaging.utils import NormalizedName

from indexgate_policy.assessment import Case, PopularNames
from indexgate_policy.checks import readings
from indexgate_policy.checks.definition import Definition
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.signals import Unknown

DEFINITION = Definition(
    id="phantom-name",
    short="The name was asked for before it existed",
    motivation=(
        "Language models invent names of packages, the same ones again and again, and somebody "
        "registers them; likeness to a real name does not show it, being asked for does"
    ),
    computes=(
        "Points: asked for by this gate's clients before the first upload 3 (twice or more), two "
        "popular names joined 1, under 90 days old 1, at most two releases 1, no repository 1, "
        "less 3 for 50 stars and 2 for an owner with 5 other projects; from 4 on a flag"
    ),
    source=(
        "Science fl-1; lists of invented names are not used, for none is openly licensed. Nearly "
        "half of invented names are six or more letters from any real one"
    ),
    minimum_data=(
        "A public index and the first upload within a year; without this gate's own log of names "
        "that did not exist all four other points are needed"
    ),
    severity="Medium, high from 6 points",
    known_false_alarms="A private name that its company has published at last",
    remediation="Look where the name came from: if a model wrote it, find what was meant",
)

YEAR = timedelta(days=365)
NEW = timedelta(days=90)
ASKED, FEW_RELEASES = 2, 2
STARS, OWNER_PROJECTS = 50, 5
WELL_KNOWN = 5_000  # rank
SHORTEST = 3  # letters of a joined name
FLAGGED, SURE = 4, 6


def check(case: Case) -> Flag | Unknown | None:
    """Flag a name that was waited for."""
    if not case.project.public:
        return None  # popular names are facts about public indexes
    first = case.project.first_upload
    if isinstance(first, Unknown):
        return first
    if case.now >= first + YEAR:
        return None
    asked = readings.number(case, "asked_before_it_existed")
    times = 0.0 if isinstance(asked, Unknown) else asked
    reasons = _reasons(case, first, times)
    points = sum(point for point, _ in reasons) - _excuses(case)
    if points < FLAGGED:
        return asked if isinstance(asked, Unknown) else None
    return Flag(
        check=DEFINITION.id,
        severity=Severity.HIGH if points >= SURE else Severity.MEDIUM,
        evidence=", ".join(why for _, why in reasons),
        facts={"points": points, "asked_before": round(times)},
        began=first,
        ends=first + YEAR,
    )


def _reasons(case: Case, first: datetime, asked: float) -> list[tuple[int, str]]:
    found = []
    if asked >= ASKED:
        found.append((3, f"this gate's clients asked for it {asked:.0f} times before it existed"))
    joined = joined_names(case.project.name, case.context.popular)
    if joined:
        found.append((1, f"it joins `{joined[0]}` and `{joined[1]}`"))
    if case.now < first + NEW:
        found.append((1, f"first upload {first.date()}"))
    if case.project.releases <= FEW_RELEASES:
        found.append((1, "hardly any releases"))
    if readings.text(case, "repository") == "":
        found.append((1, "no repository link"))
    return found


def _excuses(case: Case) -> int:
    stars, others = readings.number(case, "stars"), readings.number(case, "owner_projects")
    loved = not isinstance(stars, Unknown) and stars >= STARS
    seasoned = not isinstance(others, Unknown) and others >= OWNER_PROJECTS
    return 3 * loved + 2 * seasoned


def joined_names(name: NormalizedName, popular: PopularNames) -> tuple[str, str] | None:
    """Return the two well-known names that *name* joins with a hyphen, None when it does not."""
    words = name.split("-")
    for cut in range(1, len(words)):
        pair = "-".join(words[:cut]), "-".join(words[cut:])
        ranks = [popular.rank(NormalizedName(one)) for one in pair if len(one) >= SHORTEST]
        if len(ranks) == 2 and all(rank is not None and rank <= WELL_KNOWN for rank in ranks):
            return pair
    return None
