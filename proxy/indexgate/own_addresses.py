"""The addresses under which a gate is reached, as lock files may hold them."""

from collections.abc import Iterable
from typing import Protocol

from indexgate import web_address
from indexgate.errors import GateError
from indexgate.redact import redact

_HERE = ("127.0.0.1", "localhost", "[::1]")


class Reached(Protocol):
    """The settings that say where a gate is reached."""

    @property
    def port(self) -> int:
        """The port that it listens on; 0 for any."""

    @property
    def public_url(self) -> str | None:
        """The address that others know it by."""


def roots(settings: Reached, named: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the root addresses of the gate, each with a slash at the end, the best one first.

    *named* are addresses that the user gives; their simple index will do too. Raises GateError
    `gate-address`.
    """
    found = [_root(text) for text in named]
    if settings.public_url is not None:
        found.append(_root(settings.public_url))
    if settings.port:
        found.extend(f"http://{host}:{settings.port}/" for host in _HERE)
    return tuple(dict.fromkeys(found))


def simple(root: str) -> str:
    """Return the simple index of the gate at *root*."""
    return f"{root}simple/"


def _root(text: str) -> str:
    try:
        url = web_address.parse(text).url
    except ValueError as error:
        raise GateError(
            "gate-address",
            f"`{ascii(redact(text))[1:-1]}` is no address of a gate: {error}",
            "Write it as `http://127.0.0.1:8503/`.",
        ) from error
    return url.removesuffix("simple/")
