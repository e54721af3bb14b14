"""What an upstream claims of a file, and what of it is believed.

Upstreams are sloppy and sometimes hostile. Each function takes a claim of any type and returns the
value that the model may carry, or the model's word for "not given". Nothing in here raises.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

from msgspec import UNSET, UnsetType

from indexgate.simple.model import Hashes

# Hex digits per algorithm. `blake2b` is the 256-bit kind only: uv rejects a page with another.
_HEX_DIGITS = {
    "md5": 32, "sha1": 40, "sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128,
    "sha3_224": 56, "sha3_256": 64, "sha3_384": 96, "sha3_512": 128, "blake2b": 64, "blake2s": 64,
}  # fmt: skip
_LONGEST_FILENAME = 255

_HEX = re.compile(r"[0-9a-f]+")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z", re.ASCII)
_VERSION = re.compile(r"\s*([0-9]{1,4})(?:\.([0-9]{1,4}))?\s*")
_HOST = re.compile(r"[A-Za-z0-9._~%!$&'()*+,;=:@\[\]-]+")
# An address that needs no second look: nothing to quote, to decode, or to cut off (`;` at the end).
is_plain_url = re.compile(
    r"https?://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::(?:[1-5]\d{4}|\d{1,4}))?"
    r"(?:/(?!\.)[\w~!$'()*+,=:@.-]*)+",
    re.ASCII,
).fullmatch


def safe_filename(name: str) -> bool:
    """Tell whether *name* can name a file: no separators, no `..`, nothing unprintable."""
    return (
        name.isprintable()
        and 0 < len(name) <= _LONGEST_FILENAME
        and "/" not in name
        and "\\" not in name
        and ".." not in name
        and name != "."
    )


def address(base: str, text: str) -> str | None:
    """Return the absolute http(s) address of *text* seen from *base*, without fragment.

    Blanks and other characters that no address may hold are quoted, dot segments resolved. None
    for another scheme, no host, control characters or a backslash.
    """
    if not text.isprintable() or "\\" in text:
        return None
    try:
        claimed = urlsplit(text)
        if claimed.scheme and not claimed.netloc:
            return None  # `https:///path`, which would be joined as if it were relative
        parts = urlsplit(urljoin(base, text))
        path = parts.path
        if "/." in path:  # resolved by joining: a whole address is joined as it stands
            path = urlsplit(urljoin("http://host/", "/" + path.lstrip("/"))).path
        hidden = not {".", ".."}.isdisjoint(unquote(parts.path).split("/"))
        usable = parts.scheme in {"http", "https"} and parts.hostname and (parts.port or 1)
    except ValueError:
        return None
    if not usable or (hidden and "%" in parts.path) or not _HOST.fullmatch(parts.netloc):
        return None
    path = quote(path, safe="/%:=&~+!$,;'@()*-._")
    query = quote(parts.query, safe="/%:=&~+!$,;'@()*-._?")
    return urlunsplit((parts.scheme, parts.netloc, path, query, ""))


def web_address(claim: object) -> str | UnsetType:
    """Return *claim* if it is a whole http(s) address (provenance must be one, PEP 740)."""
    if not isinstance(claim, str) or not claim.lower().startswith(("https://", "http://")):
        return UNSET
    return claim if address(claim, claim) is not None else UNSET


def hashes(claim: object) -> Hashes:
    """Return the digests of *claim* that clients can use, names and digits in lower case."""
    if not isinstance(claim, Mapping):
        return {}
    believed: Hashes = {}
    for name, digest in claim.items():
        if isinstance(name, str) and isinstance(digest, str):
            kind, digits = name.strip().lower(), digest.strip().lower()
            if len(digits) == _HEX_DIGITS.get(kind) and _HEX.fullmatch(digits):
                believed.setdefault(kind, digits)
    return believed


def hash_pair(text: str) -> Hashes:
    """Return the digest of `sha256=<hex>`, nothing if it is no such pair."""
    name, _, digest = text.partition("=")
    return hashes({name: digest})


def core_metadata(claim: object) -> bool | Hashes | UnsetType | None:
    """Return whether a `.metadata` side file exists, with its hashes where they are usable."""
    if claim is None or isinstance(claim, bool):
        return claim
    if isinstance(claim, Mapping):
        return hashes(claim) or bool(claim)  # a side file without a digest of use is still there
    if isinstance(claim, str):
        text = claim.strip().lower()
        if "=" in text:
            return hash_pair(text) or True
        return {"true": True, "false": False}.get(text, UNSET)
    return UNSET


def upload_time(claim: object) -> str | UnsetType:
    """Return *claim* untouched if it is PEP 700's format, rewritten to it from other ISO 8601."""
    if not isinstance(claim, str):
        return UNSET
    try:
        moment = datetime.fromisoformat(claim)
        if _TIME.fullmatch(claim):
            return claim
        if moment.tzinfo is None:
            return UNSET
        return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    except (ValueError, OverflowError):
        return UNSET


def size(claim: object) -> int | UnsetType:
    """Return *claim* if it is a size in bytes."""
    if isinstance(claim, bool) or not isinstance(claim, int):
        return UNSET
    return claim if 0 <= claim <= 2**53 else UNSET


def yanked(claim: object) -> bool | str:
    """Return whether, or why, the file is yanked; an empty reason is a yank without reason."""
    if isinstance(claim, str):
        return claim or True
    return bool(claim)


def requires_python(claim: object) -> str | UnsetType | None:
    """Return the specifier as it stands, right or wrong; an empty one is not given."""
    if claim is None:
        return None
    return claim if isinstance(claim, str) and claim.strip() else UNSET


def api_version(claim: object) -> tuple[int, int] | None:
    """Return (major, minor) of an API version, (1, 0) for none (PEP 629), None for nonsense."""
    if claim is None or claim is UNSET:
        return (1, 0)
    found = None if isinstance(claim, bool) else _VERSION.fullmatch(str(claim))
    return (int(found[1]), int(found[2] or 0)) if found else None
