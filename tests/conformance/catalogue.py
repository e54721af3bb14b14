"""What the upstream of these tests lists: ordinary projects, odd ones, sloppy and hostile ones.

A page is written down once, as the members of its JSON form; the HTML form is made from the same
members, so that a gate in front of either is asked the same questions.
"""

import hashlib
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from packaging.utils import NormalizedName, canonicalize_name

from tests.standins.packages import metadata_text, sdist, wheel

JSON_TYPE = "application/vnd.pypi.simple.v1+json"
UPLOADED = "2020-01-02T03:04:05.678901Z"
NASTY = "see <https://a.example.test/?a=1&b=2> \"quoted\" 'so'\nnext line \u2013 \u00fc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A file as upstream lists it: its bytes, where they lie, and the members beside its name.

    `url` None is the true absolute address; `{origin}` in it becomes upstream's. A member that is
    None here is null on the page; `members` win over what is worked out of the bytes.
    """

    filename: str
    content: bytes = b"the bytes of a file\n"
    members: Mapping[str, Any] = field(default_factory=dict)
    url: str | None = None
    metadata: bytes | None = None
    signature: bytes | None = None

    @property
    def path(self) -> str:
        """Where upstream serves the bytes, as it travels."""
        return f"/packages/{self.sha256[:8]}/{self.filename.replace('+', '%2B')}"

    @property
    def sha256(self) -> str:
        """The digest of the bytes, in hex."""
        return hashlib.sha256(self.content + self.filename.encode()).hexdigest()

    @property
    def body(self) -> bytes:
        """What upstream serves: bytes that no other file has."""
        return self.content + self.filename.encode()

    def entry(self, origin: str) -> dict[str, Any]:
        """Return the file's members on the JSON page."""
        url = (self.url or f"{{origin}}{self.path}").replace("{origin}", origin)
        worked_out: dict[str, Any] = {
            "filename": self.filename,
            "url": url,
            "hashes": {"sha256": hashlib.sha256(self.body).hexdigest()},
            "size": len(self.body),
            "upload-time": UPLOADED,
        }
        if self.metadata is not None:
            worked_out["core-metadata"] = {"sha256": hashlib.sha256(self.metadata).hexdigest()}
        return worked_out | dict(self.members)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentProject:
    """A project page as upstream sends it; `members` are those of the page, `meta` of its meta."""

    name: str
    files: tuple[Sent, ...]
    versions: tuple[str, ...] | None = ("1.0",)
    members: Mapping[str, Any] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)
    base: str | None = None

    @property
    def normalized(self) -> NormalizedName:
        """The name as addresses have it."""
        return canonicalize_name(self.name)

    def json(self, origin: str) -> bytes:
        """Return the JSON form."""
        page: dict[str, Any] = {
            "meta": {"api-version": "1.4", "_last-serial": 7} | dict(self.meta),
            "name": self.normalized,
            "files": [file.entry(origin) for file in self.files],
        }
        if self.versions is not None:
            page["versions"] = list(self.versions)
        return json.dumps(page | dict(self.members)).encode()

    def document(self, origin: str, version: str | None = None) -> bytes:
        """Return the JSON document beside the index, of the project or of one version of it."""
        releases: dict[str, list[dict[str, Any]]] = {}
        for file in self.files:
            entry = file.entry(origin)
            yanked = entry.pop("yanked", False)
            entry |= {"yanked": yanked is not False, "yanked_reason": yanked or None}
            of = file.filename.removesuffix(".tar.gz").split("-")[1]
            releases.setdefault(of, []).append(entry | {"digests": entry["hashes"]})
        described = version or list(releases)[-1]
        document: dict[str, Any] = {
            "info": {"name": self.name, "version": described, "yanked": False},
            "urls": releases[described],
            "of-tomorrow": {"kept": None},
        }
        return json.dumps(document | ({} if version else {"releases": releases})).encode()

    def html(self, origin: str) -> bytes:
        """Return the HTML form, as far as HTML goes."""
        version = str(self.meta.get("api-version", "1.4"))
        lines = [
            f'<!DOCTYPE html><html><head><meta name="pypi:repository-version" \
content="{min(version, "1.4") if version.startswith("1.") else version}">'
        ]
        status = self.members.get("project-status")
        if isinstance(status, dict):
            for key, name in (("status", "status"), ("reason", "status-reason")):
                if key in status:
                    value = html.escape(status[key])
                    lines.append(f'<meta name="pypi:project-{name}" content="{value}">')
        if self.base is not None:
            lines.append(f'<base href="{self.base.replace("{origin}", origin)}">')
        lines.append(f"<title>Links for {self.normalized}</title></head><body>")
        lines += [_anchor(file.entry(origin)) for file in self.files]
        return "\n".join([*lines, "</body></html>"]).encode()


def _anchor(entry: dict[str, Any]) -> str:
    hashes = entry.get("hashes") or {}
    fragment = next((f"#{kind}={digest}" for kind, digest in hashes.items()), "")
    attributes = {"href": f"{entry['url']}{fragment}"}
    if entry.get("requires-python"):
        attributes["data-requires-python"] = entry["requires-python"]
    if entry.get("yanked"):
        attributes["data-yanked"] = "" if entry["yanked"] is True else str(entry["yanked"])
    core = entry.get("core-metadata")
    if core:
        side = f"sha256={core['sha256']}" if isinstance(core, dict) and core else "true"
        attributes["data-core-metadata"] = side
    elif core is False:
        attributes["data-core-metadata"] = "false"
    if "dist-info-metadata" in entry:
        attributes["data-dist-info-metadata"] = str(entry["dist-info-metadata"]).lower()
    if isinstance(entry.get("gpg-sig"), bool):
        attributes["data-gpg-sig"] = str(entry["gpg-sig"]).lower()
    if entry.get("provenance"):
        attributes["data-provenance"] = entry["provenance"]
    written = " ".join(f'{name}="{html.escape(value)}"' for name, value in attributes.items())
    return f"<a {written}>{html.escape(str(entry['filename']))}</a><br>"


def whl(name: str, version: str, **members: Any) -> Sent:
    """Return a wheel with its metadata beside it; the keywords are members with `_` for `-`."""
    made = wheel(name, version)
    return Sent(
        filename=made.filename,
        content=made.content,
        metadata=metadata_text(name, version),
        members=_kebab(members),
    )


def tar(name: str, version: str, **members: Any) -> Sent:
    """Return a source archive."""
    made = sdist(name, version)
    return Sent(filename=made.filename, content=made.content, members=_kebab(members))


def _kebab(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name.replace("_", "-"): value for name, value in members.items()}


def _archive(filename: str, **members: Any) -> Sent:
    return Sent(filename=filename, members=_kebab(members))


PLAIN = SentProject(
    name="plain",
    files=(
        whl("plain", "1.0", requires_python=">=3.8,<4"),
        tar("plain", "1.0", requires_python=">=3.8,<4"),
        whl("plain", "1.1", yanked=NASTY),
        whl("plain", "1.2", yanked=True),
        whl("plain", "1.3", yanked="false", requires_python="not a specifier"),
        tar("plain", "1.3"),
        whl("plain", "2.0"),
        whl("plain", "9.0"),
        tar("plain", "9.0", yanked="withdrawn by its authors"),
    ),
    versions=("1.0", "1.1", "1.2", "1.3", "2.0", "9.0"),
    members={"project-status": {"status": "active"}},
)
"""An ordinary project; a filtering policy refuses its version 9.0."""

BLOCKED = SentProject(name="blocked-whole", files=(whl("blocked-whole", "1.0"),))
"""A filtering policy refuses all of it."""

ODD_NAME = SentProject(name="Odd.Names__Pkg", files=(whl("odd-names-pkg", "1.0"),))

ODD_FILES = SentProject(
    name="odd-files",
    files=(
        _archive("odd_files-1.0+local.1-py3-none-any.whl"),
        _archive("odd_files-1!2.0-py3-none-any.whl"),
        _archive("odd_files-1.0-1build-py3-none-any.whl"),
        _archive("odd-files-1.0.zip"),
        _archive("odd_files-1.0-py2.7.egg"),
        _archive("odd-files-1.0.win32-py2.7.exe"),
        _archive("odd_files-1.0-py3-none-any-x8664v3.whl"),
        _archive("odd_files-1.0-variants.json"),
    ),
    versions=("1.0", "1.0+local.1", "1!2.0"),
)

_HEX = "0123456789abcdef"
HASHES = SentProject(
    name="hashes",
    files=(
        _archive("hashes-1.0.tar.gz", hashes={"SHA256": (_HEX * 4).upper()}),
        _archive("hashes-1.1.tar.gz", hashes={"sha512": _HEX * 8, "md5": _HEX * 2}),
        _archive("hashes-1.2.tar.gz", hashes={"sha1": _HEX + _HEX + _HEX[:8]}),
        _archive("hashes-1.3.tar.gz", hashes={}),
        _archive("hashes-1.4.tar.gz", hashes={"blake2b": _HEX * 8}),
        _archive("hashes-1.5.tar.gz", hashes={"whirlpool9": "00", "sha256": "short"}),
    ),
    versions=("1.0", "1.1", "1.2", "1.3", "1.4", "1.5"),
)

SIDE = SentProject(
    name="side",
    files=(
        whl("side", "1.0"),
        whl("side", "1.1", core_metadata=True),
        Sent(filename="side-1.2-py3-none-any.whl", members={"core-metadata": False}),
        Sent(
            filename="side-1.3-py3-none-any.whl",
            members={"core-metadata": False, "dist-info-metadata": True},
        ),
        Sent(
            filename="side-1.4.tar.gz",
            metadata=metadata_text("side", "1.4"),
            members={"core-metadata": True},
        ),
        tar("side", "1.5"),
        Sent(
            filename="side-1.6-py3-none-any.whl",
            metadata=metadata_text("side", "1.6"),
            members={"core-metadata": None, "dist-info-metadata": True},
        ),
    ),
    versions=("1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6"),
)

SIGNED = SentProject(
    name="signed",
    files=(
        Sent(
            filename="signed-1.0.tar.gz",
            members={"gpg-sig": True},
            signature=b"-----BEGIN PGP-----",
        ),
        Sent(filename="signed-1.1.tar.gz", members={"gpg-sig": False}),
        Sent(filename="signed-1.2.tar.gz"),
    ),
    versions=("1.0", "1.1", "1.2"),
)

PROOF = "https://proofs.example.test/integrity/proven/1.0/proven-1.0.tar.gz/provenance"
PROVEN = SentProject(
    name="proven",
    files=(
        _archive("proven-1.0.tar.gz", provenance=PROOF),
        _archive("proven-1.1.tar.gz", provenance=None),
        _archive("proven-1.2.tar.gz"),
        _archive("proven-1.3.tar.gz", provenance="/integrity/relative"),
    ),
    versions=("1.0", "1.1", "1.2", "1.3"),
)


def _marked(status: str, reason: str | None = None) -> SentProject:
    marker = {"status": status} | ({"reason": reason} if reason is not None else {})
    name = f"{status}-project"
    return SentProject(name=name, files=(whl(name, "1.0"),), members={"project-status": marker})


ARCHIVED = _marked("archived", 'moved to <b>"elsewhere"</b>')
DEPRECATED = _marked("deprecated")
SUNSET = _marked("sunset")
QUARANTINED = _marked("quarantined")
"""Upstream still lists a file of it, which no gate may offer."""

TIMES = SentProject(
    name="times",
    files=(
        _archive("times-1.0.tar.gz", upload_time="2021-03-04T05:06:07.000001Z"),
        _archive("times-1.1.tar.gz", upload_time="2021-03-04T05:06:07Z"),
        _archive("times-1.2.tar.gz", upload_time="2021-03-04T05:06:07.120000Z"),
    ),
    versions=("1.0", "1.1", "1.2"),
)

SLOPPY = SentProject(
    name="sloppy",
    files=(
        _archive("sloppy-1.0.tar.gz", size=None, upload_time=None, yanked=None, gpg_sig=None),
        _archive("sloppy-1.1.tar.gz", requires_python=None, core_metadata=None, provenance=None),
        _archive("sloppy-1.2.tar.gz", size="12", upload_time="yesterday", yanked="", hashes=None),
        _archive("sloppy-1.3.tar.gz", requires_python="", size=-1, gpg_sig="yes"),
    ),
    versions=("1.0", "1.1", "1.1", "1.2", "1.3"),
)

LEGACY_VERSIONS = SentProject(
    name="legacy-versions",
    files=(_archive("legacy-versions-2004d.tar.gz"), _archive("legacy-versions-1.0.tar.gz")),
    versions=("2004d", "1.0", "0.1"),
)
"""0.1 has no file."""

OLD_API = SentProject(
    name="old-api",
    files=(
        Sent(filename="old-api-1.0.tar.gz", members={"provenance": PROOF}),
        Sent(filename="old-api-1.1.tar.gz"),
    ),
    versions=None,
    meta={"api-version": "1.0"},
)
NO_API = SentProject(name="no-api", files=(_archive("no-api-1.0.tar.gz"),), versions=None)
NEWER_API = SentProject(
    name="newer-api",
    files=(
        Sent(
            filename="newer-api-1.0.tar.gz",
            members={"_private": [1], "from-the-future": {"deep": [None, 1.5e300]}},
        ),
    ),
    meta={"api-version": "1.9", "_served-by": "cache-1"},
    members={"_more": True, "from-the-future": "yes"},
)
NAMESPACED = SentProject(
    name="acme-tools",
    files=(_archive("acme-tools-1.0.tar.gz"),),
    meta={"api-version": "1.5"},
    members={"namespaces": [{"prefix": "acme", "open": False, "authorized": True}]},
)
TRACKING = SentProject(
    name="tracking",
    files=(_archive("tracking-1.0.tar.gz"),),
    meta={"api-version": "1.2", "tracks": ["https://other.example.test/simple/tracking/"]},
    members={"alternate-locations": ["https://other.example.test/simple/tracking/"]},
)

HOSTILE = SentProject(
    name="hostile",
    files=(
        _archive("hostile-1.0.tar.gz"),
        Sent(filename="hostile-1.1.tar.gz", url="file:///etc/passwd"),
        Sent(filename="hostile-1.2.tar.gz", url="javascript:alert(1)//hostile-1.2.tar.gz"),
        Sent(filename="../hostile-1.3.tar.gz"),
        Sent(filename="sub/hostile-1.4.tar.gz"),
        Sent(filename="hostile-1.5.tar.gz\r\nX-Injected: 1"),
        Sent(filename="victim-1.0.tar.gz"),
        Sent(filename="hostile-1.6.tar.gz", url="{origin}/packages/%2e%2e/hostile-1.6.tar.gz"),
        _archive("hostile-1.0.tar.gz"),
        _archive("hostile-2.0.tar.gz", requires_python='<3"><script>alert(1)</script>'),
    ),
    versions=("1.0", "2.0"),
)

LINKED = SentProject(
    name="linked",
    files=(
        Sent(filename="linked-1.0.tar.gz", url="../../packages/linked/linked-1.0.tar.gz"),
        Sent(filename="linked-1.1.tar.gz", url="/packages/linked/linked-1.1.tar.gz"),
        Sent(filename="linked-1.2.tar.gz", url="{scheme-relative}/packages/linked-1.2.tar.gz"),
        Sent(filename="linked-1.3.tar.gz", url="linked-1.3.tar.gz"),
        Sent(filename="linked-1.4.tar.gz", url="{origin}/dl/linked-1.4.tar.gz?token=secret"),
    ),
    versions=("1.0", "1.1", "1.2", "1.3", "1.4"),
)

EMPTY = SentProject(name="empty", files=(), versions=())

PROJECTS = (
    PLAIN, BLOCKED, ODD_NAME, ODD_FILES, HASHES, SIDE, SIGNED, PROVEN, ARCHIVED, DEPRECATED, SUNSET,
    QUARANTINED, TIMES, SLOPPY, LEGACY_VERSIONS, OLD_API, NO_API, NEWER_API, NAMESPACED, TRACKING,
    HOSTILE, LINKED, EMPTY,
)  # fmt: skip
