"""Which form and which coding is answered (PEP 691, RFC 9110 section 12)."""

import gzip
from itertools import product

import pytest

from tests.conformance.catalogue import JSON_TYPE
from tests.conformance.requirements import holds
from tests.conformance.worlds import HTML_V1, World

pytestmark = pytest.mark.asyncio(loop_scope="session")

JSON, HTML = JSON_TYPE, "text/html"
LATEST = "application/vnd.pypi.simple.latest"
PATHS = ["/simple/", "/simple/plain/"]


LINES: list[tuple[str | None, str]] = [
    (None, HTML),
    ("*/*", HTML),
    (JSON, JSON),
    (HTML_V1, HTML_V1),
    (HTML, HTML),
    (f"{LATEST}+json", JSON),
    (f"{LATEST}+html", HTML_V1),
    (f"{JSON}, {HTML_V1}; q=0.1, text/html; q=0.01", JSON),  # pip
    (f"{JSON}, {HTML_V1};q=0.2, text/html;q=0.01", JSON),  # uv
    (f"{JSON}, */*;q=0.1", JSON),  # Poetry
    (f"{HTML};q=0.1, {JSON};q=0.2", JSON),
    (f"{JSON};q=0.1, {HTML};q=0.2", HTML),
    (f"{HTML}, {JSON}", JSON),
    (f"{JSON};q=0, */*", HTML),
    (f"{HTML};q=0, {JSON};q=0, */*", HTML_V1),
    ("application/*", JSON),
    ("text/*", HTML),
    (f"text/*, {HTML};q=0, {JSON};q=0.1", JSON),
    (f"*/*;q=0.9, {HTML_V1};q=0.1, {HTML};q=0.1, {JSON};q=0.5", JSON),
    (f"{JSON.upper()}", JSON),
    ("Text/HTML; Q=0.5", HTML),
    (f",, {JSON} ;  q=1.000 ,", JSON),
    (f"\t{HTML_V1}", HTML_V1),
    (f'{JSON};profile="a,b;q=0";q=0.8, {HTML};q=0.2', JSON),
    ("application/vnd.pypi.simple.v2+json, " + JSON + ";q=0.5", JSON),
    (f"application/vnd.pypi.simple.v2+html, {HTML}", HTML),
    (f"application/vnd.pypi.simple.v3+json;q=0.9, {LATEST}+html;q=0.1", HTML_V1),
]


@holds("B13", "B14", "B15", "B16", "B17", "B18", "B19", "B20", "B26")
async def test_the_form_is_the_one_that_the_line_likes_best(world: World) -> None:
    for path, (accept, media) in product(PATHS, LINES):
        answer = await world.ask(path, *([("Accept", accept)] if accept is not None else []))
        assert (accept, answer.status, answer.media) == (accept, 200, media)
        assert "latest" not in answer.headers["Content-Type"]
        parameters = answer.headers["Content-Type"].partition(";")[2].strip().lower()
        assert parameters == ("charset=utf-8" if media == HTML else "")


@holds("B19")
async def test_several_accept_lines_are_one(world: World) -> None:
    lines = [("Accept", f"{HTML};q=0.1"), ("Accept", "image/png"), ("Accept", JSON)]
    assert (await world.ask("/simple/plain/", *lines)).media == JSON


UNACCEPTABLE = [
    "image/png",
    "application/json",
    f"{HTML};q=0, {JSON};q=0.0, {HTML_V1};q=0",
    "*/*;q=0",
    "application/vnd.pypi.simple.v2+json",
]


@holds("B21", "B22", "B25", "O128")
async def test_nothing_acceptable_is_406(world: World) -> None:
    for path, accept in product(PATHS, UNACCEPTABLE):
        answer = await world.ask(path, Accept=accept)
        assert (accept, answer.status) == (accept, 406)
        assert "Accept" in answer.headers["Vary"]
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert JSON in answer.json()["detail"]


MALFORMED = [
    "",
    ";",
    "/",
    "text",
    "text/html;q=",
    "text/html;q=abc",
    "text/html;q=-1",
    "text/html;q=1e9",
    "*/html",
    "*",
    ",",
    '"',
    'text/html;a="b',
    "q=1",
    "text/html;q=1;q=0",
    "a" * 7000,
    "\xff/\xff",
]


@holds("B23")
async def test_a_malformed_accept_is_no_fault(world: World) -> None:
    for accept in MALFORMED:
        answer = await world.ask("/simple/plain/", Accept=accept)
        assert answer.status in {200, 406}, accept


QUERIES: list[tuple[str, str | None]] = [
    ("application/vnd.pypi.simple.v1%2Bjson", JSON),
    ("application/vnd.pypi.simple.v1+json", JSON),
    ("application/vnd.pypi.simple.v1%20json", JSON),
    (f"{LATEST}%2Bhtml", HTML_V1),
    ("text/html", HTML),
    ("text%2Fhtml&format=" + JSON, HTML),
    ("application/vnd.pypi.simple.v2+json", None),
    ("nonsense", None),
    ("text/html;q=0.5", None),
    ("%00%ff", None),
]


@holds("B23", "B24")
async def test_a_query_names_one_form_and_wins(world: World) -> None:
    for path, (query, media) in product(PATHS, QUERIES):
        answer = await world.ask(f"{path}?format={query}", Accept=HTML_V1)
        assert (query, answer.status) == (query, 200 if media else 406)
        if media:
            assert answer.media == media


@holds("B25", "B27", "N114")
async def test_vary_names_what_the_answer_was_chosen_by(world: World) -> None:
    for path, accept, encoding in product(PATHS, (JSON, HTML_V1, HTML), ("identity", "gzip")):
        answer = await world.ask(path, Accept=accept, Accept_Encoding=encoding)
        assert {"Accept", "Accept-Encoding"} <= {
            name.strip() for name in answer.headers["Vary"].split(",")
        }


CODINGS: list[tuple[str | None, bool]] = [
    (None, False),
    ("identity", False),
    ("gzip;q=0", False),
    ("gzip;q=0, *", False),
    ("gzip", True),
    ("GZIP;Q=1", True),
    ("gzip, deflate, br, zstd", True),
    ("br;q=1, gzip;q=0.1", True),
    ("identity;q=1, gzip;q=0.5", False),
    ("*", True),
    ("*;q=0", False),
    ("br", False),
    ("gzip;q=x, ;;", False),
]


@holds("B27")
async def test_a_page_is_packed_only_for_those_who_take_it(world: World) -> None:
    for path, (accepted, packed) in product(PATHS, CODINGS):
        plain = await world.ask(path, Accept=JSON)
        headers = [] if accepted is None else [("Accept-Encoding", accepted)]
        answer = await world.ask(path, ("Accept", JSON), *headers)
        coding = answer.headers.get("Content-Encoding", "identity")
        assert (accepted, coding) == (accepted, "gzip" if packed else "identity")
        assert (gzip.decompress(answer.sent) if packed else answer.sent) == plain.sent
        assert int(answer.headers["Content-Length"]) == len(answer.sent)
