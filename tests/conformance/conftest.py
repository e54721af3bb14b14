"""One gate for each world, shared by all tests that change nothing in it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.conformance.worlds import Doing, Spoken, World, opened

WORLDS: list[tuple[Spoken, Doing]] = [
    ("json", "open"), ("json", "hide"), ("json", "explain"),
    ("html", "open"), ("html", "hide"), ("html", "explain"),
]  # fmt: skip


@pytest_asyncio.fixture(
    scope="session", loop_scope="session", params=WORLDS, ids=[f"{s}-{d}" for s, d in WORLDS]
)
async def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """A gate that is asked and never changed."""
    spoken, doing = request.param
    async with opened(spoken, doing, tmp_path_factory.mktemp("world")) as found:
        yield found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def one_world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A gate for questions that do not get as far as what upstream speaks."""
    async with opened("json", "open", tmp_path_factory.mktemp("one-world")) as found:
        yield found
