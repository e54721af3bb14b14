"""For each check that looks at facts one ordinary case that it flags."""

import dataclasses
from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec.structs import replace

from indexgate_policy.assessment import Case, Lookalike
from indexgate_policy.signals import Unknown, Value
from indexgate_policy.subject import Release
from tests.policy.checks.cases import NOW, OneLookalike, case_of, release_of
from tests.policy.checks.histories import history_of, with_days

LINK = "https://forge.test/ann/reqeusts"


def ago(days: float) -> datetime:
    """Return the moment so many days before the tests' now."""
    return NOW - timedelta(days=days)


def day(days: float) -> str:
    """Return the day so many days before the tests' now, as signals hold it."""
    return ago(days).date().isoformat()


def uploaded(*ages: float) -> tuple[Release, ...]:
    """Return releases 1.0, 1.1 ... uploaded so many days ago."""
    return tuple(release_of(f"1.{place}", ago(age)) for place, age in enumerate(ages))


def attested(release: Release) -> Release:
    """Return *release* with attestations."""
    return dataclasses.replace(
        release, files=tuple(replace(f, provenance=True) for f in release.files)
    )


def source_only(release: Release) -> Release:
    """Return *release* as a source archive alone."""
    return dataclasses.replace(
        release, files=tuple(replace(f, kind="sdist") for f in release.files)
    )


def of(case: Case, **signals: Value | Unknown) -> Case:
    """Return *case* with some signals told otherwise."""
    told: Mapping[str, Value | Unknown] = {
        **{name: signal.value for name, signal in case.signals.items()},
        **signals,
    }
    return replace(case, signals=case_of(signals=told).signals)


_OWNERS: dict[str, Value | Unknown] = {
    "owners_watched_since": day(300),
    "owners_changed_on": day(6),
    "owners": ("bo",),
    "owners_added": ("bo",),
    "owners_removed": ("ann",),
    "newest_owner_age": 11,
}
_PEOPLE = history_of(daily={"human": 2_200, "pipeline": 400})

FLAGGED: dict[str, Case] = {
    "quarantined": case_of(status="quarantined"),
    "malware": case_of(signals={"third_party_findings": ("malicious",)}),
    "typosquat": case_of(
        popular=OneLookalike(
            Lookalike(
                imitates="requests",
                confusability=0.95,
                relation="two letters swapped against",
                rank=7,
                downloads=10**9,
            )
        ),
        signals={"owners": ("mallory",), "repository": "", "downloads": 10},
        owners_of={"requests": frozenset({"ann"})},
    ),
    "phantom-name": case_of(
        first_upload=ago(12), signals={"asked_before_it_existed": 9, "repository": ""}
    ),
    "version-jump": case_of(releases=(release_of("0.1", ago(400)), release_of("99.0", ago(2)))),
    "dormant-release": case_of(releases=uploaded(900, 890, 3), signals=_OWNERS),
    "maintainer-change": case_of(releases=uploaded(500, 4), signals=_OWNERS),
    "provenance-lost": case_of(
        releases=(*map(attested, uploaded(90, 60, 30)), release_of("1.3", ago(1))), signals=_OWNERS
    ),
    "repo-mismatch": case_of(
        releases=uploaded(90, 60, 30, 1),
        signals={"repository": LINK, "tags": ("v1.0", "v1.1", "v1.2"), "repository_names": "other"},
    ),
    "packaging-change": case_of(
        releases=(*uploaded(90, 60, 30), source_only(release_of("1.3", ago(1)))),
        signals={
            "repository": LINK,
            "repository_before": "https://forge.test/bo/other",
            "repository_changed_on": day(1),
        },
    ),
    "new-10k": case_of(
        first_upload=ago(8),
        signals={
            "first_week_downloads": 14_000,
            "stars": 0,
            "people_in_issues": 0,
            "owner_projects": 0,
            "owner_since": day(8),
        },
    ),
    "downloads-without-engagement": case_of(
        first_upload=ago(200),
        history=_PEOPLE,
        signals={"stars": 3, "people_in_issues": 0, "dependent_owners": 0, "mentions": 0},
    ),
    "milestone-gap": case_of(
        first_upload=ago(60),
        history=_PEOPLE,
        signals={"stars": 1, "people_in_issues": 0, "mentions": 0},
    ),
    "automation-only": case_of(
        first_upload=ago(300),
        history=history_of(daily={"human": 15, "pipeline": 1_000, "ci": 400, "mirror": 90}),
        signals={"dependent_owners": 0},
    ),
    "clockwork": case_of(
        history=with_days(history_of(), "pipeline", [100 + place * 7 % 5 for place in range(28)])
    ),
    "region-concentration": case_of(
        history=history_of(
            daily={"human": 100},
            regions={"RU": 700, "US": 20},
            regions_before={"RU": 20, "US": 700},
        )
    ),
    "popular-here-only": case_of(
        first_upload=ago(400),
        history=_PEOPLE,
        signals={"present_elsewhere": 0, "dependent_owners": 1},
    ),
    "stale-majority": case_of(
        first_upload=ago(2_500),
        releases=uploaded(2_500, 1_000, 400, 100),
        history=history_of(
            daily={"pipeline": 300, "human": 20},
            version_ages={"2 years or older": 620, "under 180 days": 380},
        ),
    ),
    "yanked": case_of(releases=(release_of("1.0", ago(9), yanked=True),)),
}
