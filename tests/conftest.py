"""What holds for every test: none is timed, and only the `live` ones reach beyond this machine."""

import ipaddress
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

# How long an example takes tells of the machine, not of the code.
settings.register_profile("untimed", settings.default, deadline=None)
settings.load_profile("untimed")

_confined = False


class LeftTheMachine(RuntimeError):
    """A test that is not marked `live` opened a connection beyond loopback."""


def _refuse_to_leave(event: str, arguments: tuple[Any, ...]) -> None:
    if not _confined or event != "socket.connect":
        return
    address = arguments[1]
    if isinstance(address, tuple) and not _is_here(str(address[0])):
        raise LeftTheMachine(f"a test connected to `{address[0]}` without being marked `live`")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host == "localhost"


sys.addaudithook(_refuse_to_leave)


@pytest.fixture(autouse=True)
def _loopback_only(request: pytest.FixtureRequest) -> Iterator[None]:
    global _confined  # noqa: PLW0603 - an audit hook stays for good and must know when it is meant
    _confined = request.node.get_closest_marker("live") is None
    yield
    _confined = False
