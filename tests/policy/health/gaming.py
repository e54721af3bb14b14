"""What someone who wants a better score can do, and what it gains.

`python -m tests.policy.health.gaming` prints the table.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from msgspec import structs

from indexgate_policy.health.score import score
from indexgate_policy.signals import Unknown, Value
from indexgate_policy.subject import Project
from tests.policy.health.packages import Package, load, release

NOBODY_ASKED = Unknown(reason="nobody was asked")
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lever:
    """One way, how many points it may gain at most, and what it does to a package."""

    name: str
    most: float
    pull: Callable[[Package], Package]


def gain(package: Package, lever: Lever) -> tuple[float, float]:
    """Return the points gained by *lever* with the caps and without."""
    before, after = (score(one.case, one.advisories) for one in (package, lever.pull(package)))
    return after.value - before.value, after.uncapped - before.uncapped


def bases() -> Iterator[Package]:
    """Yield what is gamed: a squat of 200 days, and every package of the fixture but well-known.

    The last is that squat when it has slept for four and a half years.
    """
    packages = load()
    squat = _squat(next(one for one in packages if one.case.project.name == "jeilyfish"))
    yield squat
    yield from (one for one in packages if one.group != "well-known")
    yield replace(squat, case=structs.replace(squat.case, now=squat.case.now + 1640 * DAY))


def _squat(newborn: Package) -> Package:
    """Return *newborn* 200 days later with a repository of its own that nobody looks at."""
    now = newborn.case.now + 186 * DAY
    aged = replace(newborn, case=structs.replace(newborn.case, now=now))
    return aged.with_signals(
        stars=0,
        star_burst_share=0,
        forks=0,
        people_in_issues=0,
        bus_factor=1,
        mentions=0,
        repository_names=str(newborn.case.project.name),
        last_commit_on=(now - 60 * DAY).date().isoformat(),
    )


def _number(package: Package, name: str) -> float:
    value = package.case.signals.value(name)
    return float(value) if isinstance(value, int | float) else 0.0


def _raw_downloads(package: Package) -> Package:
    return package.with_signals(downloads=1e9, consumer_downloads=1e9, downloads_by_dependents=1e9)


def _human_like(package: Package) -> Package:
    many = _number(package, "human_installs") * 1000 + 1e5
    return package.with_signals(human_installs=many)


def _stars(number: float, burst: float) -> Callable[[Package], Package]:
    def pull(package: Package) -> Package:
        return package.with_signals(
            stars=_number(package, "stars") + number, star_burst_share=burst
        )

    return pull


def _dependents(owners: int, repositories: int = 0) -> Callable[[Package], Package]:
    def pull(package: Package) -> Package:
        bought = {
            "dependents": 500,
            "dependent_owners": owners,
            "dependents_transitive": 500,
            "dependent_repositories": repositories,
        }
        return package.with_signals(
            **{name: _number(package, name) + more for name, more in bought.items() if more}
        )

    return pull


def _empty_releases(tags: Value | Unknown) -> Callable[[Package], Package]:
    def pull(package: Package) -> Package:
        now, releases = package.case.now, package.case.releases
        project: Project = package.case.project
        last = releases[-1]
        size = last.files[0].size
        assert isinstance(size, int)
        kinds = "".join(file.kind[0] for file in last.files)
        more = tuple(
            release(project, f"1.900.{n}", now - (40 - n) * DAY, files=kinds, size=size + n % 9)
            for n in range(40)
        )
        return package.with_signals(tags=tags).with_releases((*releases, *more))

    return pull


def _tagged_releases(package: Package) -> Package:
    """Release 40 times in 40 days, each with its tag and a little more in it."""
    now, last = package.case.now, package.case.releases[-1]
    size = last.files[0].size
    assert isinstance(size, int)
    kinds = "".join(file.kind[0] for file in last.files)
    more = tuple(
        release(
            package.case.project,
            f"1.900.{n}",
            now - (40 - n) * DAY,
            files=kinds,
            size=size + 1_000 * n,
        )
        for n in range(40)
    )
    tags = tuple(one.version for one in more)
    return package.with_signals(tags=tags).with_releases((*package.case.releases, *more))


def _set(**signals: Value | Unknown) -> Callable[[Package], Package]:
    return lambda package: package.with_signals(**signals)


def _invented_authors(package: Package) -> Package:
    today = package.case.now.date().isoformat()
    return package.with_signals(bus_factor=6, last_commit_on=today)


def _borrowed(called: str, names: Value | Unknown) -> Callable[[Package], Package]:
    """Return a lever that names the repository of a famous project in place of one's own."""

    def pull(package: Package) -> Package:
        famous = next(one for one in load() if one.case.project.name == "numpy")
        facts = (
            "stars", "star_burst_share", "forks", "people_in_issues", "median_answer_days",
            "bus_factor", "scorecard", "security_policy",
        )  # fmt: skip
        return package.with_signals(
            repository=f"https://code.example.test/{called or package.case.project.name}",
            repository_proven=False,
            repository_names=names,
            repository_changed_on=package.case.now.date().isoformat(),
            last_commit_on=package.case.now.date().isoformat(),
            **{name: famous.case.signals.value(name) for name in facts},
        )

    return pull


def _everything(package: Package) -> Package:
    for lever in LEVERS:
        if lever.name in _TOGETHER:
            package = lever.pull(package)
    return package.with_signals(people_in_issues=30)


_NO_REPOSITORY: dict[str, Value | Unknown] = {
    "repository": "",
    **dict.fromkeys(
        (
            "repository_names", "repository_proven", "repository_archived", "stars",
            "star_burst_share", "forks", "people_in_issues", "bus_factor", "last_commit_on",
            "median_answer_days", "scorecard", "scorecard_checks", "security_policy", "tags",
        ),
        NOBODY_ASKED,
    ),
}  # fmt: skip

_TOGETHER = (
    "human-like installs x 1,000",
    "2,000 stars, unseen",
    "500 dependents of 50 owners",
    "40 empty releases, tags unknown",
)

LEVERS = (
    Lever(name="raw downloads x 1,000", most=0, pull=_raw_downloads),
    Lever(name="human-like installs x 1,000", most=2, pull=_human_like),
    Lever(name="10,000 stars in seen bursts", most=8, pull=_stars(10_000, 0.9)),
    Lever(name="2,000 stars, unseen", most=8, pull=_stars(2_000, 0)),
    Lever(name="500 dependents of one owner", most=8, pull=_dependents(1)),
    Lever(name="500 dependents of 50 owners", most=8, pull=_dependents(50)),
    Lever(name="500 dependents of 500 owners", most=8, pull=_dependents(500)),
    Lever(name="500 dependents and repositories", most=8, pull=_dependents(50, 500)),
    Lever(name="500 of everything that needs it", most=8, pull=_dependents(500, 500)),
    Lever(name="40 empty releases, recognised", most=8, pull=_empty_releases(())),
    Lever(name="40 empty releases, tags unknown", most=8, pull=_empty_releases(NOBODY_ASKED)),
    Lever(name="40 tagged releases in 40 days", most=8, pull=_tagged_releases),
    Lever(name="commits of six invented authors", most=8, pull=_invented_authors),
    Lever(name="four accounts", most=8, pull=_set(owners=("a", "b", "c", "d"))),
    Lever(name="an organisation", most=8, pull=_set(organization="example")),
    Lever(name="50 people who open issues", most=8, pull=_set(people_in_issues=50)),
    Lever(name="2,000 mentions", most=8, pull=_set(mentions=2_000)),
    Lever(name="a repository no longer named", most=8, pull=_set(**_NO_REPOSITORY)),
    Lever(name="a famous repository, claimed", most=8, pull=_borrowed("numpy", NOBODY_ASKED)),
    Lever(name="a famous repository that denies it", most=8, pull=_borrowed("numpy", "numpy")),
    Lever(name="a famous repository of that name", most=8, pull=_borrowed("", NOBODY_ASKED)),
)
TOGETHER = Lever(name="everything at once", most=100, pull=_everything)


def main() -> None:
    """Print what each lever gains (without caps) on two packages, and where it gains most."""
    packages = list(bases())
    known = next(one for one in packages if one.case.project.name == "span-marker")
    print(f"{'lever':38}{'squat of 200 days':>20}{'span-marker':>20}   most of {len(packages)}")
    for lever in (*LEVERS, TOGETHER):
        gains = {one.label: gain(one, lever)[0] for one in packages}
        worst = max(gains, key=lambda label: gains[label])
        cells = ("{:+.1f} ({:+.1f})".format(*gain(one, lever)) for one in (packages[0], known))
        print(f"{lever.name:38}{next(cells):>20}{next(cells):>20}   {gains[worst]:+.1f} {worst}")


if __name__ == "__main__":
    main()
