"""The gate as a web server: routes, guard, and a clean start and stop."""

import asyncio
import gc
import socket
import ssl
import sys
from collections.abc import Callable, Coroutine, Iterator
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from indexgate import found_again
from indexgate.config import Settings
from indexgate.fellows import ALONE, Fellows
from indexgate.large_blocks import give_back_for_ever
from indexgate.listening import Listening, bound
from indexgate.logs import say
from indexgate.own_version import own_version
from indexgate.redact import redact
from indexgate.repeated_line import Gathered
from indexgate.teams import Teams, unnamed
from indexgate.upstream_choice import UpstreamChoice
from indexgate.web.break_glass_routes import BreakGlass
from indexgate.web.client import TEAMS
from indexgate.web.document_routes import DocumentRoutes
from indexgate.web.exemption_form import ExemptionForm
from indexgate.web.file_routes import FileRoutes
from indexgate.web.front_page import FrontPage
from indexgate.web.guard import guard, known_hosts, sign
from indexgate.web.health import Health
from indexgate.web.made_ready import make_ready
from indexgate.web.metric_table import Watched
from indexgate.web.metrics import Metrics
from indexgate.web.new_names import NewNames
from indexgate.web.not_http import server_log
from indexgate.web.one_gate import answer_fellows
from indexgate.web.osv_routes import OsvRoutes
from indexgate.web.parts import Parts, open_parts, remembered
from indexgate.web.proof import Proof
from indexgate.web.simple_routes import SimpleRoutes
from indexgate.web.verbatim import Verbatim
from indexgate.web.verbatim_server import VerbatimRunner
from indexgate.web.watching import listening_to_watchers, watching_application

_TURN = 0.0003
"""Seconds after which a thread that reads a large page lets the event loop have the interpreter.

A small page at hand asks for it a few times, and needs it for far less each time. With a third of
that, all that many cold pages take together grew by a seventh: so much is the change itself.
"""

_YOUNG = 5_000
"""Objects after which the youngest are looked through for garbage: a page is made of hundreds, most
of which go without that."""

_KEEP_ALIVE = 75.0
_STOP_WITHIN = 3.0


async def serve(
    settings: Settings,
    upstream: UpstreamChoice,
    *,
    ready: Callable[[Listening], None],
    listener: socket.socket | None = None,
    fellows: Fellows = ALONE,
) -> None:
    """Serve until cancelled, by *listener* where there are *fellows* at the same place.

    Raises GateError, PolicyError, OSError when the port is taken.
    """
    sys.setswitchinterval(_TURN)
    listener = listener or bound(settings.host, settings.port)
    listening = Listening(
        host=settings.host, port=listener.getsockname()[1], tls=settings.tls_cert is not None
    )
    base = _base(settings, listening)
    tls = _tls(settings)
    async with open_parts(settings, upstream, base=base, fellows=fellows) as parts:
        answer_fellows(parts, _metrics(parts), _health(parts))
        lines = Gathered.here()
        verbatim = Verbatim(parts.requests, lines.write, asyncio.get_running_loop().call_soon)
        runner = VerbatimRunner(
            application(parts, settings, base=base),
            verbatim,
            access_log=None,
            logger=server_log(),
            keepalive_timeout=_KEEP_ALIVE,
            # Twice: for requests to end by themselves, then for those that were told to.
            shutdown_timeout=_STOP_WITHIN / 2,
        )
        await runner.setup()
        try:
            await fellows.join()
            await web.SockSite(runner, listener, ssl_context=tls).start()
            ready(listening)
            # What was imported stays: to look through it for garbage stops all for tens of ms.
            gc.freeze()
            gc.set_threshold(_YOUNG)
            watchers = watching_application(
                _metrics(parts),
                _health(parts),
                hosts=_names(settings),
                gate_id=parts.gate_id,
            )
            first = fellows.number == 0
            async with (
                listening_to_watchers(watchers, settings.metrics_listen if first else None, tls),
                asyncio.TaskGroup() as tasks,
            ):
                for work in (*_own_work(parts), *(_work_of_first(parts) if first else ())):
                    tasks.create_task(work)
        finally:
            await runner.cleanup()
            verbatim.close()
            lines.flush()


def _own_work(parts: Parts) -> Iterator[Coroutine[Any, Any, None]]:
    """Yield what each worker does beside its requests."""
    yield parts.store.asked.send_for_ever()
    yield parts.store.served.send_for_ever()
    yield make_ready(parts)
    yield give_back_for_ever()


def _work_of_first(parts: Parts) -> Iterator[Coroutine[Any, Any, None]]:
    """Yield what a gate does once, however many workers it has."""
    for index in parts.each:
        yield index.gate.facts.refresh_for_ever()
    for refresh in (parts.refresh, *parts.further):
        yield refresh.for_ever()


def application(parts: Parts, settings: Settings, *, base: str) -> web.Application:
    """Return the application with all its routes."""
    app = web.Application(middlewares=[guard(_names(settings), parts.gate_id, parts.requests)])
    app.on_response_prepare.append(sign)
    app[TEAMS] = Teams(settings.teams)
    for team in unnamed(parts.gate.policy.current(), settings.teams):
        say("policy")("team-unknown", f"the policy names `{team}`, and no `[[team]]` does")
    new_names = NewNames(parts.clock)
    simple = SimpleRoutes(
        indexes=parts.indexes,
        lists=parts.lists,
        recorder=parts.recorder,
        new_names=new_names,
        asked=parts.store.asked,
        prefetch=parts.prefetch,
    )
    on_loopback = _on_loopback(settings.host)
    # Under a public address others would ask, by way of a proxy on this machine.
    form = _form(parts, settings) if on_loopback and settings.public_url is None else None
    files = FileRoutes(
        indexes=parts.indexes,
        upstreams={index.gate.index_id: index.upstream for index in parts.each},
        cache=parts.files,
        whole_files=parts.whole_files,
        recorder=parts.recorder,
        served=parts.store.served,
        uses=parts.store.exemption_uses,
        form=form,
        new_names=new_names,
        remembered=remembered(parts),
        prefetch=parts.prefetch,
        base=base,
    )
    documents = DocumentRoutes(
        parts.indexes,
        {index.gate.index_id: index.documents for index in parts.each},
        recorder=parts.recorder,
        new_names=new_names,
        base=base,
    )
    osv = OsvRoutes(indexes=parts.indexes, recorder=parts.recorder, new_names=new_names)
    app.add_routes([*documents.routes(), *osv.routes()])
    proof = Proof(secret=parts.secret, recorder=parts.recorder, fellows=parts.fellows)
    app.add_routes([*simple.routes(), *files.routes(), *_health(parts).routes()])
    if form is not None:
        app.add_routes(form.routes())
    if on_loopback:
        # Beyond this machine only pages, files, refusals and health are served.
        app.add_routes([*proof.routes(), *_break_glass(parts).routes()])
        app.add_routes(FrontPage(parts.gate, base).routes())
        app.add_routes(_metrics(parts).routes())
    return app


def _metrics(parts: Parts) -> Metrics:
    health, owners = _health(parts), parts.indexes.owners
    return Metrics(
        Watched(
            version=health.version,
            requests=parts.requests,
            gates=tuple(index.gate for index in parts.each),
            upstreams={
                index.choice.name or redact(index.choice.url): index.upstream
                for index in parts.each
                if index.upstream is not None
            },
            files=parts.files,
            prefetch=parts.prefetch.counts,
            recorder=parts.recorder,
            asked=parts.store.asked,
            served=parts.store.served,
            feed=health.feed,
            degraded=lambda: len(health.report()["degraded"]),
            owner_changes=lambda: 0 if owners is None else owners.changes,
            clock=parts.clock,
        ),
        parts.fellows,
    )


def _break_glass(parts: Parts) -> BreakGlass:
    return BreakGlass(
        policy=parts.gate.policy,
        book=parts.store.exemption_requests,
        secret=parts.secret,
        clock=parts.clock,
        log=say("exemptions"),
        fellows=parts.fellows,
    )


def _form(parts: Parts, settings: Settings) -> ExemptionForm:
    return ExemptionForm(
        parts.indexes,
        parts.store.exemption_requests,
        secret=parts.secret,
        flags=found_again.flags(settings),
        clock=parts.clock,
        log=say("exemptions"),
    )


def _health(parts: Parts) -> Health:
    return Health(
        version=own_version(),
        main=next(index for index in parts.each if index.gate is parts.gate),
        each=parts.each,
        indexes=parts.indexes,
        feed=parts.store.advisories.feed_state,
        feed_failure=lambda: parts.refresh.feed_failure,
        feed_wanted=parts.refresh.feed is not None,
        decisions=parts.store.decisions,
        asked=parts.store.asked,
        served=parts.store.served,
        clock=parts.clock,
        fellows=parts.fellows,
    )


def _names(settings: Settings) -> frozenset[str]:
    return known_hosts(
        settings.host,
        None if settings.public_url is None else _host_of(settings.public_url),
        settings.allow_host,
    )


def _base(settings: Settings, listening: Listening) -> str:
    """Return the address that links to this gate begin with.

    A gate that is bound to all addresses does not know its name, so its links have none: clients
    show them behind the address they used.
    """
    if settings.public_url is not None:
        return settings.public_url.rstrip("/") + "/"
    if settings.host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        return "/"
    return listening.url


def _on_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.tls_cert is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(settings.tls_cert, settings.tls_key)
    context.set_alpn_protocols(["http/1.1"])  # HTTP/2 has no reason phrase
    return context


def _host_of(url: str) -> str | None:
    return urlsplit(url).hostname
