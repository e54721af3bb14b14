"""`python -m tests.fuzz TARGET --minutes 10`: the exit code is 1 when anything was found."""

import argparse
import asyncio
import logging
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from io import StringIO
from pathlib import Path
from random import Random

from indexgate import logs
from indexgate.log_lines import as_text
from tests.fuzz.mutation import mutated
from tests.fuzz.readers import READERS
from tests.fuzz.requests import TOKENS, requests

REQUESTS = "requests"
TARGETS = (*READERS, REQUESTS)
_MOST_FOUND = 20
_SAID_EVERY = 60.0


class Search:
    """One target for a while: cases taken, and what was found, once a place in the code."""

    def __init__(self, *, seed: int, seconds: float, cases: int | None, folder: Path) -> None:
        self._chance = Random(seed)
        self._end = time.monotonic() + seconds
        self._most = cases
        self._folder = folder
        self._said = time.monotonic()
        self.cases = 0
        self.found: dict[str, bytes] = {}

    async def run(
        self,
        seeds: Sequence[bytes],
        tokens: Sequence[bytes],
        take: Callable[[bytes], Awaitable[None]],
    ) -> None:
        """Go on until the time is over, the cases are taken, or too much was found."""
        while self._goes_on():
            data = mutated(self._chance, seeds, tokens)
            self.cases += 1
            try:
                await take(data)
            except Exception as error:
                self._note(error, data)

    def _goes_on(self) -> bool:
        now = time.monotonic()
        if now - self._said > _SAID_EVERY:
            self._said = now
            left = max(0.0, self._end - now) / 60
            print(f"{self.cases:,} cases, {len(self.found)} found, {left:.0f} min left", flush=True)
        enough = self._most is not None and self.cases >= self._most
        return now < self._end and not enough and len(self.found) < _MOST_FOUND

    def _note(self, error: Exception, data: bytes) -> None:
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
        if place in self.found:
            return
        self.found[place] = data
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / sha256(data).hexdigest()[:16]
        path.write_bytes(data)
        print(f"{place}: {error!s:.300}\n  in {path}", file=sys.stderr, flush=True)


async def search(target: str, found: Search) -> None:
    """Search *target*."""
    if target == REQUESTS:
        async with requests() as gate:
            await found.run(gate.seeds, TOKENS, gate.take)
            await gate.settle()
        return
    reader = READERS[target]

    async def take(data: bytes) -> None:
        reader.take(data)

    await found.run(reader.seeds, reader.tokens, take)


def main() -> int:
    """Search one target; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--cases", type=int)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    parser.add_argument("--folder", type=Path, default=Path("fuzz-found"))
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)
    logs.use(logs.Log(as_text, "error", StringIO()))
    found = Search(
        seed=asked.seed, seconds=asked.minutes * 60, cases=asked.cases, folder=asked.folder
    )
    began = time.monotonic()
    asyncio.run(search(asked.target, found))
    took = time.monotonic() - began
    print(
        f"{asked.target}: {found.cases:,} cases in {took / 60:.1f} min, seed {asked.seed},"
        f" {len(found.found)} found"
    )
    return 1 if found.found else 0


if __name__ == "__main__":
    sys.exit(main())
