"""The web server's protocol, which looks among the answers it has before it parses a request.

Only a request that comes whole, alone and on a connection at rest is looked up. All else, and every
connection on which anything else was ever sent, goes the ordinary way.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest

from indexgate.web.large_bodies import LEAST
from indexgate.web.verbatim import AGAIN, Verbatim, is_entire


class _Protocol(RequestHandler):
    __slots__ = ("_asked", "_begun", "_plain", "_verbatim")

    def __init__(
        self,
        server: web.Server,
        verbatim: Verbatim,
        *,
        loop: asyncio.AbstractEventLoop,
        **kwargs: Any,
    ) -> None:
        super().__init__(server, loop=loop, **kwargs)
        self._verbatim = verbatim
        self._asked = b""  # the request under way, while it can be kept
        self._begun = False  # whether the parser was ever given anything
        self._plain = True  # whether it was given whole requests only

    def data_received(self, data: bytes) -> None:
        if not data:  # aiohttp's own way to go on reading
            super().data_received(data)
            return
        transport = self.transport
        self._asked = b""
        if transport is None or not (self._plain and self._is_at_rest()):
            self._plain = False  # what is under way may not be told apart from what comes now
        elif (answer := self._answer(data)) is not None:
            self._send(transport, *answer)
            return
        elif is_entire(data):
            self._asked = data
        else:
            self._plain = False
        self._begun = True
        super().data_received(data)

    def _answer(self, data: bytes) -> tuple[bytes, bytes] | None:
        try:
            return self._verbatim.answer(data)
        except Exception as error:  # the ordinary way is there, and says what is wrong
            self._verbatim.forget(data)
            self.logger.warning("an answer could not be given again: %r", error)
            return None

    def _is_at_rest(self) -> bool:
        """Tell whether nothing is under way: no request, no half of one, no answer on its way."""
        if self._force_close or self._close or self._paused:
            return False
        if not self._begun:
            return True
        waiter = self._waiter
        return waiter is not None and not waiter.done() and not self._messages

    def _send(self, transport: asyncio.Transport, head: bytes, body: bytes) -> None:
        if len(body) < LEAST:
            transport.write(head + body)
        else:
            self._verbatim.large.send(transport, head, body)
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout

    async def _handle_request(
        self,
        request: BaseRequest,
        start_time: float | None,
        request_handler: Callable[[BaseRequest], Awaitable[web.StreamResponse]],
    ) -> tuple[web.StreamResponse, bool]:
        response, reset = await super()._handle_request(request, start_time, request_handler)
        asked, self._asked = self._asked, b""
        if asked and not reset and response.keep_alive and isinstance(request, web.Request):
            again = request.get(AGAIN)
            if again is not None and isinstance(response, web.Response):
                self._verbatim.keep(asked, again, response)
        return response, reset


class _Server(web.Server):
    def __init__(self, server: web.Server, verbatim: Verbatim) -> None:
        super().__init__(
            server.request_handler,
            request_factory=server.request_factory,
            handler_cancellation=server.handler_cancellation,
            loop=server._loop,
            **server._kwargs,
        )
        self._verbatim = verbatim

    def __call__(self) -> RequestHandler:
        return _Protocol(self, self._verbatim, loop=self._loop, **self._kwargs)


class VerbatimRunner(web.AppRunner):
    """Runs an application behind the answers of *verbatim*."""

    __slots__ = ("_verbatim",)

    def __init__(self, app: web.Application, verbatim: Verbatim, **kwargs: Any) -> None:
        super().__init__(app, **kwargs)
        self._verbatim = verbatim

    async def _make_server(self) -> web.Server:
        return _Server(await super()._make_server(), self._verbatim)
