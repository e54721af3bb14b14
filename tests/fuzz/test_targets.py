"""A few hundred odd inputs for each target; `python -m tests.fuzz` goes on for as long as asked."""

from pathlib import Path

import pytest

from tests.fuzz.__main__ import TARGETS, Search, search

CASES = 300


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("target", TARGETS)
async def test_nothing_in_a_few_hundred_cases_is_a_fault(target: str, tmp_path: Path) -> None:
    found = Search(seed=1, seconds=600.0, cases=CASES, folder=tmp_path)
    await search(target, found)
    assert found.found == {}
    assert found.cases == CASES
