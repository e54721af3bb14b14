"""The sentence that a rule cannot judge is read back as it was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate_policy.rules import unjudged
from indexgate_policy.rules.unjudged import Unjudged

NAMES = st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)*", fullmatch=True)


@given(project=NAMES, rule=NAMES, version=st.sampled_from(["", " 1.0"]), why=st.text(min_size=1))
def test_what_was_written_is_read(project: str, rule: str, version: str, why: str) -> None:
    sentence = Unjudged(rule=rule, why=why)
    text = sentence.of(project + version)
    assert unjudged.read(text, project=project, rule=rule) == sentence


@pytest.mark.parametrize(
    "reason",
    [
        "",
        "demo is new",
        "demos cannot be judged by the rule r: no feed",
        "demo cannot be judged by the rule other: no feed",
        "demo cannot be judged by the rule r: ",
    ],
)
def test_other_reasons_are_not_read_as_one(reason: str) -> None:
    assert unjudged.read(reason, project="demo", rule="r") is None
