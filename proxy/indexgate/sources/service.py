"""A foreign JSON service: one address, one budget, and every answer bounded and typed."""

import asyncio
from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import quote, urlencode

import httpx
import msgspec
from msgspec import Struct

from indexgate.errors import GateError
from indexgate.sources.budgets import Budget
from indexgate.sources.outbound import answer, read_bounded, same_host
from indexgate.sources.protocol import About, SourceFailed
from indexgate.sources.validators import LARGEST, Answers, Held

T = TypeVar("T")

NOT_IN_FORM = "answered what is not in its documented form"

_OFF_THE_LOOP = 256_000
_OK = frozenset({200})


class Reply(Struct, frozen=True, kw_only=True):
    """An answer that was understood. `held` says that it is the one kept from before."""

    status: int
    body: bytes
    link: str = ""
    held: bool = False


def part(text: str) -> str:
    """Return *text* as one segment of a path."""
    return quote(text, safe="")


class Service:
    """Asks the service at *base*, a turn of *budget* for each request.

    *within* limits a request in seconds, *most* an answer in bytes. *headers* go with each
    request; *keyed* says that a key goes along, for the words of a refusal. *answers* keeps what
    has an ETag, None where nothing is to be kept. *patience* reads a wish to be left alone (see
    `outbound.answer`). Raises GateError for headers that cannot be sent; it never names the value.
    """

    def __init__(
        self,
        about: About,
        client: httpx.AsyncClient,
        budget: Budget,
        *,
        base: str,
        within: float = 20.0,
        most: int = 4_000_000,
        headers: Mapping[str, str] | None = None,
        keyed: bool = False,
        answers: Answers | None = None,
        patience: Callable[[Mapping[str, str]], int | None] | None = None,
    ) -> None:
        self.name = about.name
        self.budget = budget
        self._client = client
        self._base = base.rstrip("/")
        self._allowed = same_host(base)
        self._within = within
        self._most = most
        self._headers = {"Accept": "application/json", **(headers or {})}
        for name, value in self._headers.items():
            if not (value.isascii() and value.isprintable()):
                raise GateError(
                    "source-header",
                    f"what `{about.name}` is asked with cannot be sent as `{name}`: it holds "
                    "characters that are not printable ASCII",
                    "Check the key or the contact for stray characters",
                )
        self._keyed = keyed
        self._answers = answers
        self._patience = patience

    async def json(
        self,
        kind: type[T],
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        question: object = None,
    ) -> T:
        """Return the answer at *path* as *kind*; a *question* is posted as JSON.

        *path* is already encoded (see `part`). Raises SourceFailed.
        """
        reply = await self.reply(path, query=query, question=question)
        return await self.decoded(kind, reply.body)

    async def found(
        self, kind: type[T], path: str, *, query: Mapping[str, str] | None = None
    ) -> T | None:
        """Return as `json` does, None where the service has nothing (404). Raises SourceFailed."""
        try:
            return await self.json(kind, path, query=query)
        except SourceFailed as failed:
            if failed.status != 404:
                raise
            return None

    async def decoded(self, kind: type[T], body: bytes) -> T:
        """Return *body* as *kind*; a large one is decoded off the loop. Raises SourceFailed."""
        try:
            if len(body) > _OFF_THE_LOOP:
                return await asyncio.to_thread(msgspec.json.decode, body, type=kind)
            return msgspec.json.decode(body, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise self.garbage(NOT_IN_FORM) from error

    async def reply(
        self,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        question: object = None,
        accept: frozenset[int] = _OK,
    ) -> Reply:
        """Return the answer at *path* as it is, of a status in *accept*. Raises SourceFailed."""
        address = f"{self._base}/{path}" + (f"?{urlencode(query)}" if query else "")
        asked = None if question is None else msgspec.json.encode(question)
        held = None
        if self._answers is not None and asked is None:
            held = self._answers.held(self.name, address)
        try:
            async with self.budget.turn(self.name):
                return await self._sent(address, asked, held, accept)
        except SourceFailed as failed:
            raise self._worded(failed) from failed

    async def _sent(
        self, address: str, asked: bytes | None, held: Held | None, accept: frozenset[int]
    ) -> Reply:
        headers = dict(self._headers)
        if asked is not None:
            headers["Content-Type"] = "application/json"
        if held is not None:
            headers["If-None-Match"] = held.etag
        async with answer(
            self._client,
            address,
            source=self.name,
            allowed=self._allowed,
            headers=headers,
            accept=accept if held is None else accept | {304},
            within=self._within,
            question=asked,
            patience=self._patience,
        ) as response:
            if held is not None and response.status_code == 304:
                return Reply(status=200, body=held.body, link=held.link, held=True)
            body = await read_bounded(response, self._most)
            link, etag = response.headers.get("Link", ""), response.headers.get("ETag")
            kept = asked is None and response.status_code == 200 and len(body) <= LARGEST
            if self._answers is not None and etag and kept:
                self._answers.keep(self.name, address, Held(etag=etag, body=body, link=link))
            return Reply(status=response.status_code, body=body, link=link)

    def garbage(self, reason: str) -> SourceFailed:
        """Return the failure that stands for an answer that cannot be."""
        return SourceFailed(self.name, "garbage", reason)

    def _worded(self, failed: SourceFailed) -> SourceFailed:
        """Say of a refusal what it most likely means."""
        if failed.status not in {401, 403} or failed.retry_after is not None:
            return failed
        what = "did not accept the key" if self._keyed else "does not answer without a key"
        return SourceFailed(
            failed.source, failed.kind, f"{what} ({failed.status})", status=failed.status
        )
