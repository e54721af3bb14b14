"""`/simple/`: the project list and the project pages, in the form that is asked for."""

import asyncio

from aiohttp import hdrs, web
from msgspec import Struct
from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate.finished_page import FinishedPage, Variant
from indexgate.gate import Gate
from indexgate.index.packing import unpack
from indexgate.index.project_list import ProjectLists
from indexgate.index.protocol import NoSuchProject, UpstreamFailed
from indexgate.index.trace import about, judging, met_page
from indexgate.indexes import Indexes
from indexgate.record import Recorder
from indexgate.simple.accept import Coding, Form, choose, coding
from indexgate.simple.projects import valid_name
from indexgate.store.asked import Asked
from indexgate.web.asker import asker_of
from indexgate.web.client import client_of, run_of
from indexgate.web.deadline import DEADLINE, late
from indexgate.web.new_names import NewNames
from indexgate.web.prefetch import Prefetch
from indexgate.web.refusal import (
    Problem,
    pip_notice,
    status_for,
    upstream_trouble,
    whole_project,
)
from indexgate.web.refusal_details import project_details
from indexgate.web.verbatim import AGAIN, Again
from indexgate_policy.rules.verdict import Verdict
from indexgate_policy.subject import Client

VARY = "Accept, Accept-Encoding, User-Agent"
_CONTENT_TYPE = {
    Form.JSON: Form.JSON.value,
    Form.HTML_V1: Form.HTML_V1.value,
    Form.HTML: "text/html; charset=UTF-8",
}
_CSP = "default-src 'none'; sandbox"


class SimpleRoutes(Struct, frozen=True):
    """The routes of the simple index."""

    indexes: Indexes
    lists: ProjectLists
    recorder: Recorder
    new_names: NewNames
    asked: Asked
    prefetch: Prefetch

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, for the application's table."""
        return [
            web.get("/simple", self.to_list),
            web.get("/simple/", self.project_list),
            web.get("/simple/{name}", self.to_page),
            web.get("/simple/{name}/", self.project_page),
            web.get("/simple//{name}", self.to_page),
            web.get("/simple//{name}/", self.to_page),
        ]

    async def to_list(self, request: web.Request) -> web.Response:
        """Lead to the address with its slash."""
        return moved("simple/", request)

    async def to_page(self, request: web.Request) -> web.Response:
        """Lead to the page under its one address; pipenv, for one, asks `/simple//name/`."""
        name = valid_name(request.match_info["name"])
        if name is None:
            return not_a_name().response()
        # Relative, since Host is never reflected: up as many levels as the address is too deep.
        too_deep = request.rel_url.raw_path.count("/") - len(("simple", "name"))
        return moved(f"{'../' * too_deep}{name}/", request)

    async def project_page(self, request: web.Request) -> web.StreamResponse:
        """Answer with a project's page."""
        asked = request.match_info["name"]
        name = valid_name(asked)
        if name is None:
            return not_a_name().response()
        if asked != name:
            return moved(f"../{name}/", request)
        form = _form(request)
        if form is None:
            return not_acceptable().response()
        return await self._page(request, name, form)

    async def _page(
        self, request: web.Request, name: NormalizedName, form: Form
    ) -> web.StreamResponse:
        client = client_of(request)
        variant = Variant(
            form=form,
            coding=coding(request.headers.getall(hdrs.ACCEPT_ENCODING, [])),
            for_uv=client.family == "uv",
        )
        run, anew = run_of(request.headers.get(hdrs.AUTHORIZATION)), max_age(request)
        about(name)
        try:
            if not self.indexes.holds(name):
                self.new_names.count(request.remote or "")
            async with asyncio.timeout(DEADLINE):
                with judging():
                    page = await self.indexes.page(name, variant, client, max_age=anew, run=run)
        except NoSuchProject:
            return self._missing(name)
        except TimeoutError:
            return _trouble(late(), name, client.family)
        except UpstreamFailed as error:
            return _trouble(error, name, client.family)
        self._note(request, name, page, client, run=run, lasting=run is None and anew is None)
        if run is not None:
            self.recorder.runs.page_served(run, name, await self._newest(name, page))
        if page.refused is not None:
            gate = self.indexes.gate(page.index_id)
            return refused_project(gate, name, page.refused).response()
        self.prefetch.page_given(request, client, page, variant)
        return _answer(request, page, variant)

    async def _newest(self, name: NormalizedName, page: FinishedPage) -> str | None:
        """Return the newest version that passes by *page*."""
        try:
            listed = await self.indexes.gate(page.index_id).listings.of(name, asked=False)
        except (NoSuchProject, UpstreamFailed):  # gone in this very moment
            return None
        return next(iter(page.judged_by.verdicts(listed).passing), None)

    def _note(
        self,
        request: web.Request,
        name: NormalizedName,
        page: FinishedPage,
        client: Client,
        *,
        run: str | None,
        lasting: bool,
    ) -> None:
        """Write down that *page* is given out; a *lasting* one may be given out again as it is."""
        asker = asker_of(request.headers.get(hdrs.USER_AGENT, ""))
        # Without what is large, which an answer that has none must not keep as long as it is kept.
        given = replace(page, body=b"", listed=None)

        def note(times: int) -> None:
            self.recorder.page_served(given, client, run, times)
            self.asked.count(given.index_id, name, asker, self.recorder.now(), times)

        note(1)
        lasting = lasting and self.indexes.is_ever_sure and page.snapshot.stale is None
        if lasting and not page.private and page.refused is None:
            request[AGAIN] = Again(
                kind="page", holds=lambda: self.indexes.still(given, name), note=note
            )

    def _missing(self, name: NormalizedName) -> web.Response:
        for index_id in self.indexes.missed_by(name):
            self.asked.miss(index_id, name, self.recorder.now())
        return no_such_project(name).response()

    async def project_list(self, request: web.Request) -> web.StreamResponse:
        """Answer with the list of all projects, as upstream has it."""
        form = _form(request)
        if form is None:
            return not_acceptable().response()
        try:
            found = await self.lists.listed(form)
        except UpstreamFailed as error:
            return _trouble(error, "the project list", "other")
        wanted = coding(request.headers.getall(hdrs.ACCEPT_ENCODING, []))
        met_page("hit" if found.stale is None else "stale")
        headers = page_headers(form)
        headers[hdrs.ETAG] = f'"{found.digest}-{form.name}-{wanted}"'
        if found.stale is None:
            headers[hdrs.CACHE_CONTROL] = "max-age=600"
        else:
            headers["Indexgate-Stale"] = f"upstream {found.stale}"
        if etag_matches(request.headers.get(hdrs.IF_NONE_MATCH), headers[hdrs.ETAG]):
            del headers[hdrs.CONTENT_TYPE]
            return web.Response(status=304, headers=headers)
        if wanted is Coding.IDENTITY:
            body = await asyncio.to_thread(unpack, found.packed)
            return web.Response(body=body, headers=headers)
        headers[hdrs.CONTENT_ENCODING] = wanted.value
        return web.Response(body=found.packed, headers=headers)


def page_headers(form: Form) -> dict[str, str]:
    """Return the headers that every page in *form* carries."""
    headers = {
        hdrs.CONTENT_TYPE: _CONTENT_TYPE[form],
        hdrs.VARY: VARY,
        hdrs.CACHE_CONTROL: "no-cache",
        "Access-Control-Allow-Origin": "*",
    }
    if form is not Form.JSON:
        headers["Content-Security-Policy"] = _CSP
    return headers


def _answer(request: web.Request, page: FinishedPage, variant: Variant) -> web.Response:
    headers = page_headers(variant.form)
    headers[hdrs.ETAG] = page.etag
    if page.private:
        headers[hdrs.CACHE_CONTROL] = "private, no-cache"
    if page.snapshot.serial is not None:
        headers["X-PyPI-Last-Serial"] = page.snapshot.serial
    if page.snapshot.stale is not None:
        headers["Indexgate-Stale"] = f"upstream {page.snapshot.stale}"
    if etag_matches(request.headers.get(hdrs.IF_NONE_MATCH), page.etag):
        del headers[hdrs.CONTENT_TYPE]
        return web.Response(status=304, headers=headers)
    if variant.coding is not Coding.IDENTITY:
        headers[hdrs.CONTENT_ENCODING] = variant.coding.value
    return web.Response(body=page.body, headers=headers)


def etag_matches(header: str | None, etag: str) -> bool:
    """Tell whether If-None-Match names *etag*, by the weak comparison (RFC 9110, 13.1.2)."""
    if header is None:
        return False
    if header.strip() == "*":
        return True
    return etag in (item.strip().removeprefix("W/") for item in header.split(","))


def _form(request: web.Request) -> Form | None:
    return choose(request.headers.getall(hdrs.ACCEPT, []), request.query.get("format"))


def max_age(request: web.Request) -> float | None:
    """Return how old a page the client takes: `no-cache` asks anew, at most once a second.

    pip before 26.2 says `max-age=0` on every page out of habit, so that is passed over.
    """
    asked = request.headers.get(hdrs.CACHE_CONTROL, "").lower()
    return 1.0 if "no-cache" in asked else None


def moved(where: str, request: web.Request) -> web.Response:
    """Lead to *where*, relative to the address that was asked for, with the same query."""
    query = request.rel_url.raw_query_string
    location = f"{where}?{query}" if query else where
    return web.Response(status=301, headers={hdrs.LOCATION: location, hdrs.VARY: VARY})


def _trouble(error: UpstreamFailed, what: str, family: str) -> web.Response:
    if family == "pip":
        return pip_notice(error, what)
    return upstream_trouble(error, what, status=status_for(error, family)).response()


def not_a_name() -> Problem:
    """Say that the address holds no project name."""
    return Problem(
        type="urn:indexgate:no-such-project",
        title="Not a project name",
        status=404,
        detail="A project name has letters, digits, and `-`, `_` or `.` between them",
        phrase="Not Found: not a project name",
    )


def no_such_project(name: str) -> Problem:
    """Say that the index has no project *name*."""
    return Problem(
        type="urn:indexgate:no-such-project",
        title="No such project",
        status=404,
        detail=f"The index behind indexgate has no project `{name}`",
        phrase="Not Found",
    )


def not_acceptable() -> Problem:
    """Say which forms there are."""
    return Problem(
        type="urn:indexgate:not-acceptable",
        title="Not acceptable",
        status=406,
        detail=f"Ask for one of: {', '.join(form.value for form in Form)}",
        phrase="Not Acceptable",
        headers={hdrs.VARY: VARY},
    )


def refused_project(gate: Gate, name: NormalizedName, verdict: Verdict) -> Problem:
    """Say that the whole project is refused, where refusals are hidden (`hide`)."""
    told = project_details(gate.facts.known(name), gate.policy.current(), verdict.rule)
    return replace(whole_project(name, verdict, told), headers={hdrs.VARY: VARY})
