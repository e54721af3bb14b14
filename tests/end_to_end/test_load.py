"""A few seconds of the load that `python -m tests.bench.load` keeps up for half an hour."""

from pathlib import Path

import pytest

from tests.bench.load import load

pytestmark = pytest.mark.end_to_end


async def test_no_answer_is_wrong_while_upstream_fails_and_the_policy_changes(
    tmp_path: Path,
) -> None:
    told = await load(0.15, projects=12, clients=4, share=0.1, seed=3, folder=tmp_path)
    assert told.wrong == []
    assert {("page", "page"), ("file", "served"), ("file", "refused")} <= told.counts.keys()
