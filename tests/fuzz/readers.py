"""Targets without a network: what reads pages, headers, addresses, policies and settings."""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from indexgate import config, osv_answer
from indexgate.errors import GateError
from indexgate.index.addresses import address_of, canonical, parse
from indexgate.osv_answer import BadQuery
from indexgate.simple import project_document, read, write
from indexgate.simple.accept import Coding, Form, choose, coding
from indexgate.simple.filename import candidates
from indexgate.simple.model import Unreadable
from indexgate_policy.errors import Explained
from indexgate_policy.policies import shipped
from indexgate_policy.rules import document
from indexgate_policy.rules.page import judge_page
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Client
from tests.conformance.catalogue import JSON_TYPE, PLAIN, PROJECTS
from tests.policy.rules import facts
from tests.policy.rules.facts import NOW

ORIGIN = "https://files.example.test"
URL = "https://index.example.test/simple/plain/"
_PLAIN = canonicalize_name("plain")
_UNASSESSED = Unknown(reason="never assessed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A target: what is changed, what the language is made of, and what takes it.

    `take` raises nothing, whatever it is given; AssertionError where the answer is not one.
    """

    seeds: Sequence[bytes]
    tokens: Sequence[bytes]
    take: Callable[[bytes], None]


def _take_page(body: bytes, content_type: str) -> None:
    try:
        page = read.page(body, content_type=content_type, url=URL, project=_PLAIN)
    except Unreadable:
        return
    written = write.json(page)
    again = read.page(written, content_type=JSON_TYPE, url=URL, project=_PLAIN)
    assert [file.filename for file in again.files] == [file.filename for file in page.files]
    assert [file.hashes for file in again.files] == [file.hashes for file in page.files]
    assert write.html(page).count(b"<a href=") == len(page.files)


def _take_document(body: bytes) -> None:
    page = read.page(PLAIN.json(ORIGIN), content_type=JSON_TYPE, url=URL, project=_PLAIN)
    with suppress(Unreadable):
        project_document.described(body)
        found = json.loads(project_document.gated(body, page, ()))
        releases = found.get("releases", {}).values()
        offered = {file["filename"] for files in releases for file in files}
        assert offered <= {file.filename for file in page.files}


def _take_accept(body: bytes) -> None:
    first, _, second = body.decode("latin-1").partition("\n")
    assert choose([first, second]) in {None, *Form}
    assert choose([first], second) in {None, *Form}
    assert coding([first, second]) in set(Coding)


def _take_address(body: bytes) -> None:
    text = body.decode("latin-1")
    found = parse(text)
    if found is not None:
        assert found.filename
        assert "/" not in found.filename
        assert canonical(found.path) == found.path
        candidates(found.filename)
    with suppress(ValueError):  # what a page lists is read before: it has an address
        gates = address_of(f"{ORIGIN}/{text.lstrip('/')}", "plain-1.0.tar.gz")
        again = parse(f"/{gates}")
        assert again is None or again.filename == "plain-1.0.tar.gz"


def _take_policy(body: bytes) -> None:
    try:
        policy = document.parse(body, source="fuzz.toml", now=NOW)
    except Explained:
        return
    release = facts.release("1.0")
    judged = judge_page([release], _UNASSESSED, policy, Client(), NOW, presentation="explain")
    assert judged.verdicts.keys() == {file.filename for file in release.files}


def _take_settings(body: bytes) -> None:
    given = {"config": "settings.toml"}
    with suppress(GateError):
        config.load(given, {}, lambda _path: body, default_state=Path("state"))


def _take_osv(body: bytes) -> None:
    with suppress(BadQuery):
        for pinned in osv_answer.batch(body):
            assert pinned is None or pinned.version
    with suppress(BadQuery):
        osv_answer.single(body)
    osv_answer.pinned_of(body.decode("latin-1"))


_PAGES = [project.json(ORIGIN) for project in PROJECTS]
_HTML = [project.html(ORIGIN) for project in PROJECTS]
_JSON_TOKENS = [
    b'"yanked":', b'"hashes":{"sha256":"00"}', b'"core-metadata":', b'"api-version":"2.0"',
    b'"upload-time":"2020-01-01T00:00:00Z"', b'"size":-1', b"null", b"1e400", b"\\ud800", b"\xff",
    b'"files":[', b'"versions":[', b'"project-status":{"status":"quarantined"}', b"{}", b"NaN",
]  # fmt: skip
_HTML_TOKENS = [
    b"<a href=", b"</a>", b"<base href=", b"<!--", b"-->", b"<![CDATA[", b"&#x110000;", b"&amp",
    b"<script>", b"data-yanked", b"data-requires-python='", b"#sha256=", b"javascript:",
    b"<meta name='pypi:", b"\xef\xbb\xbf", b"\x00", b"charset=utf-7", b"<",
]  # fmt: skip
_TOML_TOKENS = [
    b"[[rule]]", b"when = {", b"not = ", b"all = [", b"any = []", b"= '''", b'"""', b"1979-05-27",
    b"nan", b"-inf", b"0x", b"[a.b.c]", b"{ ", b" }", b"release_age", b"below", b'"24h"', b"flag",
    b"signal.x", b"[[exemption]]", b"expires = 9999-12-31", b"\xff", b"\\u0000", b"[[", b"]]",
]  # fmt: skip
_SETTINGS = b"""\
host = "127.0.0.1"
port = 8000
policy = "balanced"
page_ttl = "10m"
sources = ["deps-dev"]
private_names = ["acme-*"]

[[index]]
name = "acme"
url = "https://user:secret@index.example.test/simple/"
namespaces = ["acme-*"]
timeout = "5s"

[[index]]
name = "public"
url = "https://mirror.example.test/simple/"
public = "yes"
"""
_OSV = json.dumps(
    {
        "queries": [
            {"package": {"name": "demo", "ecosystem": "PyPI"}, "version": "1.0"},
            {"package": {"purl": "pkg:pypi/demo@1.0"}},
            {"commit": "00"},
        ]
    }
).encode()

READERS: dict[str, Reader] = {
    "page-json": Reader(
        seeds=_PAGES, tokens=_JSON_TOKENS, take=lambda body: _take_page(body, JSON_TYPE)
    ),
    "page-html": Reader(
        seeds=_HTML, tokens=_HTML_TOKENS, take=lambda body: _take_page(body, "text/html")
    ),
    "document": Reader(
        seeds=[PLAIN.document(ORIGIN), PLAIN.document(ORIGIN, "9.0")],
        tokens=_JSON_TOKENS,
        take=_take_document,
    ),
    "accept": Reader(
        seeds=[
            b"application/vnd.pypi.simple.v1+json, text/html;q=0.1\ngzip, deflate, br",
            b"*/*\n*",
            b'text/html;charset="a,b";q=0.9, application/*;q=.5\nidentity;q=0',
        ],
        tokens=[b"q=", b";", b",", b'"', b"\\", b"*/*", b"q=1e9", b"q=0.0001", b"application/"],
        take=_take_accept,
    ),
    "address": Reader(
        seeds=[
            b"/files/https/files.example.test/packages/aa/bb/plain-1.0-py3-none-any.whl.metadata",
            b"/files/http/127.0.0.1:8080/simple/plain/../../p/plain-1.0.tar.gz.asc",
            b"/files/https/a.example.test/p%2Fq/plain-1.0%2Blocal.tar.gz?x=y#z",
        ],
        tokens=[b"%2e%2e/", b"//", b"%00", b"%", b"@", b"[::1]", b".metadata", b"\\", b"?", b"#"],
        take=_take_address,
    ),
    "policy": Reader(
        seeds=[shipped(name) for name in ("observe", "balanced", "strict")],
        tokens=_TOML_TOKENS,
        take=_take_policy,
    ),
    "settings": Reader(seeds=[_SETTINGS], tokens=_TOML_TOKENS, take=_take_settings),
    "osv": Reader(seeds=[_OSV], tokens=_JSON_TOKENS, take=_take_osv),
}
"""Every target that needs no gate, by name."""
