"""Addresses: what is where, what leads there, and what is nowhere."""

from itertools import product

import pytest
from yarl import URL

from tests.conformance.catalogue import JSON_TYPE
from tests.conformance.requirements import holds
from tests.conformance.worlds import World

pytestmark = pytest.mark.asyncio(loop_scope="session")


@holds("A1")
@pytest.mark.parametrize("path", ["/simple/", "/simple/plain/", "/simple/odd-names-pkg/"])
async def test_the_base_and_the_pages_answer(world: World, path: str) -> None:
    assert (await world.ask(path)).status == 200


SPELLINGS = [
    ("/simple", "/simple/"),
    ("/simple?format=text/html", "/simple/?format=text/html"),
    ("/simple/plain", "/simple/plain/"),
    ("/simple/plain?format=text/html", "/simple/plain/?format=text/html"),
    ("/simple/PLAIN/", "/simple/plain/"),
    ("/simple/Odd.Names__Pkg/?a=1&b=%20", "/simple/odd-names-pkg/?a=1&b=%20"),
    ("/simple/Odd.Names__Pkg", "/simple/odd-names-pkg/"),
    ("/simple//plain/", "/simple/plain/"),
    ("/simple//plain", "/simple/plain/"),
    ("/simple/No-Such/", "/simple/no-such/"),
]


@holds("A2", "A3", "A4", "A5", "A10")
async def test_other_spellings_are_led_to_the_one_address(world: World) -> None:
    forwarded = {"X_Forwarded_Host": "evil.example.test", "X_Forwarded_Proto": "ftp"}
    for (path, leads_to), accept in product(SPELLINGS, (JSON_TYPE, "text/html")):
        answer = await world.ask(path, Accept=accept, **forwarded)
        assert (answer.status, answer.sent) == (301, b"")
        location = answer.headers["Location"]
        assert "evil" not in location
        assert "://" not in location
        assert not location.startswith("/")
        asked = URL(f"http://gate.example.test{path}", encoded=True)
        assert asked.join(URL(location, encoded=True)).raw_path_qs == leads_to
        led = await world.ask(leads_to, Accept=accept)
        assert led.status in ({404} if "no-such" in leads_to else {200, 451})
        if led.status == 200:
            assert led.media == ("text/html" if "format=" in path else accept)


@holds("A3", "Q139")
@pytest.mark.parametrize(
    "host", ["evil.example.test", "evil.example.test:80", "127.0.0.1.evil.example.test", "a b"]
)
async def test_a_strangers_host_is_not_answered_and_never_repeated(world: World, host: str) -> None:
    answer = await world.ask("/simple/plain", Host=host)
    assert answer.status == 421
    assert "Location" not in answer.headers
    assert host.encode() not in answer.body


@holds("A6", "N122", "O128", "O131")
@pytest.mark.parametrize("path", ["/simple/no-such/", "/simple/empty-no-such/"])
@pytest.mark.parametrize("accept", [JSON_TYPE, "text/html", "*/*"])
async def test_an_unknown_project_is_404(world: World, path: str, accept: str) -> None:
    answer = await world.ask(path, Accept=accept)
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert {"title", "detail", "status", "type"} <= answer.json().keys()
    assert len(answer.sent) < 1000
    without = await world.ask(path.rstrip("/"), Accept=accept)
    assert without.status in {301, 404}


@holds("A7")
@pytest.mark.parametrize(
    "path", ["/simple/", "/simple/plain/", "/simple/plain", "/simple/no-such/", "/nothing"]
)
async def test_head_is_get_without_a_body(world: World, path: str) -> None:
    for accept, coding in product((JSON_TYPE, "text/html"), ("identity", "gzip")):
        asked = {"Accept": accept, "Accept_Encoding": coding}
        head = await world.ask(path, method="HEAD", **asked)
        got = await world.ask(path, **asked)
        assert (head.status, head.sent) == (got.status, b"")
        of_this_answer = {"date", "server-timing", "x-request-id"}
        said = {k.lower(): v for k, v in got.headers.items() if k.lower() not in of_this_answer}
        if got.sent == b"":
            said.pop("content-length")  # which may be left out of an answer to HEAD
        repeated = {k.lower(): v for k, v in head.headers.items()}
        assert repeated | said == repeated
        assert head.headers.keys() <= got.headers.keys()


@holds("A8", "S151", "S152")
async def test_another_method_is_not_allowed(world: World) -> None:
    paths = ("/simple/", "/simple/plain/", "/files/https/a.example.test/x.whl")
    methods = ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE")
    for path, method in product(paths, methods):
        answer = await world.ask(path, method=method)
        assert (method, answer.status) == (method, 405)
        assert {"GET", "HEAD"} <= {m.strip() for m in answer.headers["Allow"].split(",")}


NO_NAMES = [
    "%00",
    "..%2f..%2fetc%2fpasswd",
    "a%2fb",
    "%2e%2e",
    "a%0d%0aX-Injected:%201",
    "plain%0a",
    "a" * 3000,
    "-",
    "-plain",
    "plain-",
    "_",
    "pl%20ain",
    "%ff%fe",
    "%C3%BC",
    "pl%5Cain",
    "%25",
]


@holds("A9", "Q139", "Q140")
async def test_what_is_no_project_name_is_not_there(world: World) -> None:
    before = len(world.upstream.log)
    for name, prefix, slash in product(NO_NAMES, ("/simple/", "/simple//"), ("/", "")):
        answer = await world.ask(f"{prefix}{name}{slash}")
        assert (name, answer.status) == (name, 404)
        assert "X-Injected" not in answer.headers
        assert "Location" not in answer.headers
    assert len(world.upstream.log) == before


@holds("A10")
@pytest.mark.parametrize(
    "path",
    ["/simple/plain/?a=1&b", "/simple/plain/?", "/simple/plain/?json", "/simple/plain/?format="],
)
async def test_a_query_that_means_nothing_changes_nothing(world: World, path: str) -> None:
    plain = await world.ask("/simple/plain/", Accept=JSON_TYPE)
    assert (await world.ask(path, Accept=JSON_TYPE)).sent == plain.sent


@holds("A10")
async def test_an_escaped_dash_is_a_dash(world: World) -> None:
    assert (await world.ask("/simple/odd%2Dnames%2Dpkg/")).status in {200, 301}
    assert (await world.ask("/simple/odd%2dfiles/")).status in {200, 301}


NOT_OFFERED = [
    "/namespaces",
    "/namespace/acme",
    "/simple/namespace/acme",
    "/rss/updates.xml",
    "/rss/packages.xml",
    "/rss/project/plain/releases.xml",
    "/stats/",
    "/search/?q=plain",
    "/pypi",
    "/legacy/",
    "/integrity/plain/9.0/plain-9.0.tar.gz/provenance",
    "/RPC2",
    "/",
]


@holds("A11", "L104", "S149", "S150", "S151", "S152")
async def test_what_is_not_offered_says_nothing_of_any_project(world: World) -> None:
    for path, method in product(NOT_OFFERED, ("GET", "POST")):
        answer = await world.ask(path, method=method, Accept="application/json")
        assert answer.status in ({404, 405} if path != "/" or method == "POST" else {200})
        assert b"plain" not in answer.body


@holds("A11")
async def test_a_project_may_be_called_namespaces(world: World) -> None:
    assert (await world.ask("/simple/namespaces")).status == 301
    assert (await world.ask("/simple/namespaces/")).status == 404
