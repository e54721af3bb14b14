import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate.sources.repository import best, normalized


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://github.com/Example/Sample", "https://github.com/example/sample"),
        ("http://www.github.com/example/sample.git", "https://github.com/example/sample"),
        ("git+https://github.com/example/sample/", "https://github.com/example/sample"),
        ("https://github.com/example/sample/issues/7", "https://github.com/example/sample"),
        ("https://github.com/example/sample#readme", "https://github.com/example/sample"),
        ("https://gitlab.com/a/b/c/-/issues", "https://gitlab.com/a/b/c"),
        ("https://gitlab.com/a/b/tree/main", "https://gitlab.com/a/b"),
        ("https://git.sr.ht/~Someone/Thing", "https://git.sr.ht/~Someone/Thing"),
        ("https://github.com/example", None),
        ("https://github.com/sponsors/example", None),
        ("https://github.com.example.test/a/b", None),
        ("https://example.test/a/b", None),
        ("https://github.com/../..", None),
        ("https://github.com/a/.git", None),
        ("https://[", None),
        ("javascript://github.com/a/b", None),
        ("", None),
    ],
)
def test_an_address_is_a_repository_of_a_known_host_or_none(url: str, expected: str | None) -> None:
    assert normalized(url) == expected


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        (
            [
                ("Issues", "https://github.com/a/issues-only"),
                ("Homepage", "https://github.com/a/home"),
                ("Source Code", "https://github.com/a/source"),
            ],
            "https://github.com/a/source",
        ),
        (
            [("Docs", "https://github.com/a/docs"), ("", "https://github.com/a/home")],
            "https://github.com/a/home",
        ),
        (
            [("Repository", "https://git.example.test/a/b"), ("X", "https://codeberg.org/a/b")],
            "https://codeberg.org/a/b",
        ),
        ([("Source", "https://example.test/")], None),
        ([], None),
    ],
)
def test_the_link_that_says_source_is_taken_first(
    links: list[tuple[str, str]], expected: str | None
) -> None:
    assert best(links) == expected


@given(st.text() | st.from_regex(r"https://github\.com/\S*", fullmatch=True))
def test_whatever_is_normalised_stays_itself(url: str) -> None:
    once = normalized(url)
    assert once is None or normalized(once) == once
