import re
from pathlib import Path

import pytest

from indexgate_policy.checks import CHECKS, Check, reference
from indexgate_policy.rules import document
from tests.policy.rules.facts import NOW

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "flags.md"
EXAMPLES = re.findall(r"```toml\n(.*?)```", reference.render(), re.DOTALL)


def test_the_page_in_the_documentation_is_the_rendered_one() -> None:
    # If it is not: print `reference.render()` into docs/reference/flags.md.
    assert PAGE.read_text(encoding="utf-8") == reference.render()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.definition.id)
def test_every_check_has_a_heading_and_all_it_tells_of_itself(check: Check) -> None:
    _, _, section = reference.render().partition(f"## `{check.definition.id}`\n")
    section, _, _ = section.partition("\n## ")
    told = check.definition
    for text in (told.motivation, told.computes, told.minimum_data, told.severity):
        assert text in section
    for text in (told.known_false_alarms, told.remediation, told.source, told.short):
        assert text in section


def test_every_check_has_an_example_that_is_a_policy() -> None:
    assert len(EXAMPLES) == len(CHECKS)
    for example in EXAMPLES:
        assert document.parse(example, source="flags.md", now=NOW).notices == ()
