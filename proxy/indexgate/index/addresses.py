"""File addresses of the gate: upstream's address with its prefix swapped, nothing else.

`https://files.example.test/a/b/x-1.0.whl` becomes `/files/https/files.example.test/a/b/x-1.0.whl`.
The swap needs no state, so a lock file that holds such an address stays good for ever; query and
credentials of upstream's address stay inside the gate. The gate never fetches an address that a
client sends: it looks for the listed file that has this address and fetches upstream's own.

A port stands behind a tilde, `/files/http/127.0.0.1~8081/a/x-1.0.whl`: a colon some clients would
escape, and pip takes a good while for that where a page has thousands of files. With the colon an
address is just as good, as lock files may hold such.
"""

import re
import string
from functools import lru_cache
from urllib.parse import quote, unquote, unquote_to_bytes, urlsplit, urlunsplit

from msgspec import Struct

PREFIX = "files"
_PLAIN_AUTHORITY = re.compile(r"[a-z0-9.-]+(?::[0-9]+)?")
_WITH_PORT = re.compile(r"([a-z0-9.-]+)~([0-9]+)")
_ORDINARY = (string.ascii_letters + string.digits + "_.~/-").encode()
SIDE_SUFFIXES = (".metadata", ".asc")


class FileAddress(Struct, frozen=True, kw_only=True):
    """An address under `/files/` as a client sent it: the listed file, or a side file of it.

    `path` is the listed file's address in its one spelling (see `canonical`), `filename` its
    decoded last segment, `side` is `.metadata`, `.asc` or empty.
    """

    path: str
    filename: str
    side: str = ""


def address_of(url: str, filename: str) -> str:
    """Return the gate's address, without leading slash, for a file that upstream lists at *url*.

    The last segment is always *filename*, as clients take the name from there.
    """
    scheme, _, rest = url.partition("://")
    authority, _, path = rest.partition("/")
    if (  # as nearly all are: in a tenth of the time
        rest.endswith(f"/{filename}")
        and scheme in {"http", "https"}
        and _is_ordinary(path)
        and "//" not in rest
        and (written := _written(authority)) is not None
    ):
        return f"{PREFIX}/{scheme}/{written}/{path}"
    parts = urlsplit(url)
    authority = parts.netloc.rpartition("@")[2].lower()
    path = parts.path.lstrip("/")
    if unquote(path.rpartition("/")[2]) != filename:
        path = f"{path.rstrip('/')}/{quote(filename)}"
    return f"{PREFIX}/{parts.scheme}/{_written(authority) or authority}/{path}"


def origin_of(origin: str) -> str:
    """Return how the gate's addresses of files at *origin*, such as `https://host/`, begin."""
    scheme, _, authority = origin.rstrip("/").partition("://")
    return f"{PREFIX}/{scheme}/{_written(authority) or authority}/"


def authority_of(segment: str) -> str:
    """Return the authority that the *segment* behind the scheme stands for, however escaped."""
    authority = unquote(segment)
    with_port = _WITH_PORT.fullmatch(authority)
    return authority if with_port is None else ":".join(with_port.groups())


def canonical(path: str) -> str:
    """Return *path* in one spelling: every client escapes differently, and a port has two.

    It is the key of what is stored, so that it has to stay as it is: with the colon, escaped.
    """
    if _is_ordinary(path) and "~" not in path:
        return path
    *start, rest = path.split("/", 3)
    if _is_ordinary(rest):
        return f"{_escaped('/'.join(start))}/{rest}"
    return _escaped(path)


@lru_cache(256)
def _escaped(path: str) -> str:
    segments = [quote(unquote_to_bytes(part), safe="") for part in path.split("/")]
    if len(segments) > 2 and _WITH_PORT.fullmatch(segments[2]):
        segments[2] = quote(authority_of(segments[2]), safe="")
    return "/".join(segments)


@lru_cache(256)
def _written(authority: str) -> str | None:
    """Return how a plain *authority* stands in the gate's addresses; None if it is not plain."""
    return authority.replace(":", "~") if _PLAIN_AUTHORITY.fullmatch(authority) else None


def _is_ordinary(path: str) -> bool:
    """Tell whether nobody would escape anything in *path*; many times faster than a pattern."""
    return not path.encode(errors="replace").translate(None, _ORDINARY)


def side_url(url: str, side: str) -> str:
    """Return the address of a side file: PEP 658 puts the suffix behind the path, not the query."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path + side, fragment=""))


def parse(raw_path: str) -> FileAddress | None:
    """Read the percent-encoded path of a request; None when it cannot be a file's address."""
    path = raw_path.lstrip("/")
    prefix, _, rest = path.partition("/")
    scheme, _, rest = rest.partition("/")
    authority, _, file_path = rest.partition("/")
    if prefix != PREFIX or scheme not in {"http", "https"} or not authority or not file_path:
        return None
    side = next((suffix for suffix in SIDE_SUFFIXES if path.endswith(suffix)), "")
    path = path.removesuffix(side)
    filename = unquote(path.rpartition("/")[2])
    if not filename or "/" in filename or "\\" in filename or not filename.isprintable():
        return None
    return FileAddress(path=canonical(path), filename=filename, side=side)
