"""Asking an index: a dozen requests, one after another, bounded in time and size."""

import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import httpx
from msgspec import Struct, field
from packaging.utils import canonicalize_name

from indexgate.doctor.index.answer import Answer, Examined, Question
from indexgate.errors import GateError
from indexgate.redact import redact
from indexgate.simple import read
from indexgate.simple.accept import Form
from indexgate.simple.model import ProjectPage, Unreadable
from indexgate.sources import outbound
from indexgate.web_address import Credentials

USUAL = ("pip", "requests", "six")
"""Projects that are asked for where none is named; nearly every index has one of them."""

_PATIENCE = 20.0
_LARGEST = 64_000_000
_LARGEST_LIST = 400_000_000
_MISSING = "indexgate-asks-for-what-is-not-there"
_NAMES = {
    "json": re.compile(rb'"name"\s*:'),
    "html": re.compile(rb"<a[\s>]", re.IGNORECASE),
}
_PART = "bytes=0-63"


def new_client(authorities: Path | None) -> httpx.Client:
    """Return a client for one index; *authorities* is a PEM file in place of the usual ones.

    Raises GateError if that cannot be read.
    """
    try:
        context = ssl.create_default_context(cafile=str(authorities) if authorities else None)
    except OSError as error:
        raise GateError(
            "certificates", f"`{authorities}` holds no certificates that can be read"
        ) from error
    outbound.keep_credentials_out_of_logs()
    return httpx.Client(
        verify=context,
        headers={"User-Agent": outbound.user_agent(), "Accept-Encoding": "gzip"},
        timeout=_PATIENCE,
        follow_redirects=True,
        max_redirects=5,
    )


class Asking(Struct):
    """The questions to one index; use it in a `with` block.

    `root` ends with a slash. `login` is for the index's own host alone, files lie on others too.
    """

    root: str
    client: httpx.Client
    login: Credentials | None = None
    answers: dict[Question, Answer] = field(default_factory=dict)
    pages: dict[Question, ProjectPage] = field(default_factory=dict)
    unreadable: dict[Question, str] = field(default_factory=dict)
    names: int | None = None
    whole_list: bool = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.client.close()

    def examine(self, name: str | None) -> Examined:
        """Ask all questions about the project *name*, or a usual one. Raises GateError."""
        chosen = self._page_of(name)
        url = f"{self.root}{chosen}/"
        self._read("html", chosen, self._get("html", url, {"Accept": Form.HTML}))
        first = self.answers["json"]
        known = {
            name: first.headers[header]
            for name, header in (("If-None-Match", "etag"), ("If-Modified-Since", "last-modified"))
            if header in first.headers
        }
        self._get("again", url, {"Accept": Form.JSON, **known})
        self._get("head", url, {"Accept": Form.JSON}, method="HEAD")
        self._get("bare", url.rstrip("/"), {"Accept": Form.JSON}, follow=False)
        self._get("spelled", f"{self.root}{_spelled(chosen)}/", {"Accept": Form.JSON})
        self._get("missing", f"{self.root}{_MISSING}/", {"Accept": Form.JSON})
        self._list()
        page = self.pages.get("json") or self.pages.get("html")
        if page is not None:
            self._files(page)
        return Examined(
            url=redact(self.root),
            name=chosen,
            answers=self.answers,
            pages=self.pages,
            unreadable=self.unreadable,
            names=self.names,
            whole_list=self.whole_list,
        )

    def _page_of(self, name: str | None) -> str:
        """Return the project whose page is looked at, asked for as JSON."""
        tried = (name,) if name is not None else USUAL
        for each in tried:
            chosen = canonicalize_name(each)
            answer = self._get("json", f"{self.root}{chosen}/", {"Accept": _wanted()})
            if answer.status == 0:
                raise GateError(
                    "index-not-reached",
                    f"`{redact(self.root)}` cannot be reached: {answer.failure}",
                    "Give the address of its simple index, as `pip install --index-url` takes it.",
                )
            if answer.status == 200:
                self._read("json", chosen, answer)
                return chosen
        shown = ", ".join(f"`{each}`" for each in tried)
        raise GateError(
            "index-has-none",
            f"`{redact(self.root)}` has no page of {shown} ({self.answers['json'].told})",
            "Name a project that it has: `--about NAME`.",
        )

    def _read(self, question: Question, name: str, answer: Answer) -> None:
        if answer.status != 200:
            self.unreadable[question] = answer.told
            return
        try:
            self.pages[question] = read.page(
                answer.body,
                content_type=answer.headers.get("content-type", ""),
                url=answer.url,
                project=canonicalize_name(name),
            )
        except Unreadable as error:
            self.unreadable[question] = f"the index {error.reason}"

    def _files(self, page: ProjectPage) -> None:
        """Ask for a file of *page* and what lies beside it: the last wheel, else the last file."""
        wheels = [file for file in page.files if file.filename.endswith(".whl")]
        if not page.files:
            return
        file = (wheels or page.files)[-1]
        plain = {"Accept-Encoding": "identity"}
        self._get("file-head", file.url, plain, method="HEAD")
        self._get("file-part", file.url, {**plain, "Range": _PART}, most=64)
        if file.core_metadata:
            self._get("metadata", f"{file.url}.metadata", {})
        if isinstance(file.provenance, str):
            url = urljoin(file.url, file.provenance)
            self._get("provenance", url, {"Accept": "application/vnd.pypi.integrity.v1+json"})

    def _list(self) -> None:
        """Count the projects of the list as it comes by; it is never held as a whole."""
        try:
            with self.client.stream(
                "GET", self.root, headers={"Accept": _wanted()}, auth=self._login(self.root)
            ) as response:
                kind = "json" if "json" in response.headers.get("content-type", "") else "html"
                length, count, left = 0, 0, b""
                for chunk in response.iter_bytes():
                    length += len(chunk)
                    found = _NAMES[kind].findall(left + chunk)
                    count += len(found)
                    left = _tail(left + chunk, kind)
                    if length > _LARGEST_LIST:
                        self.whole_list = False
                        break
                self.names = count if response.status_code == 200 else None
                self.answers["list"] = _answer(response, length=length)
        except httpx.HTTPError as error:
            self.answers["list"] = Answer(status=0, url=self.root, failure=_why(error))

    def _get(
        self,
        question: Question,
        url: str,
        headers: Mapping[str, str],
        *,
        method: str = "GET",
        follow: bool = True,
        most: int = _LARGEST,
    ) -> Answer:
        try:
            with self.client.stream(
                method,
                url,
                headers=dict(headers),
                follow_redirects=follow,
                auth=self._login(url),
            ) as response:
                body = b""
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) >= most:
                        break
                answer = _answer(response, body=body[:most], length=len(body))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            answer = Answer(status=0, url=redact(url), failure=_why(error))
        self.answers[question] = answer
        return answer

    def _login(self, url: str) -> httpx.BasicAuth | None:
        own, there = urlsplit(self.root), urlsplit(url)
        if self.login is None or (own.scheme, own.netloc) != (there.scheme, there.netloc):
            return None
        return httpx.BasicAuth(self.login.user, self.login.password)


def _wanted() -> str:
    return f"{Form.JSON}, {Form.HTML_V1};q=0.2, {Form.HTML};q=0.1"


def _answer(response: httpx.Response, *, body: bytes = b"", length: int = 0) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    bare = response.url.copy_with(username=None, password=None)
    return Answer(
        status=response.status_code, url=str(bare), headers=headers, body=body, length=length
    )


def _spelled(name: str) -> str:
    """Return *name* as nobody normalises it."""
    return name.replace("-", "_").upper()


def _tail(text: bytes, kind: str) -> bytes:
    """Return the end of *text* that may be the beginning of another name."""
    mark = {"json": b'"name"', "html": b"<a"}[kind]
    at = text.rfind(mark[:1], max(len(text) - 32, 0))
    return text[at:] if at >= 0 and not _NAMES[kind].search(text[at:]) else b""


def _why(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return redact(text[:1].lower() + text[1:200])
