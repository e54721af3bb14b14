import re
from pathlib import Path

import pytest

from indexgate_policy.rules import conditions, document, missing, reference
from tests.policy.rules.facts import NOW

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "policy.md"
EXAMPLES = re.findall(r"```toml\n(.*?)```", reference.render(), re.DOTALL)


def test_the_page_in_the_documentation_is_the_rendered_one() -> None:
    # If it is not: print `reference.render()` into docs/reference/policy.md.
    assert PAGE.read_text(encoding="utf-8") == reference.render() + "\n"


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_a_policy(example: str) -> None:
    assert document.parse(example, source="policy.md", now=NOW).notices == ()


def test_every_condition_has_a_heading_and_an_example() -> None:
    assert len(EXAMPLES) == len(conditions.ALL) + 3
    for definition in conditions.ALL:
        assert f"### `{definition.name}`" in reference.render()


def test_what_is_missing_is_declared_whole() -> None:
    assert len({row.id for row in missing.TABLE}) == len(missing.TABLE)
    for row in missing.TABLE:
        assert row.thing
        assert row.page
        assert row.file
        assert row.thing in reference.render()
