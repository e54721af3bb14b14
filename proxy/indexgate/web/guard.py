"""What stands before every route: a known Host, no loop, a request id, one log line a request.

A page of another site could otherwise talk to a gate on loopback under a name of its own (DNS
rebinding), and two gates could be each other's upstream.
"""

import secrets
import time

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from indexgate.index.connection import VIA_NAME
from indexgate.web.refusal import Problem

REQUEST_ID = web.RequestKey("request_id", str)
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


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


def guard(hosts: frozenset[str], gate_id: str) -> Middleware:
    """Return the middleware that lets only requests through that are meant for this gate."""
    log = structlog.get_logger("indexgate")
    us = f"{VIA_NAME}-{gate_id}"

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = time.perf_counter()
        request_id = request[REQUEST_ID] = secrets.token_hex(6)
        response: web.StreamResponse
        if host_name(request.headers.get(hdrs.HOST, "")) not in hosts:
            response = unknown_host().response()
        elif us in request.headers.get("Via", ""):
            response = loop().response()
        else:
            try:
                response = await handler(request)
            except web.HTTPException as error:
                response = http_error(error).response()
            except Exception:
                log.exception("gate-fault", id=request_id)
                response = fault(request_id).response()
        log.info(
            "request",
            method=request.method,
            path=request.rel_url.raw_path,
            status=response.status,
            ms=round((time.perf_counter() - started) * 1000, 2),
            client=request.headers.get(hdrs.USER_AGENT, "").partition(" ")[0][:60],
            id=request_id,
        )
        return response

    return guarded


async def sign(request: web.Request, response: web.StreamResponse) -> None:
    """Put on every answer, as it leaves, what all answers carry."""
    response.headers["Server"] = "indexgate"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Request-Id"] = request.get(REQUEST_ID, "")


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
