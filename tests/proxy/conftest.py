"""The command line sets up the log of the process; each test leaves it as it was."""

from collections.abc import Iterator

import pytest

from tests.heard import as_before


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    with as_before():
        yield
