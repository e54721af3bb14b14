"""Reading the HTML form (PEP 503 with 592, 629, 658, 740 and 792), however messy.

Clients read an HTML page from its anchors: the name of a file is the last part of its address.
Where that is no archive's name (`download?id=3`), the anchor's text may be.

What is an index page, and what is a login page that some network answered instead? A page counts
when its Content-Type is the API's own, when it carries the repository version, when its title or a
heading is an index's ("Links for", "Index of", "Simple index"), or when it lists a file of the
project. Failing all of these it still counts as an empty index page when it is HTML without any
text, link, form, script or redirect.
"""

import re
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

from msgspec import UNSET, Struct, UnsetType, field
from packaging.utils import NormalizedName

from indexgate.simple import claims
from indexgate.simple.filename import ENDINGS, belongs
from indexgate.simple.model import Hashes, PageFile, ProjectList, ProjectPage, Unreadable
from indexgate.simple.plain_links import plain_links
from indexgate.simple.projects import valid_name

Attributes = dict[str, str | None]

_INDEX_TITLE = re.compile(r"\b(?:links for|simple index|index of)\b", re.IGNORECASE)
_INTERACTIVE = frozenset({"form", "input", "button", "script", "iframe", "frame", "object", "img"})
_HEADINGS = frozenset({"title", "h1", "h2"})
_UNSEEN = frozenset({"title", "style", "head"})
_SIZE_DIGITS = 18
_CHARSETS = {"latin-1": "cp1252", "iso-8859-1": "cp1252", "windows-1252": "cp1252"}


class _Seen(Struct):
    """What a walk through the page found; `anchors` are (attributes, text)."""

    anchors: list[tuple[Attributes, str]] = field(default_factory=list)
    metas: dict[str, str] = field(default_factory=dict)
    base: str = ""
    headed: bool = False
    html: bool = False
    interactive: bool = False
    text: bool = False


class _Walk(HTMLParser):
    """Collects anchors, `pypi:` metas, the base and the signs of an index page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen = _Seen()
        self._anchor: Attributes | None = None
        self._words: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._close_anchor()
            self._anchor = _first(attrs)
        elif tag == "br":
            return
        elif tag == "meta":
            self._meta(_first(attrs))
        elif tag == "base":
            self.seen.base = self.seen.base or (_first(attrs).get("href") or "").strip()
        else:
            self.seen.html = self.seen.html or tag in {"html", "head", "body"}
            self.seen.interactive = self.seen.interactive or tag in _INTERACTIVE
            if tag in _HEADINGS or tag in _UNSEEN:
                self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        if tag in {"a", "body", "html"}:
            self._close_anchor()
        elif tag in {self._inside, "head"}:
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._anchor is not None:
            self._words.append(data)
        elif data.strip():
            if self._inside in _HEADINGS and _INDEX_TITLE.search(data):
                self.seen.headed = True
            self.seen.text = self.seen.text or self._inside not in _UNSEEN

    def close(self) -> None:
        super().close()
        self._close_anchor()

    def _close_anchor(self) -> None:
        if self._anchor is not None:
            self.seen.anchors.append((self._anchor, "".join(self._words).strip()))
            self._anchor = None
            self._words = []

    def _meta(self, attributes: Attributes) -> None:
        name = (attributes.get("name") or "").strip().lower()
        if name.startswith("pypi:"):
            self.seen.metas.setdefault(name[5:], (attributes.get("content") or "").strip())
        elif (attributes.get("http-equiv") or "").strip().lower() == "refresh":
            self.seen.interactive = True


def decode(body: bytes, charset: str) -> str:
    """Return the text of an HTML body; bytes that are wrong for it become U+FFFD."""
    encoding = _CHARSETS.get(charset.lower(), "utf-8-sig")
    return body.decode(encoding, errors="replace")


def read_page(text: str, *, declared: bool, url: str, project: NormalizedName) -> ProjectPage:
    """Read the HTML page of *project*; *declared*: its Content-Type is the API's own.

    Raises Unreadable.
    """
    seen = _walk(text)
    version = _api_version(seen)
    base = _base(seen, url)
    files: dict[str, PageFile] = {}
    dropped = 0
    for attributes, words in seen.anchors:
        href = (attributes.get("href") or "").strip()
        name = _archive_name(href, words)
        if not name:
            continue
        file = _file(name, href, base, attributes)
        if file is None or name in files or not belongs(name, project):
            dropped += 1
        else:
            files[name] = file
    if not (declared or files or _index_like(seen)):
        raise Unreadable("garbage", "sent a web page that is not a page of a package index")
    return ProjectPage(
        name=project,
        files=tuple(files.values()),
        api_version=version,
        status=seen.metas.get("project-status") or UNSET,
        status_reason=seen.metas.get("project-status-reason") or UNSET,
        dropped=dropped,
    )


def read_list(text: str, *, declared: bool, url: str) -> ProjectList:
    """Read the HTML list of projects. Raises Unreadable.

    An anchor is a project when its text and the last part of its address are one name. Without
    any other sign of an index, one project must lie right below *url*.
    """
    rest, folder_of_all, plain = plain_links(text)
    seen = _walk(rest)
    version = _api_version(seen)
    base = _base(seen, url)
    here = _path(url).rpartition("/")[0]
    below = False
    names: dict[NormalizedName, str] = {}
    for attributes, words in seen.anchors:
        folder, _, last = _target(base, attributes).rstrip("/").rpartition("/")
        if _add(names, last, words):
            below = below or folder == here
    folder = _target(base, {"href": f"{folder_of_all}x"}).rpartition("/")[0]
    for last, words in plain:
        if _add(names, last, words.strip()):
            below = below or folder == here
    if not (declared or _index_like(seen) or (below and not seen.interactive)):
        raise Unreadable("garbage", "sent a web page that is not a list of projects")
    return ProjectList(names=tuple(names.values()), api_version=version)


def _add(names: dict[NormalizedName, str], last: str, words: str) -> bool:
    """Add the project that *last*, the end of an address, and *words* name, if they agree."""
    linked, shown = valid_name(last), words.rstrip("/")
    if linked is None or valid_name(shown or linked) != linked:
        return False
    names.setdefault(linked, shown or linked)
    return True


def _walk(text: str) -> _Seen:
    walk = _Walk()
    try:
        walk.feed(text)
        walk.close()
    except AssertionError as error:  # older html.parser asserts on odd `<![` declarations
        raise Unreadable("garbage", "sent HTML that cannot be read") from error
    return walk.seen


def _first(attrs: list[tuple[str, str | None]]) -> Attributes:
    """Return *attrs* as a mapping in which the first of two of one name stays, as in browsers."""
    return dict(reversed(attrs))


def _api_version(seen: _Seen) -> tuple[int, int]:
    version = claims.api_version(seen.metas.get("repository-version") or None)
    if version is None:
        raise Unreadable("garbage", "names an API version that is not a version")
    if version[0] != 1:
        raise Unreadable("version", f"speaks API version {version[0]}.{version[1]}, not 1.x")
    return version


def _base(seen: _Seen, url: str) -> str:
    return (claims.address(url, seen.base) if seen.base else None) or url


def _index_like(seen: _Seen) -> bool:
    if "repository-version" in seen.metas or seen.headed:
        return True
    return seen.html and not (seen.anchors or seen.text or seen.interactive)


def _target(base: str, attributes: Attributes) -> str:
    return _path(claims.address(base, (attributes.get("href") or "").strip()) or "")


def _path(href: str) -> str:
    try:
        return urlsplit(href).path
    except ValueError:
        return ""


def _archive_name(href: str, words: str) -> str:
    """Return the file name of an anchor, "" when it is not a link to a release file."""
    last = unquote(_path(href).rpartition("/")[2])
    for name in (last, words):
        if name.lower().endswith(ENDINGS):
            return name
    return ""


def _file(name: str, href: str, base: str, attributes: Attributes) -> PageFile | None:
    plain = href.partition("#")[0]
    url = plain if claims.is_plain_url(plain) else claims.address(base, href)
    if url is None or not claims.safe_filename(name):
        return None
    signed = (attributes.get("data-gpg-sig") or "").strip().lower()
    return PageFile(
        filename=name,
        url=url,
        hashes=_fragment(href),
        requires_python=claims.requires_python(attributes.get("data-requires-python") or UNSET),
        size=_size(attributes.get("data-size")),
        upload_time=claims.upload_time(attributes.get("data-upload-time")),
        yanked=(attributes["data-yanked"] or True) if "data-yanked" in attributes else False,
        core_metadata=_core_metadata(attributes),
        gpg_sig=UNSET if signed not in {"true", "false"} else signed == "true",
        provenance=claims.web_address(attributes.get("data-provenance")),
    )


def _fragment(href: str) -> Hashes:
    believed: Hashes = {}
    for pair in href.partition("#")[2].split("&"):
        believed |= claims.hash_pair(pair)
    return believed


def _core_metadata(attributes: Attributes) -> bool | Hashes | UnsetType | None:
    name = "data-core-metadata"
    if name not in attributes:
        name = "data-dist-info-metadata"
    return claims.core_metadata(attributes.get(name) or UNSET)


def _size(text: str | None) -> int | UnsetType:
    digits = (text or "").strip()
    return (
        int(digits)
        if digits.isascii() and digits.isdigit() and len(digits) <= _SIZE_DIGITS
        else UNSET
    )
