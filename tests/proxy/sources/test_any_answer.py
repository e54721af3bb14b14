"""Whatever a service answers: all signals, each of the type that the table states, or a failure."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import date
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexgate.sources.protocol import Source, SourceFailed
from indexgate_policy.signal_table import BY_NAME
from indexgate_policy.signals import Signal, Unknown, Value
from tests.proxy.sources.asking import NOW, asked
from tests.proxy.sources.test_faults import TRIED, Tried, spending
from tests.standins.documents import Documents

Edit = Callable[[bytes], bytes]

_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["1.0", "PYPI", "../x", "2026-02-30", "9999-12-31T23:59:59-14:00", "\x1b["]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def ask(tried: Tried, edit: Edit) -> tuple[Signal, ...]:
    """Return what the source says when every answer of its stand-in goes through *edit*."""
    standin = tried.standin()

    def answered(request: httpx.Request) -> httpx.Response:
        body = _body(standin, request)
        if body is None:
            return httpx.Response(404)
        headers = standin.more.get(request.url.path, {})
        return httpx.Response(200, content=_sent(edit(body)), headers=headers)

    async def signals() -> tuple[Signal, ...]:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answered)) as client:
            source: Source = tried.make(client, spending(tried), "http://service.test", 10)
            found = await source.signals(asked(), NOW)
            assert tuple(signal.name for signal in found) == source.about.gives
            return found

    return asyncio.run(signals())


async def _sent(body: bytes) -> AsyncIterator[bytes]:
    yield body


def _body(standin: Documents, request: httpx.Request) -> bytes | None:
    path = request.url.raw_path.decode().partition("?")[0]
    if request.method == "POST":
        return standin.posted[path](request.content)
    return standin.files.get(path)


def fits(name: str, value: Value | Unknown) -> bool:
    """Tell whether *value* is what the table says of the signal *name*."""
    if isinstance(value, Unknown):
        return bool(value.reason)
    kind = BY_NAME[name].type
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    if kind == "truth":
        return isinstance(value, bool)
    if kind == "day":
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    texts = value if isinstance(value, tuple) else (value,)
    return (kind == "texts") == isinstance(value, tuple) and all(
        isinstance(text, str) and text.isprintable() for text in texts
    )


def holds(tried: Tried, edit: Edit) -> None:
    """Assert that the edited answers are taken whole, each signal of its type, or are garbage."""
    kind = "none"
    signals: tuple[Signal, ...] = ()
    try:
        signals = ask(tried, edit)
    except SourceFailed as failed:
        kind = failed.kind
    assert kind in {"none", "garbage", "status"}
    assert not [s for s in signals if not fits(s.name, s.value)]


sources = pytest.mark.parametrize("tried", TRIED.values(), ids=TRIED.keys())


@sources
def test_an_honest_answer_gives_values_of_the_stated_types(tried: Tried) -> None:
    signals = ask(tried, lambda body: body)
    assert not [s for s in signals if not fits(s.name, s.value)]
    known = [signal for signal in signals if not isinstance(signal.value, Unknown)]
    assert len(known) >= len(signals) / 2


@sources
@settings(deadline=None, max_examples=60)
@given(place=st.integers(0, 10_000), instead=_JSON, gone=st.booleans())
def test_any_member_may_hold_anything(
    tried: Tried, place: int, instead: object, gone: bool
) -> None:
    def edit(body: bytes) -> bytes:
        told = json.loads(body)
        members = list(_members(told))
        if not members:
            return json.dumps(instead).encode()
        inside, key = members[place % len(members)]
        if gone:
            del inside[key]
        else:
            inside[key] = instead
        return json.dumps(told).encode()

    holds(tried, edit)


@sources
@settings(deadline=None, max_examples=40)
@given(others=st.binary(max_size=40), place=st.integers(0, 2_000), less=st.integers(0, 40))
def test_other_bytes_are_read_or_garbage(
    tried: Tried, others: bytes, place: int, less: int
) -> None:
    holds(tried, lambda body: body[:place] + others + body[place + less :])


def _members(told: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each container in *told* with each of its keys."""
    keys = (
        list(told) if isinstance(told, dict) else range(len(told) if isinstance(told, list) else 0)
    )
    for key in keys:
        yield told, key
        yield from _members(told[key])
