"""Every fault of an upstream, and what clients get of it: held by the tests, written to the docs.

python -m tests.faults.table > docs/reference/faults.md
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import lru_cache

from tests.standins.faults import (
    CutOff,
    Drip,
    Fault,
    Hold,
    Status,
    captive_portal,
    garbage,
    redirect,
    too_many_requests,
)
from tests.standins.pages import JSON_TYPE
from tests.standins.upstream import Upstream


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One fault. `spoils` sets it on the stand-in, None for one that no longer listens at all.

    `page` and `file` are the words of the reason when a page, a file, is not stored, `status` what
    a plain agent's page then gets. `holds` tells that upstream never comes to an end by itself, so
    that an answer can only have come from what is stored, or from the gate's patience. `works` is
    set when nothing is the matter for clients, `gone` when upstream says that there is no project,
    `uncertified` when it leads to a server whose certificate nobody vouches for.
    """

    name: str
    spoils: Callable[[Upstream], None] | None
    page: str
    file: str
    status: int = 502
    holds: bool = False
    works: bool = False
    gone: bool = False
    uncertified: bool = False
    settings: dict[str, str] = field(default_factory=dict)


def everywhere(make: Callable[[], Fault]) -> Callable[[Upstream], None]:
    """Return what answers every request wrongly."""
    return lambda upstream: upstream.fault("*", make())


def status(code: int, **headers: str) -> Callable[[Upstream], None]:
    """Return what answers every request with a status."""
    return everywhere(lambda: Status(status=code, headers=headers))


def _clock_off(upstream: Upstream) -> None:
    upstream.clock_skew = timedelta(days=1)


def _untyped(upstream: Upstream) -> None:
    page = b'{"meta": {"api-version": "1.0"}, "name": "x", "files": []}'
    upstream.fault("*", garbage(page, "image/png"))


@lru_cache(1)
def _bomb() -> Status:
    packer = zlib.compressobj(wbits=31)
    body = b"".join(packer.compress(bytes(1_000_000)) for _ in range(200)) + packer.flush()
    return replace(garbage(body), headers={"Content-Encoding": "gzip"})


def _not_tls(upstream: Upstream) -> None:
    upstream.fault("*", redirect(upstream.origin.replace("http:", "https:") + "/simple/x/"))


OTHER_BYTES = "bytes where the index lists"
NO_INDEX = "sent a web page that is not a page of a package index"
NO_JSON = "sent JSON that is broken or cut off"

ROWS = (
    Row(
        name="refuses the connection",
        spoils=None,
        page="refused the connection",
        file="refused the connection",
    ),
    Row(
        name="sends a byte now and then",
        spoils=everywhere(Drip),
        page="did not answer within 1 s",
        file="has not sent the beginning of the file within 11 s",
        status=504,
        holds=True,
    ),
    Row(
        name="hangs",
        spoils=everywhere(Hold),
        page="did not answer within 1 s",
        file="did not answer within 1 s",
        status=504,
        holds=True,
    ),
    Row(
        name="429 with `Retry-After`",
        spoils=everywhere(lambda: too_many_requests(30)),
        page="answered with status 429",
        file="answered with status 429",
        status=503,
    ),
    Row(
        name="401",
        spoils=status(401),
        page="answered with status 401",
        file="answered with status 401",
    ),
    Row(
        name="403",
        spoils=status(403),
        page="answered with status 403",
        file="answered with status 403",
    ),
    Row(
        name="410",
        spoils=status(410),
        page="has no project",
        file="no project page lists this file",
        status=404,
        gone=True,
    ),
    Row(
        name="500",
        spoils=status(500),
        page="answered with status 500",
        file="answered with status 500",
    ),
    Row(
        name="503",
        spoils=status(503),
        page="answered with status 503",
        file="answered with status 503",
        status=503,
    ),
    Row(
        name="cut off in the middle",
        spoils=everywhere(lambda: CutOff(after=40)),
        page="broke off in the middle of the page",
        file="broke off in the middle of the file",
    ),
    Row(name="garbage", spoils=everywhere(garbage), page=NO_JSON, file=OTHER_BYTES),
    Row(
        name="a captive portal, 200",
        spoils=everywhere(captive_portal),
        page=NO_INDEX,
        file=OTHER_BYTES,
    ),
    Row(
        name="an empty page, 200",
        spoils=everywhere(lambda: garbage(b"", "text/html")),
        page=NO_INDEX,
        file=OTHER_BYTES,
    ),
    Row(
        name="a wrong `Content-Type`",
        spoils=_untyped,
        page="sent the content type `image/png`, which no simple index uses",
        file=OTHER_BYTES,
    ),
    Row(
        name="a page without end, packed",
        spoils=lambda upstream: upstream.fault("*", _bomb()),
        page="sent a page of more than 150,000,000 bytes",
        file="sent the file in an encoding nobody asked for",
        settings={"upstream_timeout": "10s"},
    ),
    Row(
        name="redirects in a circle",
        spoils=everywhere(lambda: redirect("?again")),
        page="redirected more than 5 times",
        file="redirected more than 5 times",
    ),
    Row(
        name="redirects to a private address",
        spoils=everywhere(lambda: redirect("http://10.9.8.7/simple/x/")),
        page="the public index leads to the private address 10.9.8.7",
        file="the public index leads to the private address 10.9.8.7",
        settings={"upstream_public": "yes"},
    ),
    Row(
        name="redirects to `file:`",
        spoils=everywhere(lambda: redirect("file:///etc/hostname")),
        page="led to an address that is not http or https",
        file="led to an address that is not http or https",
    ),
    Row(
        name="a certificate that does not verify",
        spoils=lambda _upstream: None,
        uncertified=True,
        page="presented a certificate that does not verify",
        file="presented a certificate that does not verify",
        settings={"upstream_timeout": "10s"},  # a busy machine may take longer than 1 s to tell
    ),
    Row(
        name="no TLS where TLS is spoken",
        spoils=_not_tls,
        page="does not speak TLS as it is spoken to",
        file="does not speak TLS as it is spoken to",
        settings={"upstream_timeout": "10s"},  # a busy machine may take longer than 1 s to tell
    ),
    Row(
        name="a name that does not resolve",
        spoils=everywhere(lambda: redirect("http://gone.invalid/simple/x/")),
        page="has a name that does not resolve",
        file="has a name that does not resolve",
        settings={"upstream_timeout": "10s"},  # a busy machine may take longer than 1 s to tell
    ),
    Row(
        name="a clock that is off by a day",
        spoils=_clock_off,
        page="",
        file="",
        status=200,
        works=True,
    ),
)


JSON = {"Accept": JSON_TYPE}

HEAD = """\
# When upstream is in trouble

What clients get when the index behind the gate fails, for each kind of failure. Every cell is held
by a test (`tests/faults`), with a plain HTTP agent and with pip and uv as their users run them.

* **Known page**: `200` with what is stored and the header `Indexgate-Stale: upstream <reason>`, at
  the latest 0.15 s after the page was asked for; the refresh goes on behind it. Stored pages stand
  in for `max_stale` (30 days).
* **Known file**: `200` from the cache. Upstream is not asked.
* **Unknown page**: the reason, in the words of the column *unknown page*, when upstream has failed
  or at the end of `upstream_timeout` (10 s). pip gets `200` with an explaining `Content-Type`, the
  one thing that it prints; uv, Poetry and PDM get `424` with the reason phrase and
  `application/problem+json`; every other agent the status of the column.
* **Unknown file**: `424` with the words of the column *unknown file*, at the latest after 11 s. The
  fetch of a slow file goes on, so that a later run finds it.

pip and uv print these words. PDM prints the address alone; Poetry the reason phrase.

Failures in a row that speak of the whole upstream (no connection, no name, no certificate, and on
three different addresses 429, 5xx, hanging or broken answers) open a breaker: known pages are
served at once, what is unknown fails at once with the last reason. A probe in the background asks
again after 1, 2 and then every 4 seconds, for as long as somebody asked within five minutes, and
closes it at the first answer. `Retry-After` of 429 and 503 is honoured, up to a minute: a page that
is asked for waits up to 3 s by itself. No page is asked for more than twice for one request.
The state of the breaker is told by `/-/health` and `/-/metrics`.

| upstream ... | known page | known file | unknown page | other agents | unknown file |
| --- | --- | --- | --- | --- | --- |
"""


def markdown() -> str:
    """Return the page of the docs."""
    return HEAD + "".join(f"| {' | '.join(_cells(row))} |\n" for row in ROWS)


def _cells(row: Row) -> tuple[str, ...]:
    if row.works:
        return row.name, "fresh; health names the clock", "cache", "fresh", "200", "200"
    if row.gone:
        refused = "refused as removed upstream"
        return row.name, "`404`, as upstream says", refused, "`404`", "404", "`404`"
    page, file = (text.replace("within 1 s", "within 10 s") for text in (row.page, row.file))
    if file == OTHER_BYTES:
        file = f"sent a file of 80 {OTHER_BYTES} 930"
    return row.name, "stale", "cache", page, str(row.status), file


if __name__ == "__main__":
    print(markdown(), end="")
