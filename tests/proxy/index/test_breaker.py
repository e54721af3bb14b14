"""When a host is left alone, for how long, and what closes the breaker again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate.index.breaker import LONGEST_WISH, Breaker, State
from indexgate.index.protocol import UpstreamFailed

REFUSED = UpstreamFailed("refused", "refused the connection")
HANGING = UpstreamFailed("timeout", "did not answer within 10 s")
MISSING = UpstreamFailed("missing", "no longer has the file")


class Turned:
    """Seconds that the test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def status(code: int, retry_after: int | None = None) -> UpstreamFailed:
    return UpstreamFailed(
        "status", f"answered with status {code}", status=code, retry_after=retry_after
    )


def opened(clock: Turned, failure: UpstreamFailed = REFUSED) -> Breaker:
    breaker = Breaker(clock)
    for address in "abc":
        breaker.failed(address, failure)
    assert breaker.state is State.OPEN
    return breaker


WHOLE = [REFUSED, HANGING, status(500), status(503), status(429), UpstreamFailed("dns", "is gone")]
SINGLE = [MISSING, status(401), status(403), status(404), UpstreamFailed("garbage", "sent garbage")]


@pytest.mark.parametrize("failure", WHOLE, ids=str)
def test_failures_of_the_whole_host_in_a_row_open_it(failure: UpstreamFailed) -> None:
    breaker = Breaker(Turned())
    for address in "ab":
        breaker.failed(address, failure)
        assert breaker.refusal("x") is None
    breaker.failed("c", failure)
    refusal = breaker.refusal("x")
    assert refusal is not None
    assert (refusal.kind, refusal.status) == (failure.kind, failure.status)
    assert refusal.reason.startswith(failure.reason)
    assert (breaker.opened, breaker.reason) == (1, failure.reason)


@pytest.mark.parametrize("failure", SINGLE, ids=str)
def test_what_speaks_of_one_page_alone_never_opens_it(failure: UpstreamFailed) -> None:
    breaker = Breaker(Turned())
    for address in "abcdefgh":
        breaker.failed(address, REFUSED if address in "ab" else failure)
    assert breaker.closed


@pytest.mark.parametrize("failure", [HANGING, status(500), status(429)], ids=str)
def test_one_bad_page_never_shuts_out_the_others(failure: UpstreamFailed) -> None:
    breaker = Breaker(Turned())
    for _ in range(50):
        breaker.failed("bad", failure)
    assert breaker.refusal("good") is None


def test_an_answer_in_between_begins_the_count_anew() -> None:
    breaker = Breaker(Turned())
    for address in "abcdef":
        breaker.failed(address, REFUSED)
        breaker.failed(address, REFUSED)
        breaker.answered()
    assert breaker.closed


def test_one_probe_at_a_time_asks_the_addresses_that_failed_in_turn() -> None:
    clock = Turned()
    breaker = opened(clock)
    pauses, asked, patience = [], [], []
    for _ in range(6):
        pauses.append(breaker.pause)
        clock.now += breaker.pause
        address, seconds = breaker.begin_probe()
        assert breaker.state.value == "half-open"
        assert breaker.refusal("x") is not None
        breaker.probe_failed(address, REFUSED)
        assert breaker.state is State.OPEN
        asked.append(address)
        patience.append(seconds)
    assert "".join(asked) == "abcabc"
    assert (pauses, patience[:2]) == ([1.0, 2.0, 4.0, 4.0, 4.0, 4.0], [3.0, 6.0])


def test_pages_that_are_bad_by_themselves_keep_no_host_shut_that_is_well_otherwise() -> None:
    clock = Turned()
    breaker = Breaker(clock)
    breaker.answered("well")
    for address in "abc":
        breaker.failed(address, status(500))
    asked: list[str] = []
    while not breaker.closed and len(asked) < 10:
        clock.now += breaker.pause
        address, _ = breaker.begin_probe()
        asked.append(address)
        if address == "well":
            breaker.answered(address)
        else:
            breaker.probe_failed(address, status(500))
    assert asked == ["a", "well"]


@pytest.mark.parametrize("answer", [None, *SINGLE], ids=str)
def test_a_probe_that_is_answered_closes_it_whatever_it_was_told(
    answer: UpstreamFailed | None,
) -> None:
    breaker = opened(Turned())
    address, _ = breaker.begin_probe()
    if answer is None:
        breaker.answered()
    else:
        breaker.probe_failed(address, answer)
    assert breaker.closed
    assert breaker.refusal(address) is None
    assert breaker.lasting == 0


def test_a_request_that_was_under_way_closes_it_too() -> None:
    breaker = opened(Turned())
    breaker.answered()
    assert breaker.closed
    breaker.failed("a", REFUSED)
    assert breaker.closed


def test_a_wish_to_wait_holds_for_its_address_and_no_longer_than_a_minute() -> None:
    clock = Turned()
    breaker = Breaker(clock)
    breaker.failed("a", status(429, retry_after=7))
    breaker.failed("b", status(503, retry_after=3600))
    assert breaker.refusal("c") is None
    refusal = breaker.refusal("a")
    assert refusal is not None
    assert (refusal.status, refusal.retry_after) == (429, 7)
    clock.now += 6.5
    again = breaker.refusal("a")
    assert again is not None
    assert again.retry_after == 1
    clock.now += 0.5
    assert breaker.refusal("a") is None
    assert breaker.refusal("b") is not None
    clock.now += LONGEST_WISH
    assert breaker.refusal("b") is None


def test_the_first_probe_waits_as_long_as_the_host_wished() -> None:
    breaker = opened(Turned(), status(429, retry_after=20))
    assert breaker.pause == 20
    refusal = breaker.refusal("x")
    assert refusal is not None
    assert refusal.retry_after == 20


def test_nobody_is_probed_for_ever_when_nobody_asks() -> None:
    clock = Turned()
    breaker = opened(clock)
    clock.now += 299
    assert breaker.wanted
    assert breaker.refusal("x") is not None
    clock.now += 299
    assert breaker.wanted
    clock.now += 2
    assert not breaker.wanted
    breaker.rest()
    assert breaker.refusal("x") is None
    breaker.failed("x", REFUSED)
    assert breaker.state is State.OPEN


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ask", "answer", "fail", "probe", "rest"]),
            st.sampled_from("abcd"),
            st.sampled_from([*WHOLE, *SINGLE, status(429, 5), status(503, 9999)]),
            st.floats(0, 100),
        )
    )
)
def test_it_is_never_stuck(
    steps: list[tuple[str, str, UpstreamFailed, float]],
) -> None:
    clock = Turned()
    breaker = Breaker(clock)
    for step, address, failure, seconds in steps:
        clock.now += seconds
        match step:
            case "ask":
                refusal = breaker.refusal(address)
                assert refusal is None or refusal.reason
            case "answer":
                breaker.answered()
            case "fail":
                breaker.failed(address, failure)
            case "probe" if not breaker.closed:
                breaker.probe_failed(breaker.begin_probe()[0], failure)
            case "rest" if not breaker.closed:
                breaker.rest()
        assert breaker.pause <= LONGEST_WISH
    if not breaker.closed:
        breaker.begin_probe()
        breaker.answered()
    clock.now += LONGEST_WISH
    assert breaker.refusal("a") is None
