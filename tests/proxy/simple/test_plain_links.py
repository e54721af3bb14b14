"""A long list whose links are all alike is read as the parser would read it."""

from unittest import mock

from hypothesis import example, given
from hypothesis import strategies as st

from indexgate.simple import read, read_html
from indexgate.simple.model import ProjectList, Unreadable

URL = "https://index.example.test/simple/"
HEAD = '<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.1"></head><body>'


def listed(text: str) -> ProjectList | str:
    try:
        return read.project_list(text.encode(), content_type="text/html", url=URL)
    except Unreadable as error:
        return error.reason


def parsed(text: str) -> ProjectList | str:
    """Read *text* with the parser alone."""
    with mock.patch.object(read_html, "plain_links", lambda text: (text, "", iter(()))):
        return listed(text)


def test_links_that_are_alike_do_not_reach_the_parser() -> None:
    links = "".join(f'<a href="/simple/p{n}/">P{n}</a><br />\n' for n in range(100))
    with mock.patch.object(read_html, "_walk", wraps=read_html._walk) as walk:
        found = listed(f"{HEAD}{links}</body></html>")
    assert isinstance(found, ProjectList)
    assert found.names == tuple(f"P{n}" for n in range(100))
    assert walk.call_args.args[0].count("<a ") == 1


NAMES = st.sampled_from(["demo", "Foo.Bar", "foo-bar", "a", "..", "x y", "-", ""])
LINKS = st.builds(
    "{}{}{}".format,
    st.builds(
        '<a href="{}{}/">{}</a>'.format,
        st.sampled_from(["", "/simple/", "../", "https://other.example.test/simple/"]),
        NAMES,
        NAMES,
    ),
    st.sampled_from(["", "<br>", "<br/>"]),
    st.sampled_from(["", "\n", " "]),
)
OTHERS = st.sampled_from(
    (
        *("<!--", "-->", "<script>", "</script>", "<title>", "</title>", '<p title="', "'", "text"),
        *('<a href="b/" class="x">b</a>', "<A href=c/>c</A>", '<base href="/other/">', "&amp;"),
        *("</body></html>", HEAD, "<form>", '<a href="demo/">demo', "<", ">", '"', "<h1>"),
    )
)


@given(parts=st.lists(LINKS | LINKS | OTHERS, max_size=12))
@example(parts=['<p title="', '<a href="demo/">demo</a>', '">'])
@example(parts=["<textarea>", '<a href="demo/">demo</a>', "</textarea>"])
def test_whatever_the_text_it_is_read_as_the_parser_reads_it(parts: list[str]) -> None:
    text = "".join(parts)
    assert listed(text) == parsed(text)
    assert listed(HEAD + text) == parsed(HEAD + text)
