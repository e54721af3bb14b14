"""Where the gate listens."""

import socket

from msgspec import Struct


class Listening(Struct, frozen=True, kw_only=True):
    """The bound address: `port` is the real one, also where a free one was asked for."""

    host: str
    port: int
    tls: bool = False

    @property
    def url(self) -> str:
        """The gate's address as a client on this machine writes it, with a slash at the end."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        shown = f"[{host}]" if ":" in host else host
        return f"{'https' if self.tls else 'http'}://{shown}:{self.port}/"


def bound(host: str, port: int, *, with_others: bool = False) -> socket.socket:
    """Return a socket bound to *host* and *port*, so that the real port is known beforehand.

    *with_others* several processes of this user may be bound to the same, and each gets a share of
    the connections. Raises OSError.
    """
    family, _, _, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if with_others:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)
    except BaseException:
        listener.close()
        raise
    return listener
