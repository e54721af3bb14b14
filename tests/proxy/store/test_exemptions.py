"""Requests for exemptions and their answers, and how often exemptions are used."""

from datetime import date, timedelta

import pytest

from indexgate.store import exemption_requests
from indexgate.store.database import Store
from indexgate.store.engines import StoreFailed
from indexgate.store.exemption_requests import BROWSER, Wish
from indexgate.store.exemption_uses import Uses
from tests.proxy.store.conftest import Clock


def wish(project: str = "demo", rule: str = "r", **more: str) -> Wish:
    usual = {"author": "ann", "version": "==1.0", "reason": "why"}
    return Wish(project=project, rule=rule, days=14, **(usual | more))


def test_a_request_waits_until_it_is_answered(store: Store, clock: Clock) -> None:
    made = store.exemption_requests.ask(wish())
    assert (made.state, made.at, made.wish) == ("open", clock.now, wish())
    assert store.exemption_requests.all("open") == (made,)
    later = clock.pass_by(timedelta(hours=1))
    store.exemption_requests.decide(made.id, "refused", by="bob", answer="use 1.1")
    answered = store.exemption_requests.get(made.id)
    assert answered is not None
    assert (answered.state, answered.decided_at) == ("refused", later)
    assert (answered.decided_by, answered.answer) == ("bob", "use 1.1")
    assert store.exemption_requests.all("open") == ()
    assert store.exemption_requests.get("nothing") is None


async def test_the_same_is_asked_once(store: Store) -> None:
    first = store.exemption_requests.ask(wish())
    assert await store.exemption_requests.ask_soon(wish(author=BROWSER)) == first
    assert store.exemption_requests.ask(wish(rule="s")).id != first.id
    store.exemption_requests.decide(first.id, "ended", by="bob")
    assert store.exemption_requests.ask(wish()).id != first.id


def test_no_flood_of_requests_is_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exemption_requests, "MOST_OPEN", 2)
    store.exemption_requests.ask(wish("a"))
    store.exemption_requests.ask(wish("b"))
    with pytest.raises(StoreFailed, match="wait already"):
        store.exemption_requests.ask(wish("c"))
    store.exemption_requests.ask(wish("a"))
    store.exemption_requests.note(wish("c"), "granted", by="bob")
    assert len(store.exemption_requests.all()) == 3


async def test_what_was_decided_without_being_asked_is_kept_too(store: Store) -> None:
    made = await store.exemption_requests.note_soon(wish(), "break-glass", by="ann", id_="run-1")
    assert store.exemption_requests.get("run-1") == made
    assert made.state == "break-glass"


async def test_old_answers_are_forgotten_and_open_requests_are_not(
    store: Store, clock: Clock
) -> None:
    waiting = store.exemption_requests.ask(wish("a"))
    store.exemption_requests.note(wish("b"), "granted", by="bob")
    now = clock.pass_by(exemption_requests.KEPT + timedelta(seconds=1))
    assert await store.exemption_requests.prune(now) == 1
    assert store.exemption_requests.all() == (waiting,)


async def test_uses_are_counted_by_day(store: Store, clock: Clock) -> None:
    for _ in range(3):
        store.exemption_uses.count(["one", "two"], clock.now)
    store.exemption_uses.count(["one"], clock.now + timedelta(days=1))
    store.exemption_uses.count([], clock.now)
    assert await store.exemption_uses.prune(clock.now) == 0
    assert store.exemption_uses.of() == {
        "one": Uses(count=4, last=date(2026, 3, 2)),
        "two": Uses(count=3, last=date(2026, 3, 1)),
    }
    assert await store.exemption_uses.prune(clock.now + timedelta(days=401)) == 2


def test_the_same_for_another_team_is_another_request(store: Store) -> None:
    for_all, for_web = store.exemption_requests.ask(wish()), wish(team="web")
    asked = store.exemption_requests.ask(for_web)
    assert asked.id != for_all.id
    assert store.exemption_requests.ask(for_web) == asked
    assert store.exemption_requests.ask(wish()) == for_all
    kept = store.exemption_requests.get(asked.id)
    assert kept is not None
    assert kept.wish.team == "web"
