"""How long a source that failed is left alone."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate.failed_attempts import LATEST_AGAIN, SOONEST_AGAIN, FailedAttempts
from tests.proxy.sources_said import DEMO, NOW

NO_WISH = timedelta(0)


@pytest.mark.parametrize(("chance", "share"), [(0.0, 0.75), (0.5, 1.0), (1.0, 1.25)])
def test_many_attempts_do_not_fall_together(chance: float, share: float) -> None:
    failed = FailedAttempts(lambda: chance)
    again = failed.add("deps-dev", DEMO, NOW, before=0, wish=NO_WISH)
    assert again == NOW + SOONEST_AGAIN * share


@given(before=st.integers(0, 100_000), hours=st.integers(0, 1000))
def test_the_rest_has_an_end_but_a_wish_is_heard(before: int, hours: int) -> None:
    failed, wish = FailedAttempts(lambda: 0.5), timedelta(hours=hours)
    again = failed.add("deps-dev", DEMO, NOW, before=before, wish=wish)
    assert max(SOONEST_AGAIN, wish) <= again - NOW <= max(LATEST_AGAIN, wish)
    assert failed.of("deps-dev", DEMO) == (before + 1, again)


def test_what_one_source_failed_at_is_held_against_no_other() -> None:
    failed = FailedAttempts(lambda: 0.5)
    failed.add("deps-dev", DEMO, NOW, before=0, wish=NO_WISH)
    assert failed.of("scorecard", DEMO) is None


def test_an_answer_makes_up_for_all_failures_before_it() -> None:
    failed = FailedAttempts(lambda: 0.5)
    failed.add("deps-dev", DEMO, NOW, before=7, wish=NO_WISH)
    failed.forget("deps-dev", DEMO)
    assert failed.of("deps-dev", DEMO) is None
