from datetime import UTC, datetime, timedelta

import pytest
from packaging.utils import NormalizedName

from indexgate.sources import own_traffic
from indexgate.store.asked import Counts
from indexgate.store.missing_names import WaitedFor
from indexgate_policy.signal_table import BY_NAME
from indexgate_policy.signals import Signals, Unknown, Value
from indexgate_policy.subject import Project

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MADE = NOW - timedelta(days=20)
"""When the project's first file was uploaded."""

EARLIER, LATER = MADE - timedelta(days=30), MADE + timedelta(days=9)
UNTOLD = Unknown(reason="the index tells no times")


def waited(first: datetime, last: datetime, hours: int = 4) -> WaitedFor:
    return WaitedFor(first=first, last=last, hours=hours)


def told(
    waited_for: WaitedFor | None = None,
    watched_since: datetime = EARLIER,
    first_upload: datetime | Unknown = MADE,
    public: bool = True,
) -> Signals:
    project = Project(
        name=NormalizedName("demo"),
        index_id="i",
        public=public,
        first_upload=first_upload,
        first_seen=NOW,
        releases=1,
    )
    counts = Counts(people=7, ci=2, systems=100)
    found = own_traffic.signals(project, counts, waited_for, watched_since=watched_since, now=NOW)
    return Signals(found)


def test_people_and_ci_are_told_and_other_programs_are_not() -> None:
    signals = told()
    assert signals.value("asked_here_by_people") == 7
    assert signals.value("asked_here_by_ci") == 2
    assert 100 not in [signal.value for signal in signals.values()]
    assert set(signals) <= set(BY_NAME)
    assert {signal.source for signal in signals.values()} == {own_traffic.SOURCE}


@pytest.mark.parametrize(
    ("waited_for", "watched_since", "expected"),
    [
        (waited(EARLIER, MADE - timedelta(days=1)), EARLIER, 4),
        (waited(EARLIER, MADE + timedelta(minutes=20)), EARLIER, 4),
        (waited(EARLIER, LATER), EARLIER, "again when it was missing"),
        (waited(MADE + timedelta(days=1), LATER), EARLIER, 0),
        (waited(MADE + timedelta(days=1), LATER), LATER, "not there"),
        (None, EARLIER, 0),
        (None, LATER, "not there"),
    ],
)
def test_asks_before_the_first_upload_count_and_what_nobody_saw_is_unknown(
    waited_for: WaitedFor | None, watched_since: datetime, expected: Value
) -> None:
    value = told(waited_for, watched_since).value("asked_before_it_existed")
    if isinstance(value, Unknown):
        assert isinstance(expected, str)
        assert expected in value.reason
    else:
        assert value == expected


def test_without_a_time_of_upload_it_is_unknown_what_came_before_it() -> None:
    signals = told(waited(EARLIER, MADE), first_upload=UNTOLD)
    assert signals.value("asked_before_it_existed") == UNTOLD


def test_a_project_older_than_the_record_and_a_private_one_are_not_asked_about() -> None:
    old = told(first_upload=NOW - timedelta(days=401))
    assert "asked_before_it_existed" not in old
    assert "asked_before_it_existed" not in told(waited(EARLIER, MADE), public=False)
