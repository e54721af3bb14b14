import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate_policy.health.shapes import half, interpolate, sat

POSITIVE = st.floats(0, 1e12)


def test_sat_is_nothing_at_nothing_and_full_from_its_reference_on() -> None:
    assert sat(0, 100) == 0
    assert sat(-5, 100) == 0
    assert sat(9, 99) == pytest.approx(0.5)
    assert sat(100, 100) == sat(1e9, 100) == 1


def test_half_is_whole_while_free_and_halves_with_every_life() -> None:
    assert half(0, 200, 365) == half(200, 200, 365) == 1
    assert half(565, 200, 365) == pytest.approx(0.5)
    assert half(930, 200, 365) == pytest.approx(0.25)


def test_interpolation_is_straight_between_points_and_flat_outside() -> None:
    points = ((0, 0.2), (90, 0.8), (365, 1.0))
    assert interpolate(-1, points) == pytest.approx(0.2)
    assert interpolate(45, points) == pytest.approx(0.5)
    assert interpolate(90, points) == pytest.approx(0.8)
    assert interpolate(9999, points) == 1.0


@given(POSITIVE, POSITIVE)
def test_shapes_stay_within_0_and_1_and_never_turn(one: float, two: float) -> None:
    low, high = sorted((one, two))
    assert 0 <= sat(low, 1000) <= sat(high, 1000) <= 1
    assert 0 <= half(high, 10, 100) <= half(low, 10, 100) <= 1
