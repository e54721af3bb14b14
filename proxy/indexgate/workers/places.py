"""Where the workers of one gate listen: on one port, and each gets a share of the connections.

On Linux each has a socket of its own there, and the system deals the connections out; those of a
worker that ends go to the others at once. Elsewhere all accept from one socket.
"""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct

from indexgate.listening import bound

_BACKLOG = 128


class Place(Struct, frozen=True, kw_only=True):
    """The place: `host` and the real `port`, or the number of the one socket, which is inherited.

    A place whose socket is None is each worker's to bind to.
    """

    host: str
    port: int
    inherited: int | None

    def listener(self) -> socket.socket:
        """Return the socket for one worker. Raises OSError."""
        if self.inherited is None:
            return bound(self.host, self.port, with_others=True)
        return socket.socket(fileno=self.inherited)


@contextmanager
def reserved(host: str, port: int, *, shared: bool = sys.platform != "linux") -> Iterator[Place]:
    """Hold the place while the block runs; *shared* with one socket for all. Raises OSError."""
    # Nobody else may listen there. Sockets that admit others would admit another gate of this user.
    with bound(host, port) as alone:
        port = alone.getsockname()[1]
        if shared:
            alone.listen(_BACKLOG)
            yield Place(host=host, port=port, inherited=alone.fileno())
            return
    # Bound and never listened on, it gets no connection; the system gives the port to nobody who
    # takes any free one, also between two workers.
    with bound(host, port, with_others=True):
        yield Place(host=host, port=port, inherited=None)
