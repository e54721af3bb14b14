"""The gate makes ready what its first page would wait for, and not before it listens."""

import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Select

from indexgate.store import prepared
from indexgate.web.made_ready import MOMENT, make_ready
from indexgate_policy.lookalike import PopularNameList
from tests.proxy.web.running import running
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

AHEAD = "indexgate.prefetch.prefetching"
ALLOW_ALL = "version = 1\n"
DEMO = project("demo", wheel("demo", "1.0"))


class Compiling(prepared._Prepared):
    """Statements that tell which of them were compiled."""

    read: list[Any] = []  # noqa: RUF012 - each test begins anew

    def __init__(self, statement: Any, columns: Sequence[str]) -> None:
        super().__init__(statement, columns)
        if isinstance(statement, Select):
            self.read.append(statement)


class Moment:
    """A wait that tells for how long, and what was there at its end."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.was_ready = True

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self.was_ready = AHEAD in sys.modules


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Forget what other tests made ready; return the reading statements compiled since."""
    monkeypatch.setattr(prepared, "_Prepared", Compiling)
    monkeypatch.setattr(Compiling, "read", [])
    monkeypatch.delitem(sys.modules, AHEAD, raising=False)
    prepared._prepared.cache_clear()
    return Compiling.read


@pytest.mark.usefixtures("fresh")
async def test_the_very_first_requests_have_the_gate_to_themselves(tmp_path: Path) -> None:
    moment = Moment()
    with Upstream() as upstream:
        async with running(upstream, tmp_path) as gate:
            await make_ready(gate.parts, moment)
    assert moment.seconds == [MOMENT]
    assert not moment.was_ready
    assert AHEAD in sys.modules


async def test_look_alikes_are_made_searchable_after_the_first_requests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared_in: list[int] = []
    monkeypatch.setattr(
        PopularNameList, "prepare", lambda _self: prepared_in.append(threading.get_ident())
    )
    with Upstream() as upstream:
        async with running(upstream, tmp_path) as gate:
            assert not prepared_in
            await make_ready(gate.parts, Moment())
    [thread] = prepared_in
    assert thread != threading.get_ident()


async def test_the_first_page_has_no_question_to_compile(tmp_path: Path, fresh: list[Any]) -> None:
    with Upstream(DEMO) as upstream:
        async with running(upstream, tmp_path, ALLOW_ALL) as gate:
            await make_ready(gate.parts, Moment())
            assert fresh
            fresh.clear()
            await gate.json("/simple/demo/")
            assert not fresh


@pytest.mark.usefixtures("fresh")
async def test_who_is_being_answered_goes_first(tmp_path: Path) -> None:
    was_ready = []
    with Upstream() as upstream:
        async with running(upstream, tmp_path) as gate:
            requests = gate.parts.requests
            requests.under_way = 3

            async def one_is_answered(_seconds: float) -> None:
                was_ready.append(AHEAD in sys.modules)
                requests.under_way -= 1

            await make_ready(gate.parts, one_is_answered)
    assert was_ready == [False] * 3
    assert AHEAD in sys.modules


@pytest.mark.usefixtures("fresh")
async def test_what_is_never_used_is_not_made_ready(tmp_path: Path) -> None:
    with Upstream() as upstream:
        async with running(upstream, tmp_path, prefetch=False) as gate:
            await make_ready(gate.parts, Moment())
    assert AHEAD not in sys.modules
