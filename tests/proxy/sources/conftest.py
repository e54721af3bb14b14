from collections.abc import AsyncIterator

import httpx
import pytest

from indexgate.sources.outbound import client


@pytest.fixture
async def asking() -> AsyncIterator[httpx.AsyncClient]:
    async with client(timeout=10) as opened:
        yield opened
