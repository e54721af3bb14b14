"""What was known at a moment of the past: all of it, and nothing later."""

import dataclasses
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from indexgate_policy.advisories import Advisories, Advisory
from indexgate_policy.assessment import Assessment
from indexgate_policy.events import Event
from indexgate_policy.rules.as_of import FACTS_HOLD, NOT_KEPT, AsOf, Remembered, Then
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Release
from tests.policy.rules.facts import (
    DAY,
    NOW,
    assessment,
    file,
    malware,
    parsed,
    project,
    vulnerability,
)

HOUR = timedelta(hours=1)
WHEEL, SDIST = "demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"


def release(version: str, *uploads: datetime | Unknown, **facts: Any) -> Release:
    """Return a release with a wheel, and an sdist where a second upload is given."""
    kinds = ("wheel", "sdist")
    files = tuple(
        file(version=version, kind=kind, uploaded=at, released=uploads[0], **facts)
        for kind, at in zip(kinds, uploads, strict=False)
    )
    return Release(version=version, parsed=parsed(version), released=uploads[0], files=files)


def event(kind: Any, at: datetime, text: str) -> Event:
    return Event(kind=kind, at=at, text=text, source="page")


def assessed(at: datetime, **signals: Any) -> Assessment:
    return replace(assessment(signals=signals), assessed_at=at, advisories=NOT_KEPT)


def past(**pieces: Any) -> AsOf:
    usual: dict[str, Any] = {
        "project": project(),
        "releases": (release("1.0", NOW - 10 * DAY, NOW - 4 * DAY),),
        "advisories": (),
    }
    return AsOf(Remembered(**(usual | pieces)))


def named(then: Then) -> set[str]:
    advisories = then.assessment.advisories
    assert isinstance(advisories, Advisories)
    return {one.id for one in advisories.records}


class TestFiles:
    def test_files_uploaded_later_are_not_there(self) -> None:
        before = past().then(WHEEL, NOW - 5 * DAY)
        assert [one.filename for one in before.release.files] == [WHEEL]
        after = past().then(WHEEL, NOW - 3 * DAY)
        assert [one.filename for one in after.release.files] == [WHEEL, SDIST]

    def test_the_file_that_was_asked_for_was_there(self) -> None:
        then = past().then(SDIST, NOW - 5 * DAY)
        assert [one.filename for one in then.release.files] == [WHEEL, SDIST]

    def test_a_release_counts_from_its_earliest_upload(self) -> None:
        assert past().then(SDIST, NOW).release.released == NOW - 10 * DAY

    def test_an_upload_that_is_not_known_leaves_the_release_unknown(self) -> None:
        of = past(releases=(release("1.0", NOW - 10 * DAY, NOT_KEPT),))
        assert of.then(WHEEL, NOW).release.released == NOT_KEPT

    def test_releases_are_counted_as_they_were(self) -> None:
        versions = (
            release("1.0", NOW - 10 * DAY),
            release("1.1", NOW - 5 * DAY),
            release("2.0", NOW - DAY),
        )
        yank = event("yank", NOW - 2 * DAY, "version 1.1 yanked")
        of = past(releases=versions, events=(yank,))
        counts = [
            of.then(WHEEL, NOW - days * DAY).release.files[0].project.releases
            for days in (6, 3, 2, 0)
        ]
        assert counts == [1, 2, 1, 2]

    def test_a_project_is_not_as_young_as_what_is_left_of_it(self) -> None:
        left = project(
            first_upload=NOW - 2 * DAY
        )  # what was asked for before is gone from the page
        of = past(project=left, releases=(release("1.0", NOT_KEPT),))
        uploads = [
            of.then(WHEEL, NOW - days * DAY).release.files[0].project.first_upload
            for days in (5, 2, 0)
        ]
        assert uploads == [NOT_KEPT, NOW - 2 * DAY, NOW - 2 * DAY]

    def test_a_file_that_nobody_knows_of_raises(self) -> None:
        with pytest.raises(KeyError):
            past().then("other-1.0.tar.gz", NOW)


class TestPageFacts:
    def test_a_yank_holds_from_when_it_was_seen(self) -> None:
        yanked = release("1.0", NOW - 10 * DAY, yanked="broken")
        of = past(releases=(yanked,), events=(event("yank", NOW - 3 * DAY, "version 1.0 yanked"),))
        assert not of.then(WHEEL, NOW - 3 * DAY - HOUR).release.yanked
        assert of.then(WHEEL, NOW - 3 * DAY).release.yanked

    def test_a_yank_that_nobody_saw_is_not_read_back(self) -> None:
        of = past(releases=(release("1.0", NOW - 10 * DAY, yanked=True),))
        assert not of.then(WHEEL, NOW).release.yanked

    def test_the_assessment_of_the_time_says_what_was_yanked_and_the_status(self) -> None:
        told = assessed(NOW - 2 * DAY, yanked_versions=("1.0",), index_status="archived")
        then = past(assessments=(told,)).then(WHEEL, NOW - DAY)
        assert then.release.yanked
        assert then.release.files[0].project.status == "archived"

    def test_a_status_holds_from_when_it_was_seen(self) -> None:
        changed = event("status", NOW - 2 * DAY, "status changed from active to quarantined")
        of = past(project=project(status="quarantined"), events=(changed,))
        status = [
            of.then(WHEEL, NOW - days * DAY).release.files[0].project.status for days in (3, 1)
        ]
        assert status == ["active", "quarantined"]

    def test_first_seen_is_not_known_before_it_was(self) -> None:
        of = past(project=project(first_seen=NOW - 2 * DAY))
        before = of.then(WHEEL, NOW - 3 * DAY).release.files[0].project.first_seen
        assert before == NOT_KEPT
        after = of.then(WHEEL, NOW - DAY).release.files[0].project.first_seen
        assert after == NOW - 2 * DAY

    def test_a_gate_that_was_not_there_yet_knows_nothing_of_first_seen(self) -> None:
        told = project(first_seen=NOW - DAY, watched_since=NOW - DAY)
        then = past(project=told).then(WHEEL, NOW - 3 * DAY).release.files[0].project
        assert (then.first_seen, then.watched_since) == (NOT_KEPT, None)


class TestFacts:
    def test_the_newest_assessment_before_is_taken(self) -> None:
        of = past(assessments=tuple(assessed(NOW - days * DAY, n=days) for days in (6, 4, 2)))
        values = [of.then(WHEEL, NOW - days * DAY).assessment.inputs for days in (5, 4, 3, 1)]
        assert [inputs[0].value for inputs in values] == [6, 4, 4, 2]

    def test_without_one_nothing_is_told_and_it_says_so(self) -> None:
        of = past(assessments=(assessed(NOW - 2 * DAY),))
        assert [of.then(WHEEL, NOW - days * DAY).facts for days in (3, 1)] == ["none", "all"]
        assert of.then(WHEEL, NOW - 3 * DAY).assessment.score == NOT_KEPT

    def test_an_old_one_does_not_stand_for_ever(self) -> None:
        of = past(assessments=(assessed(NOW - 20 * DAY),))
        assert of.then(WHEEL, NOW - 20 * DAY + FACTS_HOLD - HOUR).facts == "all"
        assert of.then(WHEEL, NOW - 20 * DAY + FACTS_HOLD).facts == "none"

    def test_advisories_count_from_their_publication(self) -> None:
        of = past(
            advisories=(
                malware(published=NOW - 2 * DAY, versions=("1.0",)),
                vulnerability(published=None, versions=("1.0",)),
            )
        )
        assert named(of.then(WHEEL, NOW - 3 * DAY)) == set()
        assert named(of.then(WHEEL, NOW - 2 * DAY)) == {"MAL-1"}

    def test_public_advisories_say_nothing_of_an_index_of_ones_own(self) -> None:
        advisories = (malware(published=NOW - 9 * DAY),)
        of = past(project=project(public=False), advisories=advisories)
        told = of.then(WHEEL, NOW).assessment.advisories
        assert isinstance(told, Advisories)
        assert (told.records, told.applicable) == ((), False)

    def test_a_feed_that_was_never_read_is_unknown(self) -> None:
        unread = Unknown(reason="never read")
        assert past(advisories=unread).then(WHEEL, NOW).assessment.advisories == unread


DAYS = st.integers(0, 40).map(lambda days: NOW - days * DAY)
ALTERED = st.integers(1, 30)


@st.composite
def pasts(draw: st.DrawFn) -> tuple[Remembered, datetime, Remembered]:
    """Return a past, a moment, and the same past with all that came after the moment altered."""
    at = draw(DAYS)
    shift = draw(ALTERED) * DAY
    uploads = draw(st.lists(DAYS, min_size=1, max_size=5))
    events = sorted(
        [
            event("yank", moment, f"version 1.{number} yanked")
            for number, moment in enumerate(draw(st.lists(DAYS, max_size=4)))
        ]
        + [
            event("status", moment, f"status changed from active to {status}")
            for moment, status in draw(
                st.lists(st.tuples(DAYS, st.sampled_from(["archived", "quarantined"])), max_size=3)
            )
        ],
        key=lambda one: one.at,
    )
    assessments = [
        assessed(moment, owners=("a",)) for moment in sorted(set(draw(st.lists(DAYS, max_size=4))))
    ]
    advisories = [
        malware(id=f"M-{number}", published=moment, versions=(f"1.{number}",))
        for number, moment in enumerate(draw(st.lists(DAYS, max_size=4)))
    ]
    known = Remembered(
        project=project(),
        releases=tuple(release(f"1.{number}", moment) for number, moment in enumerate(uploads)),
        events=tuple(events),
        assessments=tuple(assessments),
        advisories=tuple(advisories),
    )
    return known, at, later_altered(known, at, shift)


def later_altered(known: Remembered, at: datetime, shift: timedelta) -> Remembered:
    """Return *known* with what came after *at* shifted and reworded, and another page of today."""
    advisories: tuple[Advisory, ...] = (
        () if isinstance(known.advisories, Unknown) else known.advisories
    )
    return replace(
        known,
        project=replace(known.project, status="quarantined", releases=99),
        releases=tuple(
            release("9.9", NOW + shift)
            if isinstance(one.released, datetime) and one.released > at and number
            else dataclasses.replace(
                one, files=tuple(replace(each, yanked="bad") for each in one.files)
            )
            for number, one in enumerate(known.releases)
        ),
        events=tuple(
            one if one.at <= at else replace(one, at=one.at + shift, text="something else")
            for one in known.events
        ),
        assessments=tuple(
            one if one.assessed_at <= at else assessed(one.assessed_at + shift, owners=("mallory",))
            for one in known.assessments
        ),
        advisories=tuple(
            one
            if one.published is not None and one.published <= at
            else replace(one, published=NOW + shift, versions=("1.0",))
            for one in advisories
        ),
    )


@given(pasts())
def test_nothing_that_came_later_changes_what_was_known(
    drawn: tuple[Remembered, datetime, Remembered],
) -> None:
    known, at, altered = drawn
    asked = known.releases[0].files[0].filename
    assert AsOf(known).then(asked, at) == AsOf(altered).then(asked, at)
