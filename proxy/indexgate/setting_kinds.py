"""The kinds of values that settings have: how each is read from text, and what it allows."""

import difflib
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from msgspec import Struct

from indexgate import web_address
from indexgate.sources import bigquery_price

_SECONDS = {"ms": 0.001, "": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_BYTES = {"": 1, "b": 1} | {
    f"{letter}{suffix}": base**power
    for power, letter in enumerate("kmgt", start=1)
    for suffix, base in (("b", 1000), ("ib", 1024))
}
_NUMBER_AND_UNIT = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) ?([a-zA-Z]*)")
_HOST = re.compile(r"[A-Za-z0-9_.-]+|\[?[0-9A-Fa-f:.]+(?:%[A-Za-z0-9]+)?\]?")
_HOST_AND_PORT = re.compile(r"(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_NAME_GLOB = re.compile(r"[A-Za-z0-9*][A-Za-z0-9*?._-]*")
_INDEX_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,38}[a-z0-9])?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_SWITCH = {
    "1": True, "true": True, "yes": True, "on": True,
    "0": False, "false": False, "no": False, "off": False,
}  # fmt: skip
_HIGHEST_PORT = 65_535
_MOST_WORKERS = 64


class Kind(Struct, frozen=True, kw_only=True):
    """A kind of value.

    `read` turns text into the value or raises ValueError, its message a clause of what is wrong or
    nothing where `allowed` says enough. `written_as` are the TOML types a file may use for it.
    """

    metavar: str
    allowed: str
    read: Callable[[str], object]
    written_as: tuple[type, ...] = (str,)


def _port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > _HIGHEST_PORT:
        raise ValueError
    return int(text)


def _workers(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,2}", text) or not 1 <= int(text) <= _MOST_WORKERS:
        raise ValueError
    return int(text)


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError
    return text.strip("[]")


def _host_and_port(text: str) -> str:
    lower = text.lower()
    if not _HOST_AND_PORT.fullmatch(lower):
        raise ValueError
    return lower


def _place(text: str) -> str:
    host, colon, port = text.lower().rpartition(":")
    if not colon or not port.isdecimal() or not _HOST_AND_PORT.fullmatch(f"{host}:{port}"):
        raise ValueError("it must name the port too, as `127.0.0.1:9503` does")
    _port(port)
    return f"{host}:{port}"


def _address(text: str) -> str:
    web_address.parse(text)
    return text


def _index_address(text: str) -> str:
    return text.lower() if text.lower() == "pypi" else _address(text)


def _index_name(text: str) -> str:
    if not _INDEX_NAME.fullmatch(text.lower()):
        raise ValueError
    return text.lower()


def _variable(text: str) -> str:
    if not _VARIABLE.fullmatch(text):
        raise ValueError
    return text


def _public_address(text: str) -> str:
    address = web_address.parse(text)
    if address.credentials is not None:
        raise ValueError("it holds credentials, which everybody would see")
    return address.url


def _switch(text: str) -> bool:
    try:
        return _SWITCH[text.lower()]
    except KeyError:
        raise ValueError from None


def _amount(text: str, units: dict[str, float] | dict[str, int]) -> float:
    match = _NUMBER_AND_UNIT.fullmatch(text.strip())
    if match is None or match[2].lower() not in units:
        raise ValueError
    return float(match[1]) * units[match[2].lower()]


def _size(text: str) -> int:
    return int(_amount(text, _BYTES))


def path(text: str) -> Path:
    """Read a path; `~` is the home folder. Raises ValueError."""
    if not text.isprintable():
        raise ValueError
    try:
        return Path(text).expanduser()
    except RuntimeError:  # `~name` of a user that this machine does not have
        return Path(text)


def _plain(text: str) -> str:
    if not text.isprintable():
        raise ValueError
    return text


def _monthly(text: str) -> int:
    try:
        return bigquery_price.monthly_bytes(text)
    except (ValueError, OverflowError):
        raise ValueError from None


def _pattern(text: str) -> str:
    if not _NAME_GLOB.fullmatch(text):
        raise ValueError
    return re.sub(r"[-_.]+", "-", text).lower()


def _key(text: str) -> str:
    if not text.isprintable() or " " in text:
        raise ValueError
    return text


def choice(*words: str) -> Kind:
    """Return the kind of which only *words* are values."""

    def read(text: str) -> str:
        if text.lower() not in words:
            raise ValueError
        return text.lower()

    allowed = " or ".join([", ".join(f"`{word}`" for word in words[:-1]), f"`{words[-1]}`"])
    return Kind(metavar="|".join(words), allowed=allowed, read=read)


def names(known: tuple[str, ...], *whole: str) -> Kind:
    """Return the kind of lists of *known* names with commas; one of *whole* may stand alone or in.

    The value is a tuple in the order given, each name once.
    """

    def read(text: str) -> tuple[str, ...]:
        given = tuple(dict.fromkeys(word for word in re.split(r"[\s,]+", text.lower()) if word))
        strange = [word for word in given if word not in known and word not in whole]
        if strange and text.isprintable():
            nearest = difflib.get_close_matches(strange[0], known, n=1)
            meant = f"; did you mean `{nearest[0]}`?" if nearest else ""
            raise ValueError(f"`{strange[0]}` is none of them{meant}")
        if strange or not given or ("none" in given and len(given) > 1):
            raise ValueError
        return given

    listed = ", ".join(f"`{name}`" for name in (*whole, *known))
    return Kind(metavar="NAMES", allowed=f"names with commas: {listed}", read=read)


def duration(*, least: timedelta, most: timedelta = timedelta(days=3650)) -> Kind:
    """Return the kind of durations from *least* to *most*, read as seconds or with a unit."""

    def read(text: str) -> timedelta:
        value = timedelta(seconds=min(_amount(text, _SECONDS), 1e11))
        if not least <= value <= most:
            raise ValueError(
                f"it must be from {least.total_seconds():g} s to {most.total_seconds():g} s"
            )
        return value

    return Kind(
        metavar="DURATION",
        allowed="seconds, or a number with `ms`, `s`, `m`, `h`, `d` or `w`, such as `10m`",
        read=read,
        written_as=(str, int, float),
    )


UPSTREAM_TIMEOUT = duration(least=timedelta(milliseconds=100), most=timedelta(minutes=10))
PORT = Kind(
    metavar="PORT",
    allowed="a number from 0 to 65535 (0: any free port)",
    read=_port,
    written_as=(str, int),
)
WORKERS = Kind(
    metavar="NUMBER",
    allowed=f"a number from 1 to {_MOST_WORKERS}",
    read=_workers,
    written_as=(str, int),
)
HOST = Kind(metavar="HOST", allowed="a host name or an IP address without a port", read=_host)
HOST_AND_PORT = Kind(
    metavar="HOST",
    allowed="a host name or an address, with `:port` or without",
    read=_host_and_port,
)
PLACE = Kind(
    metavar="HOST:PORT",
    allowed="an address of this machine with a port, such as `127.0.0.1:9503` or `[::1]:9503`",
    read=_place,
)
ADDRESS = Kind(
    metavar="URL", allowed="an address such as `https://index.example.test/path/`", read=_address
)
PUBLIC_ADDRESS = Kind(metavar="URL", allowed=ADDRESS.allowed, read=_public_address)
INDEX_ADDRESS = Kind(metavar="URL", allowed=f"{ADDRESS.allowed}, or `pypi`", read=_index_address)
INDEX_NAME = Kind(
    metavar="NAME",
    allowed="up to 40 letters, digits, `-`, `_` and `.`, such as `acme`",
    read=_index_name,
)
VARIABLE = Kind(
    metavar="NAME", allowed="the name of a variable, such as `ACME_LOGIN`", read=_variable
)
PATH = Kind(metavar="PATH", allowed="a path of printable characters", read=path)
PATTERN = Kind(
    metavar="GLOB", allowed="a project name in which `*` stands for anything", read=_pattern
)
KEY = Kind(metavar="KEY", allowed="printable text without spaces", read=_key)
TEXT = Kind(metavar="TEXT", allowed="printable text", read=_plain)
SWITCH = Kind(metavar="YES|NO", allowed="`true` or `false`", read=_switch, written_as=(str, bool))
MONTHLY = Kind(
    metavar="BUDGET",
    allowed="bytes a month such as `500 GB` or `1 TiB`, or dollars such as `$5` past the free TiB",
    read=_monthly,
)
SIZE = Kind(
    metavar="SIZE",
    allowed="bytes, or a number with `KB`, `MB`, `GB`, `TB` or `KiB` to `TiB`, such as `5GB`",
    read=_size,
    written_as=(str, int),
)
