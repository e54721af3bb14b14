"""The process that starts the workers of a gate, starts anew those that end, and serves nothing."""

import asyncio
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from indexgate.config import Settings
from indexgate.errors import GateError
from indexgate.listening import Listening
from indexgate.logs import logger
from indexgate.upstream_choice import UpstreamChoice
from indexgate.workers import orders
from indexgate.workers.frames import packed, read
from indexgate.workers.muster import Muster
from indexgate.workers.orders import Order
from indexgate.workers.places import Place, reserved
from indexgate.workers.switchboard import Switchboard

MOST_ENDS = 5
"""How many workers may end within `WITHIN` seconds before the whole gate does."""

WITHIN = 60.0

_STOP_WITHIN = 10.0
_WORKER = ("-P", "-m", "indexgate.workers.worker")


async def serve(
    settings: Settings, upstream: UpstreamChoice, *, ready: Callable[[Listening], None]
) -> None:
    """Serve by as many workers as are set, until cancelled. Raises GateError, OSError."""
    if sys.platform == "win32":
        raise GateError("workers-unsupported", "several workers do not run on this platform")
    with reserved(settings.host, settings.port) as place:
        listening = Listening(
            host=settings.host, port=place.port, tls=settings.tls_cert is not None
        )
        crew = _Crew(settings, upstream, place, ready=lambda: ready(listening))
        await crew.serve()


class _Crew:
    """The workers; *ready* is called once, when all serve."""

    def __init__(
        self,
        settings: Settings,
        upstream: UpstreamChoice,
        place: Place,
        *,
        ready: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._upstream = upstream
        self._place = place
        self._ready = ready
        self._coming = set(range(settings.workers))
        self._all_came = False
        self._board = Switchboard()
        self._muster = Muster(range(settings.workers))
        self._ends: deque[float] = deque(maxlen=MOST_ENDS)
        self._log = logger("workers")

    async def serve(self) -> None:
        """Keep all workers going, until cancelled. Raises GateError."""
        tasks = [asyncio.create_task(self._keep(number)) for number in sorted(self._coming)]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def _keep(self, number: int) -> None:
        """Keep worker *number* going. Raises GateError when that cannot be."""
        while True:
            why = await self._one(number)
            if not self._all_came:
                raise why
            pause = self._ended(number, why)
            await asyncio.sleep(pause)

    def _ended(self, number: int, why: GateError) -> float:
        """Note that a worker ended by itself; return how long to wait. Raises GateError."""
        now = asyncio.get_running_loop().time()
        self._ends.append(now)
        recent = sum(now - at < WITHIN for at in self._ends)
        self._log.warning("worker-ended", worker=number, text=why.message)
        if recent == MOST_ENDS:
            raise GateError(
                "workers-end",
                f"{MOST_ENDS} workers ended within a minute, so the gate ends: {why.message}",
                "The lines above say why they ended.",
            )
        return 0.05 * 2.0**recent

    async def _one(self, number: int) -> GateError:
        """Run worker *number* until it ends; return why it did."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = await self._begun(theirs)
        reader, writer = await asyncio.open_connection(sock=ours)
        failure: list[Any] = []
        try:
            orders.give(self._order(number), writer)
            while (frame := await read(reader)) is not None:
                if frame.kind == "failed":
                    failure = frame.said
                elif frame.kind == "join":
                    self._board.join(number, writer)
                    self._muster.come(number, partial(writer.write, packed(frame)))
                elif frame.kind == "ready":
                    self._came(number, process)
                else:
                    self._board.pass_on(number, frame)
            with suppress(TimeoutError):  # its line is closed: it ends, or is ended
                await asyncio.wait_for(process.wait(), _STOP_WITHIN)
        finally:
            self._board.leave(number)
            writer.close()
            await _stopped(process)
        code = await process.wait()
        if failure:
            return GateError(*(str(part) for part in failure))
        return GateError("worker-ended", f"worker {number} (process {process.pid}) {_how(code)}")

    async def _begun(self, theirs: socket.socket) -> Process:
        inherited = self._place.inherited
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *_WORKER,
            str(theirs.fileno()),
            self._settings.event_loop,
            stdin=DEVNULL,
            pass_fds=[theirs.fileno(), *([] if inherited is None else [inherited])],
            process_group=0,  # Ctrl-C is for this process, which then ends them one and all
        )

    def _order(self, number: int) -> Order:
        return Order(
            settings=self._settings, upstream=self._upstream, place=self._place, number=number
        )

    def _came(self, number: int, process: Process) -> None:
        if self._all_came:
            self._log.info("worker-back", worker=number, pid=process.pid)
        self._coming.discard(number)
        if not self._coming and not self._all_came:
            self._all_came = True
            self._ready()


async def _stopped(process: Process) -> None:
    """Return when *process* has ended; it is told to, unless it has already."""
    with suppress(ProcessLookupError):
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _STOP_WITHIN)
            except TimeoutError:
                process.kill()
                await process.wait()


def _how(code: int) -> str:
    return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
