"""`/pypi/<name>/json`: the JSON documents beside the index, with the policy applied.

Some tools read them instead of pages: Poetry, for one, where its built-in repository is meant.
So they say what the page says, file by file; nothing is offered here that the page withholds.
"""

import asyncio
from collections.abc import Iterable, Mapping
from hashlib import blake2b

from aiohttp import hdrs, web
from cachetools import LRUCache
from msgspec import Struct
from packaging.utils import NormalizedName
from packaging.version import InvalidVersion, Version

from indexgate.finished_page import FinishedPage
from indexgate.index.documents import Documents
from indexgate.index.listing import Listing
from indexgate.index.packing import pack, unpack
from indexgate.index.presentation import QUARANTINED, Addresses, present
from indexgate.index.protocol import NoSuchProject, Snapshot, UpstreamFailed
from indexgate.indexes import Indexes
from indexgate.record import Recorder
from indexgate.simple.accept import Coding, Form, coding
from indexgate.simple.model import Unreadable
from indexgate.simple.project_document import described, gated
from indexgate.simple.projects import valid_name
from indexgate.web.client import client_of, run_of
from indexgate.web.deadline import DEADLINE, late
from indexgate.web.judged_page import judged_page
from indexgate.web.new_names import NewNames
from indexgate.web.refusal import Problem, blocked_path, status_for, upstream_trouble
from indexgate.web.simple_routes import (
    etag_matches,
    max_age,
    moved,
    no_such_project,
    not_a_name,
    page_headers,
    refused_project,
)
from indexgate_policy.subject import Client

_LARGE = 100_000
_KEPT = 8_000_000  # bytes of finished documents


class _Made(Struct, frozen=True, kw_only=True):
    """A finished document, packed, and its ETag without the coding."""

    packed: bytes
    digest: str


class DocumentRoutes:
    """The routes of project documents; *base* is the gate's own address, as links need it whole."""

    def __init__(
        self,
        indexes: Indexes,
        documents: Mapping[str, Documents],
        *,
        recorder: Recorder,
        new_names: NewNames,
        base: str,
    ) -> None:
        self._indexes = indexes
        self._documents = documents
        self._recorder = recorder
        self._new_names = new_names
        self._addresses = Addresses(
            root=base,
            blocked=lambda file, verdict: base + blocked_path(file, verdict),
        )
        self._made: LRUCache[object, _Made] = LRUCache(_KEPT, getsizeof=lambda m: len(m.packed))

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, for the application's table."""
        return [
            web.get("/pypi/{name}/json", self.document),
            web.get("/pypi/{name}/json/", self.to_document),
            web.get("/pypi/{name}/{version}/json", self.document),
            web.get("/pypi/{name}/{version}/json/", self.to_document),
        ]

    async def to_document(self, request: web.Request) -> web.Response:
        """Lead to the address without a slash at its end."""
        return moved("../json", request)

    async def document(self, request: web.Request) -> web.StreamResponse:
        """Answer with the document of a project, or of one version of it."""
        asked, version = request.match_info["name"], request.match_info.get("version")
        name = valid_name(asked)
        if name is None:
            return not_a_name().response()
        if asked != name:
            up = "../" if version is None else "../../"
            last = "json" if version is None else f"{request.rel_url.raw_parts[-2]}/json"
            return moved(f"{up}{name}/{last}", request)
        client = client_of(request)
        try:
            if not self._indexes.holds(name):
                self._new_names.count(request.remote or "")
            async with asyncio.timeout(DEADLINE):
                return await self._answer(request, name, version, client)
        except NoSuchProject:
            return (no_such_project(name) if version is None else _no_version(name)).response()
        except TimeoutError:
            return _trouble(late(), name, client)
        except UpstreamFailed as error:
            return _trouble(error, name, client)

    async def _answer(
        self, request: web.Request, name: NormalizedName, version: str | None, client: Client
    ) -> web.Response:
        run = run_of(request.headers.get(hdrs.AUTHORIZATION))
        page, listed = await judged_page(
            self._indexes, name, client, run=run, max_age=max_age(request)
        )
        if page.refused is not None:
            gate = self._indexes.gate(page.index_id)
            return refused_project(gate, name, page.refused).response()
        if listed.page.status == QUARANTINED:
            raise NoSuchProject(name)
        if version is not None:
            version = _as_listed(listed, version)
        document = await self._documents[page.index_id].snapshot(
            name, version, max_age=max_age(request)
        )
        made = await self._finished(page, listed, document, version)
        self._recorder.page_served(page, client, run)
        wanted = coding(request.headers.getall(hdrs.ACCEPT_ENCODING, []))
        headers = _headers(page, document, made, wanted)
        if etag_matches(request.headers.get(hdrs.IF_NONE_MATCH), headers[hdrs.ETAG]):
            del headers[hdrs.CONTENT_TYPE]
            return web.Response(status=304, headers=headers)
        if wanted is Coding.IDENTITY:
            return web.Response(body=unpack(made.packed), headers=headers)
        headers[hdrs.CONTENT_ENCODING] = wanted.value
        return web.Response(body=made.packed, headers=headers)

    async def _finished(
        self, page: FinishedPage, listed: Listing, document: Snapshot, version: str | None
    ) -> _Made:
        """Return the document made ready, kept as long as the page and the document are the same.

        The page's ETag stands for its verdicts: a page on which another file is refused, or for
        another reason, is another page.
        """
        latest = None
        if version is None:
            latest = await self._offered_instead(page, listed, document)
        key = (
            page.index_id,
            listed.project.name,
            version,
            page.etag,
            document.digest,
            latest and latest.digest,
        )
        made = self._made.get(key)
        if made is None:
            large = len(document.packed) > _LARGE
            making = (page, listed, document, latest)
            made = await asyncio.to_thread(self._make, *making) if large else self._make(*making)
            if len(made.packed) <= _KEPT:
                self._made[key] = made
        return made

    async def _offered_instead(
        self, page: FinishedPage, listed: Listing, document: Snapshot
    ) -> Snapshot | None:
        """Return the document of the newest version that passes, if the latest one does not."""
        _, latest = described(unpack(document.packed))
        verdicts = page.judged_by.verdicts(listed)
        if latest is None or not _is_among(latest, verdicts.refused_versions):
            return None
        passing = verdicts.passing
        if not passing:
            return None
        finals = (text for text in passing if not _is_pre_release(text))
        instead = next(finals, passing[0])
        try:
            return await self._documents[page.index_id].snapshot(listed.project.name, instead)
        except NoSuchProject:  # not told apart by the index: the marks in `releases` must do
            return None

    def _make(
        self, page: FinishedPage, listed: Listing, document: Snapshot, latest: Snapshot | None
    ) -> _Made:
        verdicts = page.judged_by.verdicts(listed)
        shown = present(
            listed.page,
            listed.releases,
            verdicts,
            self._addresses,
            presentation=self._indexes.presentation,
            for_uv=False,
        )
        refused = {name for name, each in verdicts.verdicts.apart.items() if each.refused}
        try:
            body = gated(
                unpack(document.packed),
                shown,
                refused,
                latest=None if latest is None else unpack(latest.packed),
            )
        except Unreadable as error:
            raise UpstreamFailed(error.kind, error.reason) from error
        return _Made(packed=pack(body), digest=blake2b(body, digest_size=16).hexdigest())


def _headers(page: FinishedPage, document: Snapshot, made: _Made, wanted: Coding) -> dict[str, str]:
    headers = page_headers(Form.JSON)
    headers[hdrs.CONTENT_TYPE] = "application/json"
    headers[hdrs.ETAG] = f'"{made.digest}-{wanted}"'
    if page.private:
        headers[hdrs.CACHE_CONTROL] = "private, no-cache"
    if document.serial is not None:
        headers["X-PyPI-Last-Serial"] = document.serial
    stale = page.snapshot.stale or document.stale
    if stale is not None:
        headers["Indexgate-Stale"] = f"upstream {stale}"
    return headers


def _as_listed(listed: Listing, version: str) -> str:
    """Return *version* as the page writes it: no other is asked for, and it in no other spelling.

    Raises NoSuchProject.
    """
    texts = [each.version for each in listed.releases]
    if version in texts:
        return version
    found = next((text for text in texts if _is_among(text, [version])), None)
    if found is None:
        raise NoSuchProject(listed.project.name)
    return found


def _is_among(version: str, texts: Iterable[str]) -> bool:
    known = list(texts)
    parsed = _parsed(version)
    return version in known or (
        parsed is not None and any(_parsed(text) == parsed for text in known)
    )


def _is_pre_release(version: str) -> bool:
    parsed = _parsed(version)
    return parsed is None or parsed.is_prerelease


def _parsed(version: str) -> Version | None:
    try:
        return Version(version)
    except InvalidVersion:
        return None


def _trouble(error: UpstreamFailed, name: NormalizedName, client: Client) -> web.Response:
    what = f"the document of {name}"
    return upstream_trouble(error, what, status=status_for(error, client.family)).response()


def _no_version(name: NormalizedName) -> Problem:
    """Say that the index lists no such version of *name*."""
    return Problem(
        type="urn:indexgate:no-such-version",
        title="No such version",
        status=404,
        detail=f"The index behind indexgate lists no such version of `{name}`",
        phrase="Not Found",
    )
