import pytest

from indexgate_policy.downloads.classes import Interval
from indexgate_policy.downloads.people import (
    blind_spot,
    doubtful,
    footprint,
    seen,
    weekend_share,
)


def test_people_scale_with_the_days_that_were_counted() -> None:
    month = seen(Interval(low=300, middle=300, high=300))
    ten_days = seen(Interval(low=100, middle=100, high=100), days=10)
    assert ten_days.middle == pytest.approx(month.middle)
    assert (month.low, month.high) == (15, 75)


@pytest.mark.parametrize(
    ("cache_share", "least", "most"),
    [(None, 1, 5), (0, 1, 1.3), (0.15, 1.5, 3.15), (0.3, 2, 5), (0.9, 2, 5)],
)
def test_the_blind_spot_grows_with_the_caches(
    cache_share: float | None, least: float, most: float
) -> None:
    spot = blind_spot(cache_share)
    assert (spot.least, spot.most) == pytest.approx((least, most))


def test_a_footprint_is_never_smaller_than_what_is_seen() -> None:
    people = Interval(low=10, middle=22, high=50)
    wider = footprint(people, blind_spot(0.0))
    assert wider.low >= people.low
    assert wider.middle >= people.middle
    assert wider.high > people.high


@pytest.mark.parametrize(
    ("factor", "share"), [(0.9, 0.0), (0.72, 0.0), (0.585, 0.5), (0.45, 1.0), (0.2, 1.0)]
)
def test_weekends_speak_for_people(factor: float, share: float) -> None:
    assert weekend_share(factor) == pytest.approx(share)


def test_rules_and_weekend_may_differ_by_three_tenths() -> None:
    assert not doubtful(0.75, 0.585)
    assert doubtful(0.85, 0.585)
    assert doubtful(0.15, 0.585)
