"""What the answers of an index show of each part of the standards."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from indexgate.doctor.finding import Severity
from indexgate.doctor.index.answer import Examined
from indexgate.doctor.index.parts import PARTS, Part
from indexgate.simple.model import PageFile

_HERE = {"127.0.0.1", "localhost", "::1"}

Result: TypeAlias = Literal["yes", "partly", "no", "unknown"]
Said: TypeAlias = tuple[Result, str]
"""The result and the words that go with it."""


class Checked(Struct, frozen=True, kw_only=True):
    """A part and what the answers show of it."""

    part: Part
    result: Result
    said: str


def check(examined: Examined) -> tuple[Checked, ...]:
    """Return what *examined* shows of every part of the standards, in their order."""
    found = ((part, _LOOKS[part.id](examined)) for part in PARTS)
    return tuple(Checked(part=part, result=said[0], said=said[1]) for part, said in found)


def _json(it: Examined) -> Said:
    if "json" in it.pages and not it.html_only:
        return "yes", it.answers["json"].type
    if it.html_only and "json" in it.pages:
        return "no", f"it answers `{it.answers['json'].type}` to those who ask for JSON"
    return "no", it.unreadable.get("json", "")


def _html(it: Examined) -> Said:
    if "html" not in it.pages:
        return "no", it.unreadable.get("html", "")
    if "html" not in it.answers["html"].type:
        return "no", f"it answers `{it.answers['html'].type}` to those who ask for HTML"
    return "yes", it.answers["html"].type


def _both_agree(it: Examined) -> Said:
    if it.html_only or not {"json", "html"} <= it.pages.keys():
        return "unknown", "only one form could be read"
    names = [{file.filename for file in it.pages[form].files} for form in ("json", "html")]
    differ = len(names[0] ^ names[1])
    return ("yes", f"{len(names[0])} files") if not differ else ("no", f"{differ} files differ")


def _version(it: Examined) -> Said:
    if it.page is None:
        return "unknown", "no page could be read"
    major, minor = it.page.api_version
    return ("yes" if minor else "partly"), f"{major}.{minor}"


def _negotiates(it: Examined) -> Said:
    vary = it.answers["json"].headers.get("vary", "")
    if it.html_only:
        return "unknown", "it has one form"
    named = "accept" in [word.strip().lower() for word in vary.split(",")]
    return ("yes" if named or vary == "*" else "no"), f"`Vary: {vary}`" if vary else "no `Vary`"


def _of_files(
    has: Callable[[PageFile], bool], *, wheels: bool = False
) -> Callable[[Examined], Said]:
    """Return the look at how many files (or wheels) have something."""

    def look(it: Examined) -> Said:
        files = list(it.page.files) if it.page is not None else []
        those = [file for file in files if not wheels or file.filename.endswith(".whl")]
        if not those:
            return "unknown", "there is no such file on the page"
        count = sum(map(has, those))
        result: Result = "yes" if count == len(those) else "partly" if count else "no"
        return result, f"{count} of {len(those)} {'wheels' if wheels else 'files'}"

    return look


def _requires_python(it: Examined) -> Said:
    result, said = _of_files(lambda file: bool(file.requires_python))(it)
    return ("unknown" if result == "no" else "yes"), f"{said}; a file need not say it"


def _versions(it: Examined) -> Said:
    if it.page is None:
        return "unknown", "no page could be read"
    told = it.page.versions
    return ("no", "") if told is msgspec.UNSET else ("yes", f"{len(told)} versions")


def _metadata_file(it: Examined) -> Said:
    answer = it.answers.get("metadata")
    if answer is None:
        return "unknown", "none is listed"
    if answer.status != 200:
        return "no", f"{answer.told} where the page lists one"
    digests = [
        file.core_metadata["sha256"]
        for file in (it.page.files if it.page is not None else ())
        if isinstance(file.core_metadata, dict) and "sha256" in file.core_metadata
    ]
    if digests and hashlib.sha256(answer.body).hexdigest() not in digests:
        return "no", "its sha256 is not the one that the page lists"
    return "yes", f"{answer.length} bytes"


def _provenance(it: Examined) -> Said:
    files = it.page.files if it.page is not None else ()
    listed = [file for file in files if file.provenance]
    if not listed and any(file.provenance is None for file in files):
        return "unknown", "the index tells of it, but no file on this page has any"
    if not listed:
        return "no", "no file has any"
    answer = it.answers.get("provenance")
    if answer is not None and answer.status != 200:
        return "no", f"{answer.told} where the page lists one"
    return "yes", f"{len(listed)} files"


def _status(it: Examined) -> Said:
    if it.page is None or it.page.status is msgspec.UNSET:
        return "no", ""
    return "yes", f"`{it.page.status}`"


def _key_of(*names: str) -> Callable[[Examined], Said]:
    """Return the look for members of `meta`, or of the page, that say more of a project."""

    def look(it: Examined) -> Said:
        raw = _raw(it)
        meta = raw.get("meta")
        seen = [name for name in names if name in raw or (isinstance(meta, dict) and name in meta)]
        shown = ", ".join(f"`{name}`" for name in seen)
        return ("yes", shown) if seen else ("unknown", "not on this page; few projects have it")

    return look


def _etag(it: Examined) -> Said:
    headers = it.answers["json"].headers
    if "etag" in headers:
        return "yes", f"`{headers['etag'][:40]}`"
    return ("partly", "`Last-Modified` alone") if "last-modified" in headers else ("no", "")


def _unchanged(it: Examined) -> Said:
    answer = it.answers["again"]
    return ("yes", "304") if answer.status == 304 else ("no", answer.told)


def _gzip(it: Examined) -> Said:
    coding = it.answers["json"].headers.get("content-encoding", "")
    return ("yes", coding) if coding else ("no", f"{it.answers['json'].length} bytes as they are")


def _fresh(it: Examined) -> Said:
    said = it.answers["json"].headers.get("cache-control", "")
    return ("yes", f"`{said}`") if said else ("no", "")


def _serial(it: Examined) -> Said:
    serial = it.answers["json"].headers.get("x-pypi-last-serial")
    return ("yes", serial) if serial else ("no", "")


def _head(it: Examined) -> Said:
    answer = it.answers["head"]
    return ("yes", "200") if answer.status == 200 else ("no", answer.told)


def _slash(it: Examined) -> Said:
    answer = it.answers["bare"]
    if answer.status in {301, 302, 307, 308}:
        return "yes", f"{answer.status} to the slash"
    return ("partly", "200 without it") if answer.status == 200 else ("no", answer.told)


def _normalised(it: Examined) -> Said:
    answer = it.answers["spelled"]
    return ("yes", "found") if answer.status == 200 else ("no", answer.told)


def _missing(it: Examined) -> Said:
    answer = it.answers["missing"]
    return ("yes", "404") if answer.status == 404 else ("no", answer.told)


def _list(it: Examined) -> Said:
    answer = it.answers["list"]
    if answer.status != 200:
        return "no", answer.told
    size = f"{answer.length / 1_000_000:.1f} MB"
    form = "JSON" if "json" in answer.type else "HTML"
    more = "" if it.whole_list else ", and more"
    return ("yes" if form == "JSON" else "partly"), f"{it.names} names, {size} of {form}{more}"


def _file_head(it: Examined) -> Said:
    answer = it.answers.get("file-head")
    if answer is None:
        return "unknown", "there is no file on the page"
    if answer.status != 200:
        return "no", answer.told
    length = answer.headers.get("content-length")
    return ("yes", f"{length} bytes") if length else ("partly", "it tells no length")


def _ranges(it: Examined) -> Said:
    answer = it.answers.get("file-part")
    if answer is None:
        return "unknown", "there is no file on the page"
    if answer.status == 206:
        return "yes", answer.headers.get("content-range", "206")
    return "no", "the whole file comes" if answer.status == 200 else answer.told


def _encrypted(it: Examined) -> Said:
    plain = [each for each in (it.url, _file_url(it)) if each.startswith("http://")]
    if plain and all(urlsplit(each).hostname in _HERE for each in plain):
        return "unknown", "it is on this machine, where nobody stands between"
    return ("no", f"`{plain[0]}`") if plain else ("yes", "")


def _file_url(it: Examined) -> str:
    answer = it.answers.get("file-head")
    return answer.url if answer is not None else ""


def _raw(it: Examined) -> dict[str, Any]:
    answer = it.answers["json"]
    if it.html_only:
        return {}
    try:
        found = msgspec.json.decode(answer.body)
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}


_LOOKS: Mapping[str, Callable[[Examined], Said]] = {
    "json": _json,
    "html": _html,
    "same-files": _both_agree,
    "api-version": _version,
    "vary": _negotiates,
    "hashes": _of_files(lambda file: "sha256" in file.hashes),
    "requires-python": _requires_python,
    "versions": _versions,
    "size": _of_files(lambda file: file.size is not msgspec.UNSET),
    "upload-time": _of_files(lambda file: bool(file.upload_time)),
    "metadata": _of_files(lambda file: bool(file.core_metadata), wheels=True),
    "metadata-file": _metadata_file,
    "provenance": _provenance,
    "status": _status,
    "tracks": _key_of("tracks", "alternate-locations"),
    "namespace": _key_of("namespace", "owner", "ownership"),
    "etag": _etag,
    "unchanged": _unchanged,
    "gzip": _gzip,
    "cache-control": _fresh,
    "serial": _serial,
    "head": _head,
    "slash": _slash,
    "normalised": _normalised,
    "not-found": _missing,
    "list": _list,
    "file-head": _file_head,
    "ranges": _ranges,
    "encrypted": _encrypted,
}


def lacking(checked: Sequence[Checked]) -> Iterator[Checked]:
    """Yield what is lacking, wholly or in part, the gravest first."""
    order: dict[Severity, int] = {"error": 0, "warning": 1, "note": 2}
    yield from sorted(
        (each for each in checked if each.result in {"no", "partly"}),
        key=lambda each: order[each.part.severity],
    )
