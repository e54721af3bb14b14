"""Arbitrary cases: whatever pages, sources and the store may say of a project, likely or not."""

import dataclasses
from datetime import datetime, timedelta

import numpy as np
from hypothesis import strategies as st
from msgspec.structs import replace
from packaging.version import Version

from indexgate_policy.assessment import Case, Lookalike
from indexgate_policy.downloads.panel import Panel
from indexgate_policy.signal_table import BY_NAME
from indexgate_policy.signals import Signals, Unknown, Value
from indexgate_policy.subject import File, Kind, Release
from tests.policy.checks.cases import NOW, UNTOLD, OneLookalike, case_of, release_of
from tests.policy.checks.histories import LAST_DAY, history_of

NAMES = ("reqeusts", "demo", "red-blue", "a")
_HOURS = (1, 5, 9, 20, 40, 300, 800, 1_700, 4_000, 9_000, 24_000, 70_000)
_MOMENTS = st.builds(
    lambda hours, seconds: NOW - timedelta(hours=hours, seconds=seconds),
    st.sampled_from(_HOURS),
    st.integers(0, 5_000),
)
_TEXTS = st.sampled_from(
    ("", "demo", "1.0", "v1.0", "MAL-2026-1", "malicious", "contact: x", "https://a.test/b/demo",
     "https://a.test/c/other", "ann", "bo", "99.0")
)  # fmt: skip
_NUMBERS = st.sampled_from((0, 0, 1, 3, 20, 60, 400, 60_000, 0.7, 1e9, -1, float("nan")))
_DAYS = _MOMENTS.map(lambda at: at.date().isoformat())
_OF_TYPE: dict[str, st.SearchStrategy[Value]] = {
    "number": _NUMBERS,
    "text": _TEXTS,
    "texts": st.lists(_TEXTS, max_size=4).map(tuple),
    "truth": st.booleans(),
    "day": _DAYS,
}
_VERSIONS = ("0.1", "1.0", "1.1", "1.2", "2.0", "9.0", "99.0", "2026.1", "1!3", "1.0rc1")
_READ = (
    "asked_before_it_existed", "attested_repository", "attested_repository_before",
    "consumer_downloads", "dependent_owners", "dependents", "downloads", "downloads_by_dependents",
    "downloads_until", "evidence", "first_week_downloads", "human_installs",
    "human_installs_high", "latest_version", "mentions", "newest_owner_age", "old_version_share",
    "owner_projects", "owner_since", "owners", "owners_added", "owners_changed_on",
    "owners_removed", "owners_watched_since", "people_in_issues", "present_elsewhere",
    "repository", "repository_before", "repository_changed_on", "repository_moved_to",
    "repository_names", "repository_proven", "stars", "tags", "third_party_advisories",
    "third_party_findings", "vulnerabilities_latest",
)  # fmt: skip


@st.composite
def _signals(draw: st.DrawFn) -> dict[str, Value | Unknown]:
    """Draw signals, mostly told and of the type that they should have."""
    told: dict[str, Value | Unknown] = {}
    for name in _READ:
        match draw(st.integers(0, 9)):
            case 0:
                continue
            case 1:
                told[name] = UNTOLD
            case 2:
                told[name] = draw(_TEXTS)
            case _:
                told[name] = draw(_OF_TYPE[BY_NAME[name].type])
    return told


_KINDS: st.SearchStrategy[Kind] = st.sampled_from(("wheel", "sdist", "other"))
_YANKED: st.SearchStrategy[bool | str] = st.sampled_from((False, True, "broken"))
_PROVENANCE: st.SearchStrategy[bool | Unknown] = st.sampled_from((True, False, UNTOLD))
_SIZES: st.SearchStrategy[int | Unknown] = st.sampled_from((1, 900, 10_000, UNTOLD))


@st.composite
def _files(draw: st.DrawFn, release: Release) -> File:
    return replace(
        release.files[0],
        kind=draw(_KINDS),
        yanked=draw(_YANKED),
        provenance=draw(_PROVENANCE),
        size=draw(_SIZES),
    )


@st.composite
def _releases(draw: st.DrawFn) -> tuple[Release, ...]:
    times = draw(st.lists(_MOMENTS, max_size=12).map(sorted))
    untold = draw(st.integers(0, 9)) == 0
    attested = draw(st.booleans())
    made = []
    for place, at in enumerate(times):
        version = draw(st.sampled_from(_VERSIONS)) if untold else _VERSIONS[place % len(_VERSIONS)]
        release = release_of(version, UNTOLD if untold and place == 0 else at)
        files = draw(st.lists(_files(release), max_size=2)) or list(release.files)
        if attested and place < len(times) - 1:
            files = [replace(file, provenance=True) for file in files]
        parsed: Version | Unknown = UNTOLD if untold and place == 1 else release.parsed
        made.append(dataclasses.replace(release, parsed=parsed, files=tuple(files)))
    return tuple(made)


_REGIONS: tuple[dict[str, float], ...] = (
    {"US": 900.0, "other": 900.0},
    {"RU": 900.0, "US": 10.0},
    {"RU": 9.0},
    {},
)
_AGES: tuple[dict[str, float], ...] = (
    {"under 30 days": 900.0},
    {"2 years or older": 900.0, "under 180 days": 90.0},
    {},
)


@st.composite
def _histories(draw: st.DrawFn) -> Panel | Unknown:
    if draw(st.integers(0, 3)) == 0:
        return UNTOLD
    amounts = st.sampled_from((0.0, 1.0, 40.0, 900.0, 20_000.0))
    stale = draw(st.sampled_from((0, 0, 0, 0, 60)))
    panel = history_of(
        daily={
            **{kind: draw(amounts) for kind in ("mirror", "bot", "ci", "pipeline")},
            "human": draw(st.sampled_from((0.0, 40.0, 2_000.0, 20_000.0))),
        },
        regions=draw(st.sampled_from(_REGIONS)),
        regions_before=draw(st.sampled_from(_REGIONS)),
        version_ages=draw(st.sampled_from(_AGES)),
        born=draw(st.sampled_from((-1, 0, 100, 181, 1_000_000))),
        days=draw(st.sampled_from((5, 30, 182, 182, 182))),
        last_day=LAST_DAY - timedelta(days=stale),
    )
    for hole in draw(st.lists(st.integers(0, panel.days - 1), max_size=3)):
        panel.classes[0, hole] = np.nan
    return panel


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw a case, judged at the tests' now."""
    likeness = draw(st.sampled_from((0.0, 0.5, 0.8, 1.0)))
    found = Lookalike(
        imitates="requests",
        confusability=likeness,
        relation="one letter away from",
        rank=draw(st.sampled_from((1, 700, 9_000))),
        downloads=draw(st.sampled_from((0, 60_000, 10**9))),
    )
    first: datetime | Unknown = draw(st.one_of(_MOMENTS, st.just(UNTOLD)))
    return case_of(
        draw(st.sampled_from(NAMES)),
        popular=OneLookalike(found if likeness else None),
        first_upload=first,
        count=draw(st.integers(0, 40)),
        public=draw(st.sampled_from((True, True, False))),
        status=draw(st.sampled_from(("active", "archived", "quarantined", "new-word"))),
        releases=draw(_releases()),
        signals=draw(_signals()),
        owners_of=draw(st.sampled_from(({}, {"requests": frozenset({"ann"})}))),
        history=draw(_histories()),
    )


def without(case: Case, name: str) -> Case:
    """Return *case* as it is when nobody ever told the signal *name*."""
    kept = (signal for signal in case.signals.values() if signal.name != name)
    return replace(case, signals=Signals(kept))
