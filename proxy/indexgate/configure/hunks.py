"""What a change replaced in a text, and taking it back, also where others changed the text since.

A hunk holds only the lines that changed. So what is kept for the undo has nothing else of the
file: no password that stands elsewhere in it.
"""

import difflib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from msgspec import Struct

_LINE = re.compile(r"[^\n]*\n|[^\n]+")

Values: TypeAlias = "Counter[tuple[str, str]]"
"""Every value of a settings file, as (key, value): how often each stands in it."""
ReadValues: TypeAlias = Callable[[str], Values]
"""Reads the values in a text. Raises ValueError for a text that its client could not read."""


class NotByLines(ValueError):
    """A text that is written in a way that cannot be changed line by line."""


class Hunk(Struct, frozen=True, kw_only=True):
    """Lines that were replaced, line ends and all; `start` counts lines of the new text from 0."""

    start: int
    before: tuple[str, ...]
    after: tuple[str, ...]


def between(before: str, after: str) -> tuple[Hunk, ...]:
    """Return the hunks that lead from *before* to *after*."""
    old, new = lines(before), lines(after)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return tuple(
        Hunk(start=start, before=tuple(old[a:b]), after=tuple(new[start:end]))
        for tag, a, b, start, end in matcher.get_opcodes()
        if tag != "equal"
    )


def taken_back(text: str, hunks: Sequence[Hunk]) -> str:
    """Return what was before *hunks* made *text*, which nobody changed since.

    Raises ValueError where *text* is not what they made.
    """
    found = lines(text)
    for hunk in reversed(hunks):
        end = hunk.start + len(hunk.after)
        if tuple(found[hunk.start : end]) != hunk.after:
            raise ValueError("the text is not what the change made of it")
        found[hunk.start : end] = hunk.before
    return "".join(found)


def picked_out(text: str, hunks: Sequence[Hunk], read_values: ReadValues) -> tuple[str, int]:
    """Take *hunks* back in a *text* that others changed since; return it and how many were found.

    Only the hunks' own lines are touched. A hunk is left where its lines are gone, and where taking
    it back would change another value than its own.
    """
    found = 0
    for hunk in reversed(hunks):
        for candidate in _candidates(lines(text), hunk):
            if _changes_only(text, candidate, hunk, read_values):
                text, found = candidate, found + 1
                break
    return text, found


def lines(text: str) -> list[str]:
    """Return the lines of *text*, each with its end, which is a line feed and nothing else."""
    return _LINE.findall(text)


def _candidates(found: list[str], hunk: Hunk) -> Iterator[str]:
    """Yield what *found* may have been, the likeliest first."""
    before, after = _without_common_ends(hunk)
    whole = after
    core = _without_blank_ends(after)
    # Others may have put lines under a heading of ours, which then has to stay.
    headless = [line for line in core if not line.lstrip().startswith("[")]
    for block in (whole, core, headless):
        for place in sorted(_places(found, block), key=lambda at: abs(at - hunk.start)):
            yield "".join(_joined([*found[:place], *before], found[place + len(block) :]))


def _joined(head: list[str], tail: list[str]) -> list[str]:
    """Return both parts; a last line of *head* without an end gets one where *tail* follows."""
    if head and tail and not head[-1].endswith("\n"):
        end = "\r\n" if tail[0].endswith("\r\n") else "\n"
        head = [*head[:-1], head[-1] + end]
    return [*head, *tail]


def _places(found: Sequence[str], block: Sequence[str]) -> Iterator[int]:
    """Yield where *block* stands in *found*, however its lines are spaced."""
    wanted = [_plain(line) for line in block]
    plain = [_plain(line) for line in found]
    if not any(wanted):
        return
    for place in range(len(plain) - len(wanted) + 1):
        if plain[place : place + len(wanted)] == wanted:
            yield place


def _plain(line: str) -> str:
    return re.sub(r"\s+", "", line)


def _without_common_ends(hunk: Hunk) -> tuple[list[str], list[str]]:
    """Return both sides without lines that differ in spacing only, such as in a missing end."""
    before, after = list(hunk.before), list(hunk.after)
    while before and after and _plain(before[0]) == _plain(after[0]):
        del before[0], after[0]
    while before and after and _plain(before[-1]) == _plain(after[-1]):
        del before[-1], after[-1]
    return before, after


def _without_blank_ends(block: list[str]) -> list[str]:
    kept = list(block)
    while kept and not kept[0].strip():
        del kept[0]
    while kept and not kept[-1].strip():
        del kept[-1]
    return kept


def _changes_only(text: str, candidate: str, hunk: Hunk, read_values: ReadValues) -> bool:
    """Tell whether *candidate* differs from *text* in values that stand in *hunk* alone."""
    try:
        now, then = read_values(text), read_values(candidate)
    except ValueError:
        return False
    before, after = _without_common_ends(hunk)
    return _stand_in(now - then, after) and _stand_in(then - now, before)


def _stand_in(values: Values, block: Iterable[str]) -> bool:
    """Tell whether each of *values* is written in *block*, with its key."""
    written = "".join(_plain(line) for line in block)
    return all(
        key.rpartition("\n")[2] in written and _plain(value) in written for key, value in values
    )
