from pathlib import Path

import pytest

from indexgate.sources import reference
from indexgate.sources.limits import LIMITS, Limit
from indexgate.sources.protocol import About

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "sources.md"


def test_the_page_in_the_documentation_is_the_rendered_one() -> None:
    # If it is not: print `reference.render()` into docs/reference/sources.md.
    assert PAGE.read_text(encoding="utf-8") == reference.render()


@pytest.mark.parametrize("about", reference.SOURCES, ids=lambda about: about.name)
def test_every_source_has_a_section_with_all_that_it_gives(about: About) -> None:
    _, _, section = reference.render().partition(f"\n## `{about.name}`\n")
    section, _, _ = section.partition("\n## ")
    for name in about.gives:
        assert f"| `{name}` |" in section
    if about.third_party:
        assert "- limit" in section
        assert about.documented_at in section


def test_every_source_asked_of_a_third_party_has_limits() -> None:
    assert {about.name for about in reference.SOURCES if about.third_party} <= LIMITS.keys()


def test_every_failure_is_in_the_table() -> None:
    for failure in reference.FAILURES:
        assert f"| {failure.happens} | {failure.said} |" in reference.render()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(60, "1,000 a minute"), (3600, "1,000 an hour"), (86_400, "1,000 a day"), (5, "1,000 in 5 s")],
)
def test_a_limit_is_written_in_words(seconds: int, words: str) -> None:
    assert str(Limit(requests=1_000, seconds=seconds)) == words
