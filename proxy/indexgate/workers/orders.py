"""What a worker is told to do: it reads no settings itself, so that all have the same."""

import pickle
from asyncio import IncompleteReadError, StreamReader, StreamWriter

from msgspec import Struct

from indexgate.config import Settings
from indexgate.upstream_choice import UpstreamChoice
from indexgate.workers.places import Place

_LENGTH = 4


class Order(Struct, frozen=True, kw_only=True):
    """Serve *upstream* by *settings* at *place*, as worker *number*."""

    settings: Settings
    upstream: UpstreamChoice
    place: Place
    number: int


def give(order: Order, writer: StreamWriter) -> None:
    """Send *order* to the worker at the other end."""
    body = pickle.dumps(order)
    writer.write(len(body).to_bytes(_LENGTH, "big") + body)


async def take(reader: StreamReader) -> Order | None:
    """Return the order; None when who was to give it is gone."""
    try:
        length = int.from_bytes(await reader.readexactly(_LENGTH), "big")
        # It comes from the process that started this one, by a socket that nobody else has.
        order: Order = pickle.loads(await reader.readexactly(length))  # noqa: S301
    except (IncompleteReadError, OSError):
        return None
    return order
