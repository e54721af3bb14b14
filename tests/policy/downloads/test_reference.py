from pathlib import Path

from indexgate_policy.downloads import reference

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "downloads.md"


def test_the_page_in_the_documentation_is_the_rendered_one() -> None:
    # If it is not: print `reference.render()` into docs/reference/downloads.md.
    assert PAGE.read_text(encoding="utf-8") == reference.render() + "\n"
