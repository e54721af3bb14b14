"""What travels between the workers of a gate and the process that started them.

A frame is its length (four bytes) and an array in MessagePack. Both ends are processes of the same
gate on the same machine, so there is one form and no version.
"""

import asyncio
from typing import Any, Literal, TypeAlias

import msgspec

Kind: TypeAlias = Literal["told", "asked", "answer", "end", "join", "ready", "failed"]
"""`told` and `asked` go to other workers, `answer` to who asked and `end` after the last answer;
`join`, which comes back once all have joined, `ready` and `failed` are for the process that started
the worker."""

EVERYBODY = -1
_LENGTH = 4


class Frame(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One message. `worker` is whom it is for, and once it was passed on, whom it is from.

    `number` tells one question of a worker from another; `said` is plain data.
    """

    kind: Kind
    worker: int = EVERYBODY
    number: int = 0
    said: Any = None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Frame).decode


def packed(frame: Frame) -> bytes:
    """Return *frame* as it travels."""
    body = _encode(frame)
    return len(body).to_bytes(_LENGTH, "big") + body


async def read(reader: asyncio.StreamReader) -> Frame | None:
    """Return the next frame; None when the other end is gone."""
    try:
        length = await reader.readexactly(_LENGTH)
        return _decode(await reader.readexactly(int.from_bytes(length, "big")))
    except (asyncio.IncompleteReadError, OSError):
        return None
