"""Three-valued logic (Kleene's strong logic) whose answers say why, and until when they hold.

A condition holds, does not, or is unknown with a reason. Unknown never turns into holding or not
holding by itself: `all_of` is unknown when nothing fails and something is unknown, `any_of` when
nothing holds and something is unknown.

`until` is the first moment at which the answer may change although no new fact came in; None means
never. It is what lets a finished page be kept.
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct


class Outcome(Struct, frozen=True):
    """What a condition says: `truth` is True, False or None (unknown), `why` one clause."""

    truth: bool | None
    why: str = ""
    until: datetime | None = None


FAILS = Outcome(truth=False)
"""Does not hold, and never will by itself: shared, since most conditions of a page say this."""


def holds(why: str, until: datetime | None = None) -> Outcome:
    """Return the outcome of a condition that holds."""
    return Outcome(True, why, until)


def fails(until: datetime | None = None) -> Outcome:
    """Return the outcome of a condition that does not hold."""
    return FAILS if until is None else Outcome(False, "", until)


def unknown(why: str, until: datetime | None = None) -> Outcome:
    """Return the outcome of a condition that cannot be judged, and why not."""
    return Outcome(None, why, until)


def earlier(left: datetime | None, right: datetime | None) -> datetime | None:
    """Return the earlier of two moments, where None is never."""
    if left is None:
        return right
    return left if right is None else min(left, right)


def later(left: datetime | None, right: datetime | None) -> datetime | None:
    """Return the later of two moments, where None is never."""
    return None if left is None or right is None else max(left, right)


def all_of(outcomes: Iterable[Outcome]) -> Outcome:
    """Join by "and": lazily, so a failure that lasts for ever ends it."""
    failed: Outcome | None = None
    standing: list[Outcome] = []
    for outcome in outcomes:
        if outcome.truth is False:
            if outcome.until is None:
                return FAILS
            # One failure is enough: it fails as long as the one that fails longest.
            failed = outcome if failed is None else fails(later(failed.until, outcome.until))
        elif failed is None:
            standing.append(outcome)
    return failed or _together(standing, undecided=False)


def any_of(outcomes: Iterable[Outcome]) -> Outcome:
    """Join by "or": the holding outcome that lasts longest speaks for all."""
    best: Outcome | None = None
    asked: list[Outcome] = []
    for outcome in outcomes:
        asked.append(outcome)
        if outcome.truth and (best is None or _outlasts(outcome, best)):
            best = outcome
            if outcome.until is None:
                break
    if best is None:
        return _together(asked, undecided=True)
    # Another that changes may speak instead, in other words: this text is promised until then.
    until = best.until
    for outcome in asked:
        until = earlier(until, outcome.until)
    return best if until == best.until else holds(best.why, until)


def negate(outcome: Outcome, why: str) -> Outcome:
    """Turn holding into failing and back; *why* is said where the negation holds."""
    if outcome.truth is None:
        return outcome
    return fails(outcome.until) if outcome.truth else holds(why, outcome.until)


def _outlasts(left: Outcome, right: Outcome) -> bool:
    if right.until is None:
        return False
    return left.until is None or left.until > right.until


def _together(outcomes: list[Outcome], *, undecided: bool) -> Outcome:
    """Join outcomes none of which decides: unknown if one is, else all hold or all fail."""
    until: datetime | None = None
    for outcome in outcomes:
        until = earlier(until, outcome.until)
    doubts = [outcome.why for outcome in outcomes if outcome.truth is None]
    if doubts:
        return unknown("; ".join(doubts), until)
    if undecided:
        return fails(until)
    return holds(" and ".join(outcome.why for outcome in outcomes), until)
