"""`/osv/v1/`: may these versions be installed through this gate, asked and answered as OSV does.

`uv sync --frozen` takes files from where the lock says, which may be far from the gate; with its
malware check turned on it first asks here for every version, and stops before any download.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from aiohttp import hdrs, web
from msgspec import Struct
from packaging.version import InvalidVersion, Version

from indexgate.finished_page import FinishedPage
from indexgate.index.listing import Listing
from indexgate.index.presentation import QUARANTINED
from indexgate.index.protocol import NoSuchProject, UpstreamFailed
from indexgate.indexes import Indexes
from indexgate.osv_answer import (
    BadQuery,
    Blocked,
    Pinned,
    batch,
    brief,
    pinned_of,
    record,
    single,
)
from indexgate.record import Recorder
from indexgate.web.client import client_of, run_of
from indexgate.web.deadline import late
from indexgate.web.judged_page import judged_page
from indexgate.web.new_names import NewNames
from indexgate.web.refusal import NO_STORE, Problem, status_for, upstream_trouble
from indexgate_policy.rules.verdict import Verdict
from indexgate_policy.subject import Client, Release

DEADLINE = 25.0
"""Seconds for a whole batch; uv stops reading at 30."""

_AT_ONCE = 16
_ASK = "ask the operator of the gate's index, or lock another version"


class OsvRoutes(Struct, frozen=True):
    """The routes of OSV's interface."""

    indexes: Indexes
    recorder: Recorder
    new_names: NewNames

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, for the application's table.

        uv leaves out the last part of a base address that has no slash at its end, so the routes
        stand at the root too.
        """
        return [
            route
            for base in ("/osv/v1", "/v1")
            for route in (
                web.post(f"{base}/querybatch", self.batch),
                web.post(f"{base}/query", self.query),
                web.get(f"{base}/vulns/{{id}}", self.vulnerability),
            )
        ]

    async def batch(self, request: web.Request) -> web.Response:
        """Answer many questions at once."""
        try:
            asked = batch(await request.read())
        except BadQuery as error:
            return _bad(error).response()
        found = await self._blocked(request, asked)
        if isinstance(found, web.Response):
            return found
        return _json({"results": [brief(found.get(pinned)) for pinned in asked]})

    async def query(self, request: web.Request) -> web.Response:
        """Answer one question, with the whole record."""
        try:
            asked = single(await request.read())
        except BadQuery as error:
            return _bad(error).response()
        found = await self._blocked(request, [asked])
        if isinstance(found, web.Response):
            return found
        blocked = found.get(asked)
        return _json({} if blocked is None else {"vulns": [record(blocked)]})

    async def vulnerability(self, request: web.Request) -> web.Response:
        """Answer with the record of an id that the gate gave, judged again."""
        pinned = pinned_of(request.match_info["id"])
        if pinned is None:
            return _unknown_id().response()
        found = await self._blocked(request, [pinned])
        if isinstance(found, web.Response):
            return found
        blocked = found.get(pinned)
        return _unknown_id().response() if blocked is None else _json(record(blocked))

    async def _blocked(
        self, request: web.Request, asked: Sequence[Pinned | None]
    ) -> Mapping[Pinned | None, Blocked] | web.Response:
        """Return those of *asked* that are blocked, or the answer that says why none is known.

        One that cannot be judged fails the batch: an answer without it would let it pass.
        """
        client = client_of(request)
        run = run_of(request.headers.get(hdrs.AUTHORIZATION))
        pins = list(dict.fromkeys(pinned for pinned in asked if pinned is not None))
        turns = asyncio.Semaphore(_AT_ONCE)

        async def judged(pinned: Pinned) -> Blocked | None:
            if not self.indexes.holds(pinned.project):
                self.new_names.count(request.remote or "")
            async with turns:
                return await self._judged(pinned, client, run)

        try:
            async with asyncio.timeout(DEADLINE):
                found = await _all(judged(pinned) for pinned in pins)
        except TimeoutError:
            return _trouble(late(DEADLINE), client)
        except UpstreamFailed as error:
            return _trouble(error, client)
        pairs = zip(pins, found, strict=True)
        return {pinned: blocked for pinned, blocked in pairs if blocked is not None}

    async def _judged(self, pinned: Pinned, client: Client, run: str | None) -> Blocked | None:
        try:
            page, listed = await judged_page(
                self.indexes, pinned.project, client, run=run, final=True
            )
        except NoSuchProject:
            reason = f"the index behind the gate has no project {pinned.project}"
            return Blocked(pinned=pinned, rule="", reason=reason, hint=_ASK, at=self.recorder.now())
        found = _refusal(pinned, page, listed)
        if found is None:
            return None
        self.recorder.page_served(page, client, run)
        rule, reason, hint = found
        return Blocked(
            pinned=pinned, rule=rule, reason=reason, hint=hint, at=page.snapshot.fetched_at
        )


def _refusal(pinned: Pinned, page: FinishedPage, listed: Listing) -> tuple[str, str, str] | None:
    """Return rule, reason and hint if the pinned version must not be installed.

    A version with a file that passes may be installed: which file an installer takes is its own
    choice, and a refused one stops it at the gate. Malware in one file speaks of them all.
    """
    what = f"{pinned.project} {pinned.version}"
    release = _release(pinned.version, listed)
    if listed.page.status == QUARANTINED:
        return "", f"{pinned.project} is quarantined by its index", _ASK
    if release is None:
        return "", f"the index behind the gate no longer lists {what}", _ASK
    said = page.judged_by.verdicts(listed)
    verdicts = [said.verdicts.get(name) for name in release.filenames]
    verdict = said.refused_versions.get(release.version) or _at_once(verdicts)
    return None if verdict is None else (verdict.rule, verdict.reason, verdict.hint)


def _at_once(verdicts: Sequence[Verdict | None]) -> Verdict | None:
    return next((each for each in verdicts if each and each.refused and each.at_once), None)


def _release(version: str, listed: Listing) -> Release | None:
    for release in listed.releases:
        if release.version == version:
            return release
    try:
        parsed = Version(version)
    except InvalidVersion:
        return None
    return next((release for release in listed.releases if release.parsed == parsed), None)


async def _all(judging: Iterable[Coroutine[Any, Any, Blocked | None]]) -> list[Blocked | None]:
    """Return what all give; the first failure ends the others."""
    tasks = [asyncio.create_task(each) for each in judging]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


def _trouble(error: UpstreamFailed, client: Client) -> web.Response:
    what = "what was asked for cannot be judged: its page"
    return upstream_trouble(error, what, status=status_for(error, client.family)).response()


def _json(document: Mapping[str, Any]) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(document),
        headers={hdrs.CONTENT_TYPE: "application/json", **NO_STORE},
    )


def _bad(error: BadQuery) -> Problem:
    """Say what is wrong with a question."""
    return Problem(
        type="urn:indexgate:bad-query",
        title="Not an OSV query",
        status=400,
        detail=str(error),
        phrase="Bad Request: not an OSV query",
    )


def _unknown_id() -> Problem:
    """Say that no version that is blocked now has such an id."""
    return Problem(
        type="urn:indexgate:no-such-vulnerability",
        title="No such vulnerability",
        status=404,
        detail="The gate gives out ids of its own refusals only, while they hold",
        phrase="Not Found",
    )
