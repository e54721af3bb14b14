from collections.abc import Callable, Iterable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate_policy.rules.kleene import FAILS, Outcome, all_of, any_of, fails, holds, negate
from tests.policy.rules.facts import NOW

TRUTHS = (True, False, None)
untils = st.none() | st.integers(1, 5).map(lambda hours: NOW + timedelta(hours=hours))
outcomes = st.builds(Outcome, st.sampled_from(TRUTHS), st.just("why"), untils)
several = st.lists(outcomes, min_size=1, max_size=4)


@pytest.mark.parametrize("left", TRUTHS)
@pytest.mark.parametrize("right", TRUTHS)
def test_and_is_the_lesser_and_or_the_greater_of_false_unknown_true(
    left: bool | None, right: bool | None
) -> None:
    order = [False, None, True]
    pair = [Outcome(left), Outcome(right)]
    ranks = (order.index(left), order.index(right))
    assert all_of(pair).truth is order[min(ranks)]
    assert any_of(pair).truth is order[max(ranks)]


@given(several)
def test_de_morgan_holds(parts: list[Outcome]) -> None:
    turned = [negate(part, "not") for part in parts]
    assert negate(all_of(parts), "not").truth is any_of(turned).truth
    assert negate(any_of(parts), "not").truth is all_of(turned).truth


@given(several, st.integers(0, 3), st.booleans())
@pytest.mark.parametrize("join", [all_of, any_of])
def test_a_known_answer_stays_when_an_unknown_part_becomes_known(
    join: Callable[[Iterable[Outcome]], Outcome], parts: list[Outcome], at: int, truth: bool
) -> None:
    place = at % len(parts)
    before = join([*parts[:place], Outcome(None, "?"), *parts[place + 1 :]])
    after = join([*parts[:place], Outcome(truth, "known"), *parts[place + 1 :]])
    assert before.truth is None or before.truth is after.truth


@given(several, st.lists(st.sampled_from(TRUTHS), min_size=4, max_size=4))
@pytest.mark.parametrize("join", [all_of, any_of])
def test_nothing_changes_before_until(
    join: Callable[[Iterable[Outcome]], Outcome],
    parts: list[Outcome],
    turned: list[bool | None],
) -> None:
    now = join(parts)
    for hour in range(1, 7):
        moment = NOW + timedelta(hours=hour)
        if now.until is not None and moment >= now.until:
            break
        # every part that may have changed by now has changed
        then = [
            Outcome(new, "other") if part.until is not None and part.until <= moment else part
            for part, new in zip(parts, turned, strict=False)
        ]
        assert join(then).truth is now.truth
        if now.truth is not False:
            assert join(then).why == now.why


def test_a_lasting_failure_ends_the_question() -> None:
    def parts() -> Iterable[Outcome]:
        yield FAILS
        raise AssertionError("asked on")

    assert all_of(parts()) is FAILS


def test_unknown_says_every_doubt_and_holding_every_reason() -> None:
    assert all_of([Outcome(None, "a"), holds("b"), Outcome(None, "c")]).why == "a; c"
    assert all_of([holds("a"), holds("b")]).why == "a and b"


def test_of_several_that_hold_the_longest_speaks() -> None:
    soon, late = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    assert any_of([holds("soon", soon), holds("late", late)]) == holds("late", soon)
    assert any_of([holds("ever"), holds("soon", soon)]) == holds("ever")
    assert any_of([fails(soon), holds("ever")]) == holds("ever", soon)
