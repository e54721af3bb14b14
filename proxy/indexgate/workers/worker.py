"""One worker of a gate: serves what the process that started it says, for as long as that lives.

Run as a module, with the number of the inherited socket that leads to that process, and the name of
the event loop to run on.
"""

import asyncio
import os
import signal
import socket
import sys

from indexgate import event_loop, logs
from indexgate.large_blocks import keep_large_blocks_apart
from indexgate.lean_import import lean
from indexgate.listening import Listening
from indexgate.workers import orders
from indexgate.workers.line import Line
from indexgate.workers.orders import Order
from indexgate_policy.errors import Explained

FAILED = 2


def main(arguments: list[str]) -> int:
    """Serve; return the exit code."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    number, loop = arguments
    keep_large_blocks_apart()
    with socket.socket(fileno=int(number)) as line, event_loop.runner(loop) as runner:
        return runner.run(_work(line))


async def _work(inherited: socket.socket) -> int:
    reader, writer = await asyncio.open_connection(sock=inherited)
    order = await orders.take(reader)
    if order is None:
        return 0
    settings = order.settings
    logs.configure(form=settings.log_format, level=settings.log_level, environ=os.environ)
    line = Line(order.number, settings.workers, reader, writer)
    hearing = asyncio.create_task(line.run())
    try:
        await _serve(order, line, hearing)
    except Explained as error:
        await line.failed([error.reference, error.message, error.hint])
        return FAILED
    finally:
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)
        writer.close()
    return 0


async def _serve(order: Order, line: Line, hearing: "asyncio.Task[None]") -> None:
    """Serve until a signal comes or nobody is at the other end of the line any more."""
    with lean():
        from indexgate.web import app

    def ready(_: Listening) -> None:
        line.ready(os.getpid())

    serving = asyncio.create_task(
        app.serve(
            order.settings,
            order.upstream,
            ready=ready,
            listener=order.place.listener(),
            fellows=line,
        )
    )
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
    hearing.add_done_callback(lambda _: serving.cancel())
    await asyncio.wait({serving})
    if not serving.cancelled():
        serving.result()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
