"""What stands before every route: a known Host, no loop, a request id, one log line a request.

A page of another site could otherwise talk to a gate on loopback under a name of its own (DNS
rebinding), and two gates could be each other's upstream.
"""

from ipaddress import ip_address
from time import perf_counter
from typing import Any

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from indexgate.index.connection import VIA_NAME
from indexgate.index.trace import Trace, follow
from indexgate.logs import logger
from indexgate.web.client import run_of
from indexgate.web.refusal import Problem
from indexgate.web.request_counts import RequestCounts, kind_of, result_of
from indexgate.web.request_id import HEADER, request_id
from indexgate.web.verbatim import AGAIN

TRACE = web.RequestKey("trace", Trace)
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_WORTH_TELLING = 0.001  # seconds
_TIMED = frozenset({"page", "file", "metadata", "list"})


def known_hosts(host: str, public_url_host: str | None, allowed: tuple[str, ...]) -> frozenset[str]:
    """Return the host names that requests may carry: loopback, ours, and those the settings name.

    A gate bound to all addresses knows none of its names by itself.
    """
    bound = set() if host in {"0.0.0.0", "::", ""} else {host}  # noqa: S104 - compared, not bound
    names = {*_LOOPBACK, *bound, *allowed, *([public_url_host] if public_url_host else [])}
    return frozenset(name.strip("[]").lower() for name in names)


def host_name(header: str) -> str:
    """Return the name in a Host header, without port and brackets, in lower case."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower()


def guard(
    hosts: frozenset[str], gate_id: str, counts: RequestCounts, *, by_address: bool = False
) -> Middleware:
    """Return the middleware that lets only requests through that are meant for this gate.

    With *by_address* it also answers to every IP address: rebinding needs a name.
    """
    log = logger()
    us = f"{VIA_NAME}-{gate_id}"

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        headers = request.headers
        given = headers.getall(HEADER) if HEADER in headers else ()
        trace = request[TRACE] = Trace(request_id(given), kind_of(request.rel_url.raw_path))
        follow(trace)
        counts.under_way += 1
        response: web.StreamResponse
        host = host_name(headers.get(hdrs.HOST, ""))
        try:
            if host not in hosts and not (by_address and _is_address(host)):
                response = unknown_host().response()
            elif us in headers.get("Via", ""):
                response = loop().response()
            else:
                try:
                    response = await handler(request)
                except web.HTTPException as error:
                    response = http_error(error).response()
                except Exception:
                    log.exception("gate-fault", id=trace.id)
                    response = fault(trace.id).response()
        finally:
            counts.under_way -= 1
        trace.answered = trace.answered or perf_counter()
        trace.result = trace.result or result_of(response.status)
        sent = _sent(request, response)
        counts.count(trace, sent)
        # Those who look whether the gate lives ask every few seconds, and are told anyway.
        say = log.debug if trace.kind == "health" and trace.result == "ok" else log.info
        told = _told(request, response, trace, sent)
        say("request", **told)
        if (again := request.get(AGAIN)) is not None:
            again.told = told
        return response

    return guarded


async def sign(request: web.Request, response: web.StreamResponse) -> None:
    """Put on every answer, as it leaves, what all answers carry."""
    headers = response.headers
    headers["Server"] = "indexgate"
    headers["X-Content-Type-Options"] = "nosniff"
    trace = request.get(TRACE)
    if trace is None:
        return
    headers[HEADER] = trace.id
    trace.answered = trace.answered or perf_counter()
    if trace.kind in _TIMED:
        headers["Server-Timing"] = server_timing(trace, trace.answered)


def server_timing(trace: Trace, now: float) -> str:
    """Return where the time went up to *now*, as browsers and proxies read it (Server-Timing)."""
    parts = []
    if (met := trace.file or trace.page) is not None:
        parts.append(f"cache;desc={met}")
    if trace.upstream:
        parts.append(f"upstream;dur={trace.upstream * 1000:.1f}")
    if trace.judge > _WORTH_TELLING:
        parts.append(f"judge;dur={trace.judge * 1000:.1f}")
    parts.append(f"total;dur={(now - trace.started) * 1000:.1f}")
    return ", ".join(parts)


def _sent(request: web.Request, response: web.StreamResponse) -> int:
    """Return the bytes of the body, all of it where it broke off."""
    if request.method == hdrs.METH_HEAD or response.status in {204, 304}:
        return 0
    return response.content_length or (response.body_length if response.prepared else 0)


def _told(
    request: web.Request, response: web.StreamResponse, trace: Trace, sent: int
) -> dict[str, Any]:
    """Return the log line of a request; what there is nothing to tell of is left out."""
    told: dict[str, Any] = {
        "method": request.method,
        "path": request.rel_url.raw_path,
        "status": response.status,
        "ms": round((perf_counter() - trace.started) * 1000, 2),
        "client": request.headers.get(hdrs.USER_AGENT, "").partition(" ")[0][:60],
        "id": trace.id,
        "kind": trace.kind,
        "result": trace.result,
        "bytes": sent,
    }
    if trace.project:
        told["project"] = trace.project
    if (met := trace.file or trace.page) is not None:
        told["cache"] = met
    if trace.upstream:
        told["upstream_ms"] = round(trace.upstream * 1000, 1)
    if trace.judge > _WORTH_TELLING:
        told["judge_ms"] = round(trace.judge * 1000, 1)
    if trace.rule:
        told["rule"] = trace.rule
    if trace.why:
        told["why"] = trace.why
    authorization = request.headers.get(hdrs.AUTHORIZATION)
    if authorization is not None and (run := run_of(authorization)):
        told["run"] = run
    return told


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def unknown_host() -> Problem:
    """Say that the request was made under a name that is not the gate's."""
    return Problem(
        type="urn:indexgate:unknown-host",
        title="This host name is not known to indexgate",
        status=421,
        detail="The gate answers under loopback names, its own address, `--public-url` and each "
        "`--allow-host`. Add the name there if it is yours",
        phrase="Misdirected Request: name this host with --allow-host",
    )


def loop() -> Problem:
    """Say that the gate was asked by itself."""
    return Problem(
        type="urn:indexgate:loop",
        title="indexgate is its own upstream",
        status=508,
        detail="The request came from this gate itself: its upstream leads back to it. Set "
        "`--upstream` to the index behind the gate",
        phrase="Loop Detected: the upstream of this gate is the gate itself",
    )


def fault(request_id: str) -> Problem:
    """Say that the gate itself failed, and under which id its log tells how."""
    return Problem(
        type="urn:indexgate:gate-fault",
        title="indexgate failed",
        status=500,
        detail=f"A fault of the gate, not of the package; its log has it under {request_id}",
        phrase="indexgate failed: see its log",
    )


def http_error(error: web.HTTPException) -> Problem:
    """Give the web server's own errors (no such route, method not allowed) the one shape."""
    allow = error.headers.get("Allow")
    return Problem(
        type=f"urn:indexgate:http-{error.status}",
        title=error.reason,
        status=error.status,
        detail=error.reason,
        phrase=error.reason,
        headers={"Allow": allow} if allow else {},
    )
