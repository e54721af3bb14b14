from datetime import timedelta

from indexgate.sources.validators import LARGEST, Answers, Held
from indexgate.store.database import Store
from indexgate.store.source_answers import KEPT
from tests.proxy.store.conftest import Clock

ADDRESS = "https://api.example.test/repos/a/b"


def settled(store: Store) -> None:
    store.writer.wait(lambda to: None)  # what waits is written before this


def test_an_answer_is_kept_by_source_and_address(store: Store) -> None:
    answers: Answers = store.answers
    assert answers.held("git", ADDRESS) is None
    for body in (b"old", b"new"):
        answers.keep("git", ADDRESS, Held(etag='"1"', body=body, link="<x>; rel=last"))
    settled(store)
    assert answers.held("git", ADDRESS) == Held(etag='"1"', body=b"new", link="<x>; rel=last")
    assert answers.held("other", ADDRESS) is None


def test_a_large_answer_is_not_kept(store: Store) -> None:
    store.answers.keep("git", ADDRESS, Held(etag='"1"', body=b"x" * (LARGEST + 1)))
    settled(store)
    assert store.answers.held("git", ADDRESS) is None


def test_a_store_that_cannot_answer_has_nothing(store: Store) -> None:
    store.close()
    assert store.answers.held("git", ADDRESS) is None
    store.answers.keep("git", ADDRESS, Held(etag='"1"', body=b""))


async def test_answers_that_nobody_gave_for_long_go(store: Store, clock: Clock) -> None:
    store.answers.keep("git", ADDRESS, Held(etag='"1"', body=b"x"))
    settled(store)
    now = clock.pass_by(KEPT + timedelta(days=1))
    store.answers.keep("git", f"{ADDRESS}/c", Held(etag='"2"', body=b"y"))
    settled(store)
    assert await store.answers.prune(now) == 1
    assert store.answers.held("git", ADDRESS) is None
    assert store.answers.held("git", f"{ADDRESS}/c") is not None
