"""`/files/`: files and their side files, judged again on every request; `/blocked/`: why not."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress

from aiohttp import hdrs, web
from msgspec import UNSET, Struct
from packaging.utils import NormalizedName

from indexgate.index.addresses import FileAddress, parse, side_url
from indexgate.index.file_answer import FileSource, respond
from indexgate.index.file_cache import FileCache
from indexgate.index.files import UpstreamBody, Wanted
from indexgate.index.protocol import NoSuchProject, UpstreamFailed
from indexgate.index.trace import about, judging
from indexgate.index.upstream import Upstream
from indexgate.index.whole_files import WholeFiles
from indexgate.indexes import Indexes
from indexgate.judged_files import JudgedFile
from indexgate.record import Recorder
from indexgate.simple.filename import candidates
from indexgate.simple.model import PageFile
from indexgate.simple.projects import valid_name
from indexgate.store.exemption_uses import ExemptionUses
from indexgate.store.served import Served
from indexgate.web.blocked_page import blocked_page
from indexgate.web.client import client_of, run_of
from indexgate.web.deadline import DEADLINE, late
from indexgate.web.exemption_form import ExemptionForm, offer
from indexgate.web.new_names import NewNames
from indexgate.web.prefetch import Prefetch
from indexgate.web.refusal import (
    NO_STORE,
    Problem,
    blocked_path,
    note_refused,
    refused,
    upstream_trouble,
)
from indexgate.web.refusal_details import MOST_VERSIONS, asking_team, details
from indexgate.web.verbatim import AGAIN, Again
from indexgate_policy.subject import Client

_PATIENCE = 2.0
"""Seconds for which a refusal waits for the page that would tell what passes instead."""


class Remembered(Struct, frozen=True, kw_only=True):
    """What is remembered of files by index and address: their project, and their first hash."""

    remember: Callable[[str, str, NormalizedName, str], None]
    pinned: Callable[[str, str], str | None]


class FileRoutes(Struct, frozen=True):
    """The routes of files, and of the pages that explain refusals.

    `upstreams` are by index id, None when offline. `form` is what these pages ask for exemptions
    with, None beyond this machine. `base` is the gate's own address with a slash at the end, or `/`
    when it is not known.
    """

    indexes: Indexes
    upstreams: Mapping[str, Upstream | None]
    cache: FileCache
    whole_files: WholeFiles
    recorder: Recorder
    served: Served
    uses: ExemptionUses
    form: ExemptionForm | None
    new_names: NewNames
    remembered: Remembered
    prefetch: Prefetch
    base: str

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, for the application's table."""
        return [
            web.get("/files/{address:.+}", self.file),
            web.get("/blocked/{project}/{version}/{slug}", self.blocked),
            web.get("/blocked/{project}/{version}/{slug}/", self.blocked),
        ]

    async def file(self, request: web.Request) -> web.StreamResponse:
        """Answer with a file that passes, or lead to why it does not."""
        asked_at = asyncio.get_running_loop().time()
        address = parse(request.rel_url.raw_path)
        client = client_of(request)
        if address is None:
            return not_listed().response()
        try:
            if not any(self.indexes.holds(name) for name in candidates(address.filename)):
                self.new_names.count(request.remote or "")
            run = run_of(request.headers.get(hdrs.AUTHORIZATION))
            async with asyncio.timeout(DEADLINE):
                with judging():
                    judged = await self.indexes.file(address, client, run)
        except TimeoutError:
            return upstream_trouble(late(), address.filename, status=424).response()
        except UpstreamFailed as error:
            return upstream_trouble(error, address.filename, status=424).response()
        if judged is None or (address.side == ".metadata" and not _has_metadata(judged)):
            return not_listed().response()
        about(judged.subject.project.name)
        self.recorder.verdicts.file(judged.verdict)
        if judged.verdict.refused:
            return await self._refuse(request, judged, client)
        try:
            response = await self._serve(request, address, judged, asked_at)
        except UpstreamFailed as error:
            if error.kind == "missing" and address.side == ".asc":
                return not_listed().response()  # signatures are not announced: PEP 503 lets try
            return upstream_trouble(error, address.filename, status=424).response()
        if address.side == ".metadata":
            self.prefetch.metadata_given(request, client, judged, address.path)
            self._offer_again(request, judged, run)
        return response

    async def blocked(self, request: web.Request) -> web.StreamResponse:
        """Explain a refusal, judged again; of the path only the project's name is used."""
        name = valid_name(request.match_info["project"])
        filename = request.query.get("file", "")
        client = client_of(request)
        if name is None:
            return not_listed().response()
        about(name)
        try:
            async with asyncio.timeout(DEADLINE):
                judged = await self.indexes.blocked(name, filename, client)
        except NoSuchProject:
            judged = None
        except TimeoutError:
            return upstream_trouble(late(), f"the page of {name}", status=424).response()
        except UpstreamFailed as error:
            return upstream_trouble(error, f"the page of {name}", status=424).response()
        if judged is None:
            return not_listed().response()
        assessment = self.indexes.assessment(judged)
        if "text/html" in request.headers.get(hdrs.ACCEPT, ""):
            ask = offer(judged) if self.form is None else self.form.offer(judged)
            team = asking_team(self.indexes.gate(judged.index_id).policy.current(), client)
            return blocked_page(judged, assessment, ask, root=_up(request), team=team)
        if not judged.verdict.refused:
            return passes_now(judged).response()
        return (await self._refused(judged, client)).response()

    def _offer_again(self, request: web.Request, judged: JudgedFile, run: str | None) -> None:
        """Let the metadata of a file be given out again as it is: its bytes never change."""
        policy = self.indexes.gate(judged.index_id).policy.current()
        # Of another policy it may have been judged for this client alone.
        for_all = not policy.asks_client and judged.policy == policy.digest
        if run is None and for_all and self.indexes.is_ever_sure:
            request[AGAIN] = Again(
                kind="metadata",
                holds=lambda: self.indexes.still_judged(judged),
                note=lambda times: self.recorder.verdicts.file(judged.verdict, times),
            )

    async def _refuse(
        self, request: web.Request, judged: JudgedFile, client: Client
    ) -> web.StreamResponse:
        await self.recorder.file_refused(
            judged.subject,
            judged.verdict,
            policy=judged.policy,
            client=client,
            run=run_of(request.headers.get(hdrs.AUTHORIZATION)),
            assessment=self.indexes.assessment(judged),
        )
        self.served.refused(judged.index_id, judged.subject.project.name, self.recorder.now())
        if self.indexes.presentation == "hide" or judged.listed is None:
            return (await self._refused(judged, client)).response()
        note_refused(judged.verdict)
        location = _up(request) + blocked_path(judged.subject, judged.verdict)
        return web.Response(status=302, headers={hdrs.LOCATION: location, **NO_STORE})

    async def _serve(
        self, request: web.Request, address: FileAddress, judged: JudgedFile, asked_at: float
    ) -> web.StreamResponse:
        listed, index_id = judged.listed, judged.index_id
        key = address.path + address.side
        if listed is None:
            wanted = Wanted(key=key, sha256=self.remembered.pinned(index_id, key))
            url = ""
        else:
            hashes, size = _promised(listed, address.side)
            wanted = Wanted.listed(
                f"{index_id}/{key}",
                hashes,
                size=size,
                first_seen=None if "sha256" in hashes else self.remembered.pinned(index_id, key),
            )
            url = side_url(listed.url, address.side)
        if not address.side and request.method == hdrs.METH_GET:
            self._count(request, judged)
        run = run_of(request.headers.get(hdrs.AUTHORIZATION))
        if run is not None and request.method == hdrs.METH_GET:
            subject = judged.subject
            self.recorder.runs.file_served(
                run, subject.project.name, subject.version, whole=not address.side
            )
        if not address.side and request.method == hdrs.METH_GET and wanted.sha256 is not None:
            self.remembered.remember(index_id, key, judged.subject.project.name, wanted.sha256)
        source = FileSource(
            cache=self.cache,
            fetch=lambda: self._fetch(index_id, url, None),
            fetch_range=lambda start, stop: self._fetch_range(index_id, url, start, stop, wanted),
            asked_at=asked_at,
        )
        return await respond(request, wanted, source)

    def _count(self, request: web.Request, judged: JudgedFile) -> None:
        if hdrs.RANGE in request.headers:
            return  # a look at the metadata inside, or the rest of a file that was counted
        self.uses.count(judged.verdict.exemptions, self.recorder.now())
        client, subject = client_of(request), judged.subject
        self.served.count(
            judged.index_id,
            subject.project.name,
            subject.version,
            subject.filename,
            family=client.family,
            ci=client.kind == "ci",
            at=self.recorder.now(),
        )

    def _fetch_range(
        self, index_id: str, url: str, start: int, stop: int, wanted: Wanted
    ) -> AbstractAsyncContextManager[UpstreamBody]:
        self.whole_files.fetch_soon(wanted, lambda: self._fetch(index_id, url, None))
        return self._fetch(index_id, url, f"bytes={start}-{stop - 1}")

    def _fetch(
        self, index_id: str, url: str, byte_range: str | None
    ) -> AbstractAsyncContextManager[UpstreamBody]:
        upstream = self.upstreams[index_id]
        if upstream is None:
            return _Unasked(UpstreamFailed("offline", "is not asked: the gate is offline"))
        if not url:
            return _Unasked(UpstreamFailed("missing", "no longer lists the file"))
        return upstream.file(url, byte_range)

    async def _refused(self, judged: JudgedFile, client: Client) -> Problem:
        link = self.base + blocked_path(judged.subject, judged.verdict)
        ask = None if self.form is None else self.form.offer(judged)
        command = None if ask is None else ask.command
        passing: tuple[str, ...] = ()
        gate = self.indexes.gate(judged.index_id)
        with suppress(NoSuchProject, UpstreamFailed, TimeoutError):  # the refusal holds without
            async with asyncio.timeout(_PATIENCE):
                passing = await gate.files.passing(judged, client, MOST_VERSIONS)
        policy = gate.policy.current()
        told = details(judged, self.indexes.assessment(judged), policy, passing, client)
        return refused(judged.subject, judged.verdict, link, ask=command, details=told)


def _up(request: web.Request) -> str:
    """Return the way from the address that was asked for to the gate's root."""
    return "../" * (request.rel_url.raw_path.count("/") - 1)


def _has_metadata(judged: JudgedFile) -> bool:
    """Tell whether upstream offers the metadata beside the file: true, or its hashes."""
    listed = judged.listed
    return listed is not None and not (
        listed.core_metadata is UNSET or listed.core_metadata in (None, False)
    )


def _promised(listed: PageFile, side: str) -> tuple[Mapping[str, str], int | None]:
    """Return the hashes and the size that the page promises of the file, or of its side file."""
    if side == ".metadata":
        known = listed.core_metadata
        return (known if isinstance(known, dict) else {}), None
    if side:
        return {}, None
    return listed.hashes, listed.size if isinstance(listed.size, int) else None


class _Unasked(AbstractAsyncContextManager[UpstreamBody]):
    """A fetch that fails at once, since upstream is not to be asked."""

    def __init__(self, error: UpstreamFailed) -> None:
        self._error = error

    async def __aenter__(self) -> UpstreamBody:
        raise self._error

    async def __aexit__(self, *_: object) -> None:
        return None


def not_listed() -> Problem:
    """Say that no page of the index lists such a file."""
    return Problem(
        type="urn:indexgate:not-listed",
        title="No such file",
        status=404,
        detail="No project page of the index behind indexgate lists this file",
        phrase="Not Found: no project page lists this file",
    )


def passes_now(judged: JudgedFile) -> Problem:
    """Say that what was refused passes now. The status stays an error: this is not the file."""
    subject = judged.subject
    text = f"{subject.project.name} {subject.version} passes now, run again"
    return Problem(
        type="urn:indexgate:passes-now",
        title="Passes now",
        status=409,
        detail=text,
        phrase=f"indexgate: {text}",
        more={
            "project": subject.project.name,
            "version": subject.version,
            "file": subject.filename,
        },
    )
