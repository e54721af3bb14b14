"""Questions about single projects, gathered to one question about many where a source can take it.

Whoever asks needs not know: he asks about one project, and shares a request with those who ask in
the same moment.
"""

import asyncio
from datetime import datetime

from packaging.utils import NormalizedName

from indexgate.sources.protocol import About, Asked, Batch, SourceFailed
from indexgate_policy.signals import Signal

LINGER = 0.05
"""Seconds for which the first question waits for company: little beside a request."""


class Gathered:
    """*source*, asked with as few requests as it allows."""

    def __init__(self, source: Batch, *, linger: float = LINGER) -> None:
        self._source = source
        self._linger = linger
        self._open: _Round | None = None

    @property
    def about(self) -> About:
        """What the source is."""
        return self._source.about

    async def signals(self, asked: Asked, now: datetime) -> tuple[Signal, ...]:
        """Return the source's signals of one project. Raises SourceFailed."""
        together = self._open
        if together is None:
            together = self._open = _Round()
            together.answers = asyncio.create_task(self._ask(together, now))
        together.questions.append(asked)
        if len(together.questions) >= self._source.most_at_once:
            self._open = None
            together.full.set()
        # One who gives up must not take the answer from the others.
        answers = await asyncio.shield(together.answers)
        if asked.project not in answers:
            raise SourceFailed(self.about.name, "garbage", "left the project out of its answer")
        return answers[asked.project]

    async def _ask(
        self, together: "_Round", now: datetime
    ) -> dict[NormalizedName, tuple[Signal, ...]]:
        try:
            async with asyncio.timeout(self._linger):
                await together.full.wait()
        except TimeoutError:
            if self._open is together:
                self._open = None
        if len(together.questions) == 1:
            [only] = together.questions
            return {only.project: await self._source.signals(only, now)}
        return dict(await self._source.many(together.questions, now))


class _Round:
    """Questions that share a request, and the answers that are on their way."""

    answers: "asyncio.Task[dict[NormalizedName, tuple[Signal, ...]]]"

    def __init__(self) -> None:
        self.questions: list[Asked] = []
        self.full = asyncio.Event()
