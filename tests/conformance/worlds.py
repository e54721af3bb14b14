"""The worlds that every requirement is held in: what upstream speaks, and what the policy does."""

import gzip
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import urljoin

import aiohttp
import msgspec
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from tests.conformance.catalogue import (
    BLOCKED,
    JSON_TYPE,
    PLAIN,
    PROJECTS,
    Sent,
    SentProject,
)
from tests.conformance.reading import Html, read_html
from tests.proxy.web.running import Running, running
from tests.standins.faults import Status
from tests.standins.upstream import Upstream

Spoken: TypeAlias = Literal["json", "html"]
Doing: TypeAlias = Literal["open", "hide", "explain"]

HTML_V1 = "application/vnd.pypi.simple.v1+html"
POLICIES = {
    "open": "version = 1\n",
    "filter": """\
version = 1

[[rule]]
id = "newest"
action = "refuse"
when = { version = "==9.*" }
unknown = "allow"

[[rule]]
id = "named"
action = "refuse"
when = { project = ["blocked-*"] }
""",
}
_NO_AUTOMATIC_HEADERS = ("Accept", "Accept-Encoding", "User-Agent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer of the gate, read whole; `body` without its content coding, `sent` as it came."""

    status: int
    reason: str
    headers: CIMultiDictProxy[str]
    sent: bytes

    @property
    def body(self) -> bytes:
        """The body, unpacked."""
        return gzip.decompress(self.sent) if "Content-Encoding" in self.headers else self.sent

    @property
    def media(self) -> str:
        """The Content-Type without parameters."""
        return self.headers.get("Content-Type", "").partition(";")[0]

    def json(self) -> dict[str, Any]:
        """Return the body as a JSON object, in which no key comes twice."""
        return dict(msgspec.json.decode(self.body))


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A running gate in front of a running upstream that speaks one form."""

    spoken: Spoken
    doing: Doing
    upstream: Upstream
    gate: Running
    session: aiohttp.ClientSession

    async def ask(
        self,
        path: str,
        *headers: tuple[str, str],
        method: str = "GET",
        **named: str,
    ) -> Answer:
        """Ask the gate for *path*, as it is written, with no other headers; follow nothing.

        `Accept_Encoding="gzip"` is a header too.
        """
        url = URL(str(self.gate.client.make_url("/")).rstrip("/") + path, encoded=True)
        given = CIMultiDict([*headers, *((k.replace("_", "-"), v) for k, v in named.items())])
        async with self.session.request(
            method, url, headers=given, allow_redirects=False
        ) as response:
            return Answer(
                status=response.status,
                reason=response.reason or "",
                headers=response.headers,
                sent=await response.read(),
            )

    async def json(self, project: str, **headers: str) -> dict[str, Any]:
        """Return the JSON page of *project*, which must be there."""
        answer = await self.ask(f"/simple/{project}/", **{"Accept": JSON_TYPE, **headers})
        assert (answer.status, answer.media) == (200, JSON_TYPE), answer
        return answer.json()

    async def html(self, project: str, **headers: str) -> Html:
        """Return the HTML page of *project*, which must be there."""
        answer = await self.ask(f"/simple/{project}/", **{"Accept": "text/html", **headers})
        assert (answer.status, answer.media) == (200, "text/html"), answer
        return read_html(answer.body)

    async def files(self, project: str, **headers: str) -> dict[str, dict[str, Any]]:
        """Return the files of the JSON page of *project*, by name."""
        page = await self.json(project, **headers)
        return {str(file["filename"]): file for file in page["files"]}

    async def path_of(self, project: str, filename: str) -> str:
        """Return the address of a listed file, as a path at the gate."""
        found = (await self.files(project))[filename]
        return urljoin(f"/simple/{project}/", str(found["url"]))

    @property
    def filtered(self) -> bool:
        """Whether the policy refuses anything."""
        return self.doing != "open"

    def refuses(self, filename: str) -> bool:
        """Whether the policy refuses the file of this name."""
        return self.filtered and ("-9.0" in filename or filename.startswith("blocked_"))

    def passing(self, project: SentProject) -> dict[str, dict[str, Any]]:
        """Return what upstream says of the files that pass, by name."""
        entries = [file.entry(self.upstream.origin) for file in project.files]
        return {e["filename"]: e for e in entries if not self.refuses(e["filename"])}


def serve(upstream: Upstream, spoken: Spoken, projects: Iterable[SentProject] = PROJECTS) -> None:
    """Have *upstream* serve *projects* in the one form that it speaks."""
    for project in projects:
        page = f"/simple/{project.normalized}/"
        if spoken == "json":
            body, content_type = project.json(upstream.origin), JSON_TYPE
        else:
            body, content_type = project.html(upstream.origin), "text/html; charset=utf-8"
        bare = upstream.origin.removeprefix("http:")
        body = body.replace(b"{scheme-relative}", bare.encode())
        upstream.fault(page, Status(status=200, body=body, content_type=content_type))
        for file in project.files:
            serve_file(upstream, file)


def serve_documents(upstream: Upstream) -> None:
    """Have *upstream* serve the JSON documents of the projects that a policy filters."""
    for project in (PLAIN, BLOCKED):
        for version in (None, *(project.versions or ())):
            path = "/".join(part for part in (project.normalized, version) if part)
            body = project.document(upstream.origin, version)
            answer = Status(status=200, body=body, content_type="application/json")
            upstream.fault(f"/pypi/{path}/json", answer)


def serve_file(upstream: Upstream, file: Sent) -> None:
    """Have *upstream* serve the bytes of *file*, and those that belong to it."""
    path = URL(urljoin(f"{upstream.origin}/simple/linked/", _true_url(upstream, file))).raw_path
    for suffix, body in (("", file.body), (".metadata", file.metadata), (".asc", file.signature)):
        if body is not None:
            answer = Status(status=200, body=body, headers={"Accept-Ranges": "bytes"})
            upstream.fault(path.replace("[", "[[]") + suffix, answer)


def _true_url(upstream: Upstream, file: Sent) -> str:
    url = file.url or f"{{origin}}{file.path}"
    return url.replace("{origin}", upstream.origin).replace("{scheme-relative}", upstream.origin)


@asynccontextmanager
async def opened(
    spoken: Spoken,
    doing: Doing,
    folder: Path,
    *,
    projects: Sequence[SentProject] = PROJECTS,
    upstream_public: str = "auto",
) -> AsyncIterator[World]:
    """Open a world of its own."""
    policy = POLICIES["open" if doing == "open" else "filter"]
    presentation = "explain" if doing == "open" else doing
    async with Upstream() as upstream:
        serve(upstream, spoken, projects)
        serve_list(upstream, spoken, [project.name for project in projects])
        serve_documents(upstream)
        async with (
            running(
                upstream, folder, policy, presentation=presentation, upstream_public=upstream_public
            ) as gate,
            aiohttp.ClientSession(
                auto_decompress=False,
                skip_auto_headers=_NO_AUTOMATIC_HEADERS,
                cookie_jar=aiohttp.DummyCookieJar(),
            ) as session,
        ):
            yield World(spoken=spoken, doing=doing, upstream=upstream, gate=gate, session=session)


def serve_list(upstream: Upstream, spoken: Spoken, names: Sequence[str]) -> None:
    """Have *upstream* list *names* as its projects."""
    if spoken == "json":
        listed = [{"name": name, "_last-serial": 3} for name in names]
        body = msgspec.json.encode({"meta": {"api-version": "1.4"}, "projects": listed})
        upstream.fault("/simple/", Status(status=200, body=body, content_type=JSON_TYPE))
        return
    links = "\n".join(f'<a href="/simple/{name}/">{name}</a>' for name in names)
    page = (
        f"<!DOCTYPE html><html><head><title>Simple index</title></head><body>{links}</body></html>"
    )
    upstream.fault("/simple/", Status(status=200, body=page.encode(), content_type="text/html"))
