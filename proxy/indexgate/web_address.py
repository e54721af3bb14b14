"""Addresses of web services: one spelling for each, credentials apart."""

import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

from msgspec import Struct

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?\.?|[0-9a-f:.]*:[0-9a-f:.]*")
_LONGEST = 2_000  # characters; longer ones are refused by most servers too
_PATH_CHARACTERS = "/%:@!$&'()*+,;=~-._"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A user name and a password; neither shows in `repr`."""

    user: str = field(repr=False)
    password: str = field(repr=False)


class WebAddress(Struct, frozen=True, kw_only=True):
    """An http or https address in its canonical spelling.

    `url` ends with a slash, has no credentials, no default port and a lower-case ASCII host.
    `host` has no brackets.
    """

    url: str
    scheme: str
    host: str
    port: int
    credentials: Credentials | None = None


def parse(text: str) -> WebAddress:
    """Read *text* as the address of a service.

    Raises ValueError with a clause about what is wrong; it never quotes *text*, which may hold a
    password.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"it is longer than {_LONGEST} characters")
    if not text.isprintable() or " " in text or "\\" in text:
        raise ValueError("it holds spaces, backslashes or control characters")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("its host or port cannot be read") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise ValueError("it does not begin with `https://` or `http://`")
    if parts.query or parts.fragment:
        raise ValueError("it has a query or a fragment, which an index cannot have")
    host = _ascii_host(parts.hostname or "")
    port = _DEFAULT_PORTS[parts.scheme] if port is None else port
    path = quote(parts.path, safe=_PATH_CHARACTERS)
    return WebAddress(
        url=f"{parts.scheme}://{_authority(parts.scheme, host, port)}{path.rstrip('/')}/",
        scheme=parts.scheme,
        host=host,
        port=port,
        credentials=_credentials(parts.username, parts.password),
    )


def _ascii_host(host: str) -> str:
    if not host:
        raise ValueError("it names no host")
    try:
        ascii_host = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        raise ValueError("its host cannot be written in ASCII") from None
    if not _HOST.fullmatch(ascii_host.lower()):
        raise ValueError("its host is not a host name")
    return ascii_host.lower()


def _authority(scheme: str, host: str, port: int) -> str:
    shown = f"[{host}]" if ":" in host else host
    return shown if port == _DEFAULT_PORTS[scheme] else f"{shown}:{port}"


def _credentials(user: str | None, password: str | None) -> Credentials | None:
    if user is None and password is None:
        return None
    return Credentials(user=unquote(user or ""), password=unquote(password or ""))
