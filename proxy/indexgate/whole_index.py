"""Assessing every project of an index from its history, once a day of the log was read whole."""

import gc
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from datetime import datetime
from functools import cache
from multiprocessing import get_context
from pathlib import Path

from msgspec import Struct
from sqlalchemy import URL

from indexgate.sources import popular
from indexgate.store.database import Store, open_store
from indexgate.without_page import Part, assessed_chunks
from indexgate_policy.assessment import Assessment, PopularNames

PARTS_A_WORKER = 8
"""So that it can be told how far it is, and nobody waits for the slowest for long."""


class Counted(Struct, frozen=True, kw_only=True):
    """How many projects were `assessed`, and how many of them have a flag."""

    assessed: int = 0
    flagged: int = 0

    def __add__(self, other: "Counted") -> "Counted":
        return Counted(
            assessed=self.assessed + other.assessed, flagged=self.flagged + other.flagged
        )


def assess_whole_index(
    place: str | Path | URL,
    index_id: str,
    now: datetime,
    *,
    workers: int,
    tell: Callable[[int], None],
) -> Counted:
    """Assess all projects of the index in the store at *place*, in *workers* processes.

    *tell* hears how many are done, and may raise to end it. What is done is kept when it is ended
    early; doing it again gives the same. Raises StoreFailed.
    """
    if workers == 1:
        return assess_part(place, index_id, now, Part(), tell)
    # A process of its own for each: a fork would share this one's connections and threads.
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_collect_seldom) as pool:
        of = workers * PARTS_A_WORKER
        parts: list[Future[Counted]] = [
            pool.submit(assess_part, place, index_id, now, Part(number=number, of=of))
            for number in range(of)
        ]
        total = Counted()
        try:
            for done in as_completed(parts):
                total += done.result()
                tell(total.assessed)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # those that have not begun
            raise
    return total


def _collect_seldom() -> None:
    """Look for garbage in circles seldom: millions of small facts come and go, and none is one."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


def assess_part(
    place: str | Path | URL,
    index_id: str,
    now: datetime,
    part: Part,
    tell: Callable[[int], None] = lambda _assessed: None,
) -> Counted:
    """Assess the projects of *part* and keep the assessments. Raises StoreFailed."""
    store = open_store(place, lambda: now)
    try:
        total = Counted()
        for saved in _saved_beside(store, assessed_chunks(store, index_id, now, _names(), part)):
            total += saved
            tell(total.assessed)
        return total
    finally:
        store.close()


def _saved_beside(store: Store, chunks: Iterable[list[Assessment]]) -> Iterator[Counted]:
    """Save each of *chunks* while the next is made: a disk, and who else writes, can be slow."""
    with ThreadPoolExecutor(1) as saving:
        under_way: Future[Counted] | None = None
        for chunk in chunks:
            if under_way is not None:
                yield under_way.result()
            under_way = saving.submit(_save, store, chunk)
        if under_way is not None:
            yield under_way.result()


def _save(store: Store, assessments: list[Assessment]) -> Counted:
    store.assessments.save_many(assessments)
    flagged = sum(bool(one.flags) for one in assessments)
    return Counted(assessed=len(assessments), flagged=flagged)


@cache  # once a process: a list of 15,000 names
def _names() -> PopularNames:
    return popular.load()
