import gzip
import socket
import ssl
from collections.abc import AsyncIterator
from email.message import Message
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate.sources.outbound import (
    LONGEST_WAIT,
    MOST_REDIRECTS,
    answer,
    client,
    explain,
    read_bounded,
    retry_after,
    same_host,
    user_agent,
)
from indexgate.sources.protocol import SourceFailed
from tests.standins.documents import Documents
from tests.standins.faults import CutOff, Fault, Hold, Huge, Status, redirect


@pytest.fixture
async def service() -> AsyncIterator[Documents]:
    async with Documents({"/here": b"found"}) as running:
        yield running


@pytest.fixture
async def asking() -> AsyncIterator[httpx.AsyncClient]:
    async with client(timeout=10) as opened:
        yield opened


async def fetch(
    asking: httpx.AsyncClient, service: Documents, path: str = "/here", *, within: float = 30
) -> bytes:
    async with answer(
        asking,
        service.origin + path,
        source="example",
        allowed=same_host(service.origin),
        within=within,
    ) as response:
        return await read_bounded(response, 1000)


async def test_the_client_says_who_it_is(asking: httpx.AsyncClient, service: Documents) -> None:
    assert await fetch(asking, service) == b"found"
    assert service.headers["/here"]["User-Agent"] == user_agent()


def test_the_agent_names_version_and_the_first_address_of_the_metadata() -> None:
    told = Message()
    told["Version"] = "1.2"
    assert user_agent(told) == "indexgate/1.2"
    told["Project-URL"] = "Homepage, https://indexgate.example.test/"
    told["Project-URL"] = "Issues, https://indexgate.example.test/issues"
    assert user_agent(told) == "indexgate/1.2 (+https://indexgate.example.test/)"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_within_the_host_is_followed(
    asking: httpx.AsyncClient, service: Documents, status: int
) -> None:
    service.fault("/there", redirect("/here", status))
    assert await fetch(asking, service, "/there") == b"found"


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.2/here",
        "http://127.0.0.1:1/here",
        "https://127.0.0.1/here",
        "//example.test/here",
        "file:///here",
    ],
)
async def test_a_redirect_to_anywhere_else_is_not_followed(
    asking: httpx.AsyncClient, service: Documents, location: str
) -> None:
    service.fault("/there", redirect(location))
    with pytest.raises(SourceFailed, match="which is not allowed") as caught:
        await fetch(asking, service, "/there")
    assert caught.value.kind == "redirect"
    assert service.log == ["/there"]


async def test_redirects_are_counted(asking: httpx.AsyncClient, service: Documents) -> None:
    service.fault("/there", redirect("/there"))
    with pytest.raises(SourceFailed, match="redirects more than 5 times"):
        await fetch(asking, service, "/there")
    assert len(service.log) == MOST_REDIRECTS + 1


async def test_the_first_address_must_be_allowed_too(asking: httpx.AsyncClient) -> None:
    with pytest.raises(SourceFailed, match=r"leads to `example\.test`"):
        async with answer(
            asking,
            "http://example.test/",
            source="example",
            allowed=same_host("http://other.example.test/"),
        ):
            pytest.fail("was asked although it is not allowed")


@pytest.mark.parametrize(
    ("fault", "kind", "reason"),
    [
        (Status(status=404), "status", "answered 404 Not Found"),
        (Status(status=204), "status", "answered 204 No Content"),
        (Status(status=599), "status", "answered 599"),
        (CutOff(after=2), "cut-off", "broke off in the middle of the answer"),
        (Huge(size=2_000_000), "too-large", "answered more than 1,000 bytes"),
        (
            Status(status=200, body=b"x" * 1001),
            "too-large",
            "answered more than 1,000 bytes",
        ),
        (
            Status(status=200, body=b"not gzip", headers={"Content-Encoding": "gzip"}),
            "garbage",
            "answered a body that does not decompress",
        ),
        (
            Status(
                status=200,
                body=gzip.compress(b"whole")[:-6],
                headers={"Content-Encoding": "gzip"},
            ),
            "cut-off",
            "broke off in the middle of the answer",
        ),
        (
            Status(
                status=200,
                body=gzip.compress(b"one") + gzip.compress(b"two"),
                headers={"Content-Encoding": "gzip"},
            ),
            "garbage",
            "answered more than the one body that was asked for",
        ),
        (
            Status(
                status=200,
                body=gzip.compress(b" " * 50_000_000),
                headers={"Content-Encoding": "gzip"},
            ),
            "too-large",
            "answered more than 1,000 bytes",
        ),
    ],
)
async def test_every_bad_answer_has_its_kind_and_reason(
    asking: httpx.AsyncClient, service: Documents, fault: Fault, kind: str, reason: str
) -> None:
    service.fault("/here", fault)
    with pytest.raises(SourceFailed) as caught:
        await fetch(asking, service)
    assert (caught.value.kind, caught.value.reason) == (kind, reason)
    assert str(caught.value) == f"example {reason}"


@pytest.mark.parametrize("size", [0, 1, 999, 1000])
async def test_a_compressed_body_within_the_limit_is_whole(
    asking: httpx.AsyncClient, service: Documents, size: int
) -> None:
    body = bytes(n % 251 for n in range(size))
    packed = gzip.compress(body)
    service.fault("/here", Status(status=200, body=packed, headers={"Content-Encoding": "gzip"}))
    assert await fetch(asking, service) == body


async def test_an_answer_that_hangs_is_given_up_as_a_whole(
    asking: httpx.AsyncClient, service: Documents
) -> None:
    service.fault("/here", Hold())
    with pytest.raises(SourceFailed, match=r"did not finish within 0\.2 s") as caught:
        await fetch(asking, service, within=0.2)
    assert caught.value.kind == "timeout"


async def test_the_time_limit_covers_the_body_too(
    asking: httpx.AsyncClient, service: Documents
) -> None:
    hold = Hold()
    with pytest.raises(SourceFailed, match="did not finish"):
        async with answer(
            asking,
            f"{service.origin}/here",
            source="example",
            allowed=same_host(service.origin),
            within=0.2,
        ):
            await hold.reached()


async def test_a_service_that_is_down_refused_the_connection(asking: httpx.AsyncClient) -> None:
    async with Documents() as service:
        pass
    with pytest.raises(SourceFailed, match="refused the connection") as caught:
        await fetch(asking, service)
    assert caught.value.kind == "refused"


async def test_a_service_without_tls_is_told_when_tls_was_asked(
    asking: httpx.AsyncClient, service: Documents
) -> None:
    url = f"https://127.0.0.1:{service.port}/"
    with pytest.raises(SourceFailed, match="could not agree on an encrypted") as caught:
        async with answer(asking, url, source="example", allowed=same_host(url)):
            pytest.fail("was answered without TLS")
    assert caught.value.kind == "certificate"


async def test_the_proxy_of_the_environment_is_used(
    service: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", service.origin)
    monkeypatch.setenv("NO_PROXY", "")
    url = "http://far.example.test/here"
    async with (
        client() as asking,
        answer(asking, url, source="example", allowed=same_host(url)) as response,
    ):
        assert await read_bounded(response, 1000) == b"found"
    assert service.headers["/here"]["Host"] == "far.example.test"


async def test_a_given_proxy_takes_the_place_of_the_environments(
    service: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    url = "http://far.example.test/here"
    async with (
        client(proxy=service.origin) as asking,
        answer(asking, url, source="example", allowed=same_host(url)) as response,
    ):
        assert await read_bounded(response, 1000) == b"found"


async def test_no_proxy_is_honoured(service: Documents, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with client() as asking:
        assert await fetch(asking, service) == b"found"


async def test_credentials_of_an_address_are_sent_and_never_told_or_logged(
    asking: httpx.AsyncClient, service: Documents, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    url = f"http://user:secret@127.0.0.1:{service.port}/there"
    service.fault("/there", redirect("/here"))
    service.fault("/here", Status(status=403))
    with pytest.raises(SourceFailed) as caught:
        async with answer(asking, url, source="example", allowed=same_host(url)):
            pytest.fail("a 403 was accepted")
    told = "Basic dXNlcjpzZWNyZXQ="
    assert [service.headers[path]["Authorization"] for path in ("/there", "/here")] == [told] * 2
    assert "HTTP Request" in caplog.text
    assert "secret" not in caplog.text + repr(caught.value)


async def test_credentials_do_not_follow_a_redirect_to_another_host(
    asking: httpx.AsyncClient, service: Documents
) -> None:
    async with Documents({"/here": b"found"}) as other:
        service.fault("/there", redirect(f"{other.origin}/here"))
        url = f"http://user:secret@127.0.0.1:{service.port}/there"
        async with answer(asking, url, source="example", allowed=lambda _: True) as response:
            assert await read_bounded(response, 1000) == b"found"
        assert "Authorization" in service.headers["/there"]
        assert "Authorization" not in other.headers["/here"]


def test_files_that_are_no_certificates_are_refused_at_once(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("not a certificate")
    with pytest.raises(ssl.SSLError):
        client(ca_bundle=file)
    with pytest.raises(ssl.SSLError):
        client(certificate=file)
    with pytest.raises(FileNotFoundError):
        client(ca_bundle=tmp_path / "missing.pem")


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = ExceptionGroup("several attempts", [cause])
    return error


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (
            caused(httpx.ConnectError("x"), ssl.SSLCertVerificationError("self-signed")),
            "certificate",
            "has a certificate that is not trusted",
        ),
        (
            caused(httpx.ConnectError("x"), socket.gaierror(-2, "unknown")),
            "dns",
            "has a host name that could not be resolved",
        ),
        (httpx.ConnectTimeout("x"), "timeout", "could not be connected in time"),
        (httpx.ReadTimeout("x"), "timeout", "did not answer in time"),
        (httpx.ProxyError("x"), "refused", "could not be reached through the proxy"),
        (httpx.ReadError("x"), "cut-off", "broke off in the middle of the answer"),
        (httpx.DecodingError("x"), "garbage", "answered what is not HTTP"),
    ],
)
def test_a_failure_of_the_network_is_told_by_its_cause(
    error: Exception, kind: str, reason: str
) -> None:
    assert explain(error) == (kind, reason)


SENT = "Sun, 22 Nov 2026 02:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "120"}, 120),
        ({"Retry-After": " 0 "}, 0),
        ({"Retry-After": "9" * 40}, LONGEST_WAIT),
        ({"Retry-After": "Sun, 22 Nov 2026 02:05:00 GMT", "Date": SENT}, 300),
        ({"Retry-After": "Sun, 22 Nov 2026 01:00:00 GMT", "Date": SENT}, 0),
        ({"Retry-After": "Fri, 22 Nov 2030 01:00:00 GMT", "Date": SENT}, LONGEST_WAIT),
        ({"Retry-After": "Sun, 22 Nov 2026 02:05:00 GMT"}, None),
        ({"Retry-After": "Sun, 22 Nov 2026 02:05:00 -0000", "Date": SENT}, None),
        ({"Retry-After": "soon", "Date": SENT}, None),
        ({"Retry-After": "Sun, 22 Nov 2026 02:05:00 +99999999999999", "Date": SENT}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "1.5"}, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_beside_the_answers_own(
    headers: dict[str, str], seconds: int | None
) -> None:
    assert retry_after(headers) == seconds


@given(st.text(), st.text())
def test_any_retry_after_is_none_or_a_bounded_wait(wish: str, date: str) -> None:
    seconds = retry_after({"Retry-After": wish, "Date": date})
    assert seconds is None or 0 <= seconds <= LONGEST_WAIT
