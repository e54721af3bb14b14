import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate.simple.accept import Coding, Form, choose, coding

J, H, T = Form.JSON, Form.HTML_V1, Form.HTML
_JSON = "application/vnd.pypi.simple.v1+json"
_HTML = "application/vnd.pypi.simple.v1+html"


@pytest.mark.parametrize(
    ("lines", "form"),
    [
        pytest.param([], T, id="16 no header"),
        pytest.param([""], T, id="16 empty header"),
        pytest.param(["*/*"], T, id="16 anything"),
        pytest.param([_JSON], J, id="14 json"),
        pytest.param([_HTML], H, id="14 v1 html"),
        pytest.param(["text/html"], T, id="14 html"),
        pytest.param(["application/vnd.pypi.simple.latest+json"], J, id="15 latest json"),
        pytest.param(["application/vnd.pypi.simple.latest+html"], H, id="15 latest html"),
        pytest.param([f"{_JSON}, {_HTML}; q=0.1, text/html; q=0.01"], J, id="17 pip"),
        pytest.param([f"{_JSON}, {_HTML};q=0.2, text/html;q=0.01"], J, id="17 uv"),
        pytest.param([f"{_JSON}, */*;q=0.1"], J, id="17 poetry"),
        pytest.param(["text/html,application/xhtml+xml,*/*;q=0.8"], T, id="a browser"),
        pytest.param([f"{_JSON};q=0.1, {_HTML}"], H, id="18 q ranks"),
        pytest.param([f"text/html;q=0.5, {_JSON};q=0.5"], J, id="18 order does not"),
        pytest.param([f"{_JSON};q=0, */*"], T, id="18 q=0 excludes"),
        pytest.param(["text/html;q=0, */*"], J, id="18 q=0 excludes html"),
        pytest.param([f"application/*, {_JSON};q=0"], H, id="18 specific over wildcard"),
        pytest.param([f"*/*;q=1, {_JSON};q=0.1"], T, id="18 specific lowers"),
        pytest.param(["application/*"], J, id="18 application/*"),
        pytest.param(["text/*"], T, id="18 text/*"),
        pytest.param([f"  {_JSON.upper()} ;  Q=0.9 ,, ,text/html;q=0.1"], J, id="19 case, blanks"),
        pytest.param(["text/html;q=0.1", _JSON], J, id="19 several lines"),
        pytest.param([f'text/plain;a="x,{_JSON}", text/html;q=.3'], T, id="19 quoted comma"),
        pytest.param(
            [f"application/vnd.pypi.simple.v2+json, {_JSON};q=0.5"], J, id="20 v2 beside v1"
        ),
        pytest.param(["image/png"], None, id="22 nothing acceptable"),
        pytest.param(["*/*;q=0"], None, id="22 everything excluded"),
        pytest.param(["application/json"], None, id="22 plain json is not ours"),
        pytest.param([f"{_JSON};q=high, text/html;q=0.1"], T, id="23 malformed q"),
        pytest.param([f"{_JSON};q=nan, text/html;q=0.1"], T, id="23 q=nan"),
        pytest.param([";;;,,=,"], T, id="23 nothing readable"),
        pytest.param([", ".join(["image/png"] * 500 + [_JSON])], J, id="23 very long"),
    ],
)
def test_the_accept_header_chooses_the_form(lines: list[str], form: Form | None) -> None:
    assert choose(lines) is form


@pytest.mark.parametrize(
    ("query", "form"),
    [
        (_JSON, J),
        (_JSON.replace("+", " "), J),
        ("application/vnd.pypi.simple.latest+json", J),
        (_HTML, H),
        ("text/html", T),
        ("TEXT/HTML", T),
        ("", H),
        ("json", None),
        ("application/vnd.pypi.simple.v2+json", None),
    ],
)
def test_24_the_format_query_wins_over_accept(query: str, form: Form | None) -> None:
    assert choose([_HTML], query) is form


def test_each_form_is_named_by_its_content_type() -> None:
    assert [str(form) for form in Form] == [_JSON, _HTML, "text/html"]


@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        ([], Coding.IDENTITY),
        ([""], Coding.IDENTITY),
        (["gzip, deflate"], Coding.GZIP),
        (["gzip", "br"], Coding.GZIP),
        (["x-gzip"], Coding.GZIP),
        (["*"], Coding.GZIP),
        (["GZIP;Q=0.5"], Coding.GZIP),
        (["br"], Coding.IDENTITY),
        (["identity"], Coding.IDENTITY),
        (["gzip;q=0"], Coding.IDENTITY),
        (["gzip;q=0, *"], Coding.IDENTITY),
        (["identity, gzip;q=0.5"], Coding.IDENTITY),
        (["identity;q=0.5, gzip"], Coding.GZIP),
    ],
)
def test_27_the_coding_is_what_the_client_takes(lines: list[str], answer: Coding) -> None:
    assert coding(lines) is answer


_near = st.text(alphabet='*/;=,q01. "\\ainvdoptexhjs+lm-') | st.text()


@given(lines=st.lists(_near, max_size=3), query=st.none() | _near)
def test_23_no_header_makes_it_fail(lines: list[str], query: str | None) -> None:
    assert choose(lines, query) in {*Form, None}
    assert coding(lines) in set(Coding)
