"""Large answers that are given again and again, which the system sends without copying them.

Bytes are copied into the kernel for every client. The pages of a file are not: the connections of
all clients lead to the same ones. So a large body lies in a file without a name, in memory, beside
the bytes themselves, and a page of half a megabyte takes a third less of the processor.
"""

import asyncio
import os
import socket
import sys
from collections import OrderedDict

LEAST = 1 << 17
"""Bytes from which on a body is worth a file."""

MOST_BYTES = 16 * 2**20
MOST_FILES = 32
"""Files in memory are few: they count among the files that a process may have open."""


class LargeBodies:
    """The bodies that have a file, by the identity of their bytes; those used last stay."""

    def __init__(self) -> None:
        self._files: OrderedDict[int, tuple[bytes, int]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._files)

    def send(self, transport: asyncio.Transport, head: bytes, body: bytes) -> None:
        """Send *head* and *body*: what the connection takes at once by the system, else copied."""
        file = self._file(body) if _may_be_passed_by(transport) else None
        if file is None:
            transport.write(head)
            transport.write(body)
            return
        sent = _sent(transport, head, file, len(body))
        if sent < len(head):
            transport.write(head[sent:])
        # The rest waits in the transport, which also finds out what is wrong with a connection.
        transport.write(memoryview(body)[max(0, sent - len(head)) :])

    def forget(self, body: bytes) -> None:
        """Drop the file of *body*, if it has one. What is on its way arrives all the same."""
        _, file = self._files.pop(id(body), (b"", None))
        if file is not None:
            self._bytes -= len(body)
            os.close(file)

    def close(self) -> None:
        """Drop all files."""
        for body, _ in list(self._files.values()):
            self.forget(body)

    def _file(self, body: bytes) -> int | None:
        """Return the file of *body*, made if need be; None where there can be none."""
        if id(body) in self._files:
            self._files.move_to_end(id(body))
            return self._files[id(body)][1]
        if len(body) > MOST_BYTES or (file := _made(body)) is None:
            return None
        self._files[id(body)] = body, file
        self._bytes += len(body)
        while len(self._files) > MOST_FILES or self._bytes > MOST_BYTES:
            self.forget(next(iter(self._files.values()))[0])
        return file


def _made(body: bytes) -> int | None:
    if sys.platform != "linux":
        return None
    file = None
    try:
        file = os.memfd_create("page", os.MFD_CLOEXEC)
        written = os.write(file, body)
    except OSError:  # no file, or no memory, is left: then it is copied
        written = 0
    if file is not None and written < len(body):
        os.close(file)
        return None
    return file


def _may_be_passed_by(transport: asyncio.Transport) -> bool:
    """Tell whether what is written past *transport* arrives as if it had been written to it."""
    return (
        transport.get_extra_info("sslcontext") is None
        and transport.get_write_buffer_size() == 0
        and not transport.is_closing()
    )


def _sent(transport: asyncio.Transport, head: bytes, file: int, size: int) -> int:
    """Send *head* and the *file* of that *size*; return how many bytes of both have gone."""
    theirs = transport.get_extra_info("socket")
    connection = socket.socket(theirs.family, theirs.type, theirs.proto, fileno=theirs.fileno())
    sent = 0
    try:
        sent = connection.send(head, socket.MSG_MORE)
        if sent == len(head):
            sent += os.sendfile(theirs.fileno(), file, 0, size)
    except OSError:  # it takes no more now, or is gone
        pass
    finally:
        connection.detach()  # it is still the transport's
    return sent
