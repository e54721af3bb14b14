"""What pages were judged by lately."""

from datetime import UTC, datetime, timedelta

from packaging.utils import NormalizedName

from indexgate.index.packing import pack
from indexgate.index.protocol import Snapshot
from indexgate.shown import GRACE, Basis, Shown
from indexgate_policy.signals import Unknown

NOW = datetime(2026, 11, 22, tzinfo=UTC)
NAME = NormalizedName("demo")
MINUTE = timedelta(minutes=1)
NOTHING = Unknown(reason="not looked up")


def basis(digest: str, stamp: int, since: datetime, files: int = 0) -> Basis:
    snapshot = Snapshot(
        project=NAME, packed=pack(b""), content_type="", url="", digest=digest, fetched_at=NOW
    )
    return Basis(snapshot=snapshot, files=files, assessment=NOTHING, stamp=stamp, since=since)


def test_nothing_was_shown_at_first() -> None:
    assert Shown(100).earlier(NAME, NOW) is None


def test_what_is_in_force_is_asked_as_of_ten_minutes_ago() -> None:
    shown = Shown(100)
    shown.note(basis("a", 1, NOW))
    found = shown.earlier(NAME, NOW + 60 * MINUTE)
    assert found is not None
    assert found[1] == NOW + 60 * MINUTE - GRACE


def test_what_was_superseded_counts_for_ten_minutes_more() -> None:
    shown = Shown(100)
    shown.note(basis("a", 1, NOW))
    shown.note(basis("a", 2, NOW + 20 * MINUTE))
    shown.note(basis("b", 3, NOW + 22 * MINUTE))
    for minutes, stamp in ((23, 1), (29, 1), (30, 3), (50, 3)):
        found = shown.earlier(NAME, NOW + minutes * MINUTE)
        assert found is not None
        assert found[0].stamp == stamp, minutes


def test_noting_the_same_again_changes_nothing() -> None:
    shown = Shown(100)
    shown.note(basis("a", 1, NOW))
    shown.note(basis("a", 1, NOW + 5 * MINUTE))
    found = shown.earlier(NAME, NOW + 6 * MINUTE)
    assert found is not None
    assert found[1] == NOW


def test_more_files_than_there_is_room_for_are_not_kept() -> None:
    shown = Shown(0)
    shown.note(basis("a", 1, NOW))
    assert shown.earlier(NAME, NOW) is None
