from pathlib import Path

import pytest

from indexgate_policy.health import reference
from indexgate_policy.health.caps import RULES
from indexgate_policy.health.score import DIMENSIONS

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "score.md"


def test_the_page_in_the_documentation_is_the_rendered_one() -> None:
    # If it is not: print `reference.render()` into docs/reference/score.md.
    assert PAGE.read_text(encoding="utf-8") == reference.render()


@pytest.mark.parametrize("dimension", DIMENSIONS, ids=lambda dimension: dimension.name)
def test_every_input_has_a_heading_and_all_it_tells_of_itself(dimension: object) -> None:
    page = reference.render()
    for each in next(one for one in DIMENSIONS if one is dimension).inputs:
        _, _, section = page.partition(f"### `{each.name}`\n")
        section, _, _ = section.partition("\n##")
        assert all(text in section for text in (each.says, each.computes, each.source))
        assert all(f"`{name}`" in section for name in each.signals)


def test_every_cap_is_on_the_page() -> None:
    assert all(f"| {rule.limit:g} | {rule.when} |" in reference.render() for rule in RULES)
