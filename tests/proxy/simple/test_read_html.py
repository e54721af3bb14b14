import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from indexgate.simple import read
from indexgate.simple.accept import Form
from tests.proxy.simple.pages import FILES, FOO, SHA, URL, from_html

INDEX = "https://index.example.test/"


def page(anchors: str = "", head: str = "") -> str:
    return (
        f"<!DOCTYPE html><html><head>{head}<title>Links for foo</title></head>"
        f"<body><h1>Links for foo</h1>{anchors}</body></html>"
    )


def test_every_attribute_is_read() -> None:
    anchor = (
        f'<a href="{FILES}foo-1.0-py3-none-any.whl#sha256={SHA}" data-requires-python="&gt;=3.9"'
        f' data-core-metadata="sha256={SHA}" data-dist-info-metadata="true"'
        ' data-yanked="a &amp;lt;"'
        ' data-gpg-sig="true" data-provenance="https://p.example.test/x" data-size="12"'
        ' data-upload-time="2024-01-01T00:00:00Z">foo-1.0-py3-none-any.whl</a>'
    )
    head = (
        '<meta name="pypi:repository-version" content="1.4">'
        '<meta name="pypi:project-status" content="archived">'
        '<meta name="pypi:project-status-reason" content="a &lt;b&gt;">'
    )
    read_page = from_html(page(anchor, head))
    (file,) = read_page.files
    assert (read_page.api_version, read_page.versions) == ((1, 4), UNSET)
    assert (read_page.status, read_page.status_reason) == ("archived", "a <b>")
    assert (file.filename, file.url) == ("foo-1.0-py3-none-any.whl", FILES + file.filename)
    assert file.hashes == {"sha256": SHA} == file.core_metadata
    assert (file.requires_python, file.gpg_sig) == (">=3.9", True)
    assert file.yanked == "a &lt;"  # 83: entities are decoded once
    assert file.provenance == "https://p.example.test/x"
    assert (file.size, file.upload_time) == (12, "2024-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("anchor", "filename", "url"),
    [
        pytest.param(
            '<A HREF="../../p/foo-1.0.zip">foo-1.0.zip</A>',
            "foo-1.0.zip",
            INDEX + "p/foo-1.0.zip",
            id="146 upper case, relative",
        ),
        pytest.param(
            "<a href='foo-1.0.zip#md5=00'>\n   foo-1.0.zip\n </a>",
            "foo-1.0.zip",
            URL + "foo-1.0.zip",
            id="146 blanks in the text",
        ),
        pytest.param(
            "<a href=foo-1.0.tar.gz>foo-1.0.ta..&gt;</a>",
            "foo-1.0.tar.gz",
            URL + "foo-1.0.tar.gz",
            id="146 cut text of a directory listing",
        ),
        pytest.param(
            '<a href=" /p/foo-1.0%2Bcu.tar.gz ">x</a>',
            "foo-1.0+cu.tar.gz",
            INDEX + "p/foo-1.0%2Bcu.tar.gz",
            id="63 not encoded twice",
        ),
        pytest.param(
            '<a href="/my repo/foo-1.0.zip">foo-1.0.zip</a>',
            "foo-1.0.zip",
            INDEX + "my%20repo/foo-1.0.zip",
            id="146 unescaped address",
        ),
        pytest.param(
            '<a href="/download?id=3&amp;x=1">foo-1.0.zip</a>',
            "foo-1.0.zip",
            INDEX + "download?id=3&x=1",
            id="the text names the file",
        ),
        pytest.param(
            '<a href="foo-1.0.zip"><b>foo</b>-1.0.zip<a href="../">..</a>',
            "foo-1.0.zip",
            URL + "foo-1.0.zip",
            id="146 anchor left open",
        ),
    ],
)
def test_messy_anchors_are_read_right(anchor: str, filename: str, url: str) -> None:
    read_page = from_html(page('<a href="../">Parent Directory</a>' + anchor))
    assert [(file.filename, file.url) for file in read_page.files] == [(filename, url)]
    assert read_page.dropped == 0


@pytest.mark.parametrize(
    ("attributes", "yanked"),
    [
        ("data-yanked", True),
        ('data-yanked=""', True),
        ('data-yanked="false"', "false"),
        ('DATA-YANKED="a\nb"', "a\nb"),
        ("", False),
    ],
)
def test_83_the_yank_mark(attributes: str, yanked: bool | str) -> None:
    assert from_html(page(f'<a href="foo-1.zip" {attributes}>x</a>')).files[0].yanked == yanked


@pytest.mark.parametrize(
    ("attributes", "core"),
    [
        ('data-core-metadata="true"', True),
        (f'data-core-metadata="sha256={SHA}"', {"sha256": SHA}),
        ('data-core-metadata="sha256=00"', True),
        ('data-core-metadata="false" data-dist-info-metadata="true"', False),
        ('data-core-metadata=""', UNSET),
        ("data-core-metadata", UNSET),
        ('data-dist-info-metadata="true"', True),
        ("", UNSET),
    ],
)
def test_72_77_the_side_file_mark(attributes: str, core: object) -> None:
    file = from_html(page(f'<a href="foo-1.zip" {attributes}>x</a>')).files[0]
    assert file.core_metadata == core


def test_62_the_base_moves_relative_addresses() -> None:
    read_page = from_html(page('<a href="foo-1.zip">x</a>', '<base href="/mirror/">'))
    assert read_page.files[0].url == INDEX + "mirror/foo-1.zip"


def test_138_142_bad_anchors_go_and_good_ones_stay() -> None:
    bad = [
        "javascript:alert(1)//foo-2.zip",
        "file:///foo-2.zip",
        "..%2Ffoo-2.zip",
        "a%00/foo%00-2.zip",
        "bar-1.0.zip",
        "second/foo-1.zip",
        "https://[/foo-3.zip",
    ]
    anchors = "".join(f'<a href="{href}">x</a>' for href in ["foo-1.zip", *bad, "foo-4.zip"])
    read_page = from_html(page(anchors))
    assert [file.url for file in read_page.files] == [URL + "foo-1.zip", URL + "foo-4.zip"]
    assert read_page.dropped == len(bad) - 1  # an address that cannot be split has no file name


PORTAL = "<!DOCTYPE html><html><head><title>Login</title></head><body>{}</body></html>"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not a page",
        "{}",
        PORTAL.format("<p>Please accept the terms"),
        PORTAL.format('<form action="/login"><input name="user"></form>'),
        PORTAL.format('<a href="/terms">terms</a>'),
        PORTAL.format('<script src="/x.js"></script>'),
        PORTAL.format('<a href="/agent-setup-1.0.exe">install our agent</a>'),
        '<html><head><meta http-equiv="refresh" content="0;url=/login"></head></html>',
        "<html><body><img src='/logo.png'></body></html>",
        "<![x[",
    ],
)
def test_124_a_captive_portal_is_no_page(body: str) -> None:
    for reader in (
        lambda: from_html(body),
        lambda: read.project_list(body.encode(), content_type="text/html", url=URL),
    ):
        with pytest.raises(read.Unreadable) as caught:
            reader()
        assert caught.value.kind == "garbage"


@pytest.mark.parametrize(
    "body",
    [
        page(),
        "<!DOCTYPE html><html><head><title>foo</title></head><body></body></html>",
        "<html><body>\n</body></html>",
        '<!DOCTYPE html><meta name="pypi:repository-version" content="1.0">',
        "<html><head><title>Index of /foo/</title></head><body><a href='../'>../</a></body></html>",
        "<html><body><h1>root/dev: links for foo</h1><form><input></form></body></html>",
    ],
)
def test_an_empty_index_page_is_a_page(body: str) -> None:
    assert from_html(body).files == ()


def test_the_api_content_type_makes_any_html_a_page() -> None:
    assert from_html("", Form.HTML_V1).files == ()


def test_a_page_without_any_sign_but_a_file_is_a_page() -> None:
    assert len(from_html('<a href="foo-1.zip">foo-1.zip</a>').files) == 1


@pytest.mark.parametrize(("version", "kind"), [("2.0", "version"), ("new", "garbage")])
def test_52_another_major_version_is_refused(version: str, kind: str) -> None:
    with pytest.raises(read.Unreadable) as caught:
        from_html(page(head=f'<meta name="pypi:repository-version" content="{version}">'))
    assert caught.value.kind == kind


def test_51_no_version_is_1_0() -> None:
    assert from_html(page()).api_version == (1, 0)


@pytest.mark.parametrize(
    ("charset", "encoding"), [("", "utf-8"), ("UTF-8", "utf-8-sig"), ("ISO-8859-1", "latin-1")]
)
def test_the_charset_is_the_content_types(charset: str, encoding: str) -> None:
    body = page('<a href="foo-1.zip" data-yanked="sch\u00f6n">x</a>').encode(encoding)
    content_type = f'text/html; charset="{charset}"' if charset else "text/html"
    read_page = read.page(body, content_type=content_type, url=URL, project=FOO)
    assert read_page.files[0].yanked == "sch\u00f6n"


def test_57_60_a_list_takes_the_projects_and_leaves_other_links() -> None:
    body = (
        b"<html><head><title>Simple index</title></head><body><a href='../'>up</a>"
        b"<a href='/simple/foo-bar/'>Foo.Bar</a><a href='b/'> b/ </a><a href='foo-bar/'>foo-bar</a>"
        b"<a href='/help/'>how to</a><a href='c/'></a></body></html>"
    )
    projects = read.project_list(body, content_type="text/html", url=INDEX + "simple/")
    assert projects.names == ("Foo.Bar", "b", "c")


def test_a_list_without_any_sign_but_a_project_below_it_is_a_list() -> None:
    body = b"<a href='b/'>b</a><a href='/simple/c/'>c</a>"
    projects = read.project_list(body, content_type="text/html", url=INDEX + "simple/")
    assert projects.names == ("b", "c")


_pieces = st.sampled_from(
    [
        *("<a ", "<A href=", "'", '"', ">", "</a>", "<!--", "-->", "<![", "]]>", "<!", "<?", "&"),
        *("foo-1.zip", "http://", "//", "[", "#sha256=", "data-yanked", "=", " ", "<base href="),
        *("<meta name=pypi:repository-version content=", "1.0", "&#0;", "&#xD800;", "<script>"),
    ]
)


@given(parts=st.lists(_pieces | st.text(max_size=3), max_size=30))
def test_any_text_is_a_page_or_unreadable(parts: list[str]) -> None:
    body = "".join(parts).encode(errors="replace")
    try:
        read_page = read.page(body, content_type=Form.HTML_V1, url=URL, project=FOO)
    except read.Unreadable:
        return
    for file in read_page.files:
        assert file.url.startswith(("http://", "https://"))
        assert "/" not in file.filename
