"""What was fetched ahead, and what of it was of use."""

from indexgate.prefetch.counts import PrefetchCounts


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_is_asked_for_afterwards_was_of_use_once() -> None:
    counts = PrefetchCounts(600.0, Clock())
    counts.begin("page", "demo")
    counts.end("page", "demo", fetched=True)
    for _ in range(2):
        counts.asked("page", "demo")
        counts.asked("metadata", "demo")
    assert counts.fetched == {"page": 1}
    assert counts.used == {"page": 1}


def test_what_is_asked_for_on_its_way_was_of_use() -> None:
    counts = PrefetchCounts(600.0, Clock())
    counts.begin("page", "demo")
    counts.asked("page", "demo")
    assert counts.used == {}
    counts.end("page", "demo", fetched=True)
    counts.asked("page", "demo")
    assert counts.used == {"page": 1}


def test_what_was_at_hand_counts_for_nothing() -> None:
    counts = PrefetchCounts(600.0, Clock())
    counts.begin("page", "demo")
    counts.asked("page", "demo")
    counts.end("page", "demo", fetched=False)
    counts.asked("page", "demo")
    assert (counts.fetched, counts.used) == ({}, {})


def test_what_is_asked_for_too_late_was_of_no_use() -> None:
    clock = Clock()
    counts = PrefetchCounts(600.0, clock)
    counts.begin("page", "demo")
    counts.end("page", "demo", fetched=True)
    clock.now = 601.0
    counts.asked("page", "demo")
    assert (counts.fetched, counts.used) == ({"page": 1}, {})
