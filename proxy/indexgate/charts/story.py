"""A timeline in words: what the terminal and the picture both say, and under which letters."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from math import isfinite
from string import ascii_lowercase, ascii_uppercase
from typing import Final

from msgspec import Struct

from indexgate.charts.view import View
from indexgate_policy.flags import Flag
from indexgate_policy.signals import Unknown
from indexgate_policy.timeline.changes import Change
from indexgate_policy.timeline.entries import Entry

NO_LETTER: Final = "'"
"""The mark of a release that is near no change, and of what is beyond the alphabet."""
MOST_TOLD: Final = 5

_WORTH_TELLING = 0.005
_GRAVE: Final = frozenset({"owner-change", "repository-change", "status", "yank", "advisory"})
"""Events that explain nothing and that whoever looks into a change wants to know."""


class Told(Struct, frozen=True, kw_only=True):
    """A change under its capital letter: the sentence, and the sentence on why."""

    letter: str
    change: Change
    what: str
    why: str


class Row(Struct, frozen=True, kw_only=True):
    """An event under its small letter: when, what kind, how far from which change, what share."""

    letter: str
    day: date
    kind: str
    beside: str
    carries: str
    text: str


class Story(Struct, frozen=True, kw_only=True):
    """Everything that a picture says in words. `marks` are letters on their days, in order."""

    headline: str
    told: tuple[Told, ...]
    rows: tuple[Row, ...]
    flags: tuple[str, ...]
    notes: tuple[str, ...]
    marks: tuple[tuple[date, str], ...]

    @property
    def headed(self) -> tuple[Told, ...]:
        """The changes at the head: those in force, then the newest of the others."""
        order = sorted(self.told, key=lambda one: (one.change.in_force, one.change.onset))
        return tuple(reversed(order[-MOST_TOLD:]))


def story(view: View) -> Story:
    """Return *view* in words."""
    line = view.timeline
    told = tuple(
        Told(letter=letter, change=change, what=_what(change), why=_why(change))
        for letter, change in zip(
            _letters(ascii_uppercase, len(line.changes)), line.changes, strict=True
        )
    )
    lettered = [entry for entry in line.entries if _deserves_letter(entry)]
    letters = dict(zip(map(id, lettered), ascii_lowercase, strict=False))
    rows = tuple(
        _row(entry, letters[id(entry)], told) for entry in line.entries if id(entry) in letters
    )
    marks = [(one.change.onset, one.letter) for one in told]
    marks += [(entry.day, letters.get(id(entry), NO_LETTER)) for entry in line.entries]
    return Story(
        headline=_headline(view),
        told=told,
        rows=rows,
        flags=tuple(_flag(flag) for flag in line.flags),
        notes=tuple(
            _notes(view, releases=len(line.entries) - len(lettered), more=len(lettered) - len(rows))
        ),
        marks=tuple(sorted(marks, key=lambda mark: (mark[0], mark[1].islower(), mark[1]))),
    )


def readable(text: str) -> str:
    """Return *text*, which may be upstream's, on one line and without control characters."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def percent(share: float) -> str:
    """Return *share* for people: `76 %`, `less than 1 %`."""
    if 0 < share < 0.005:
        return "less than 1 %"
    return f"{100 * share:.0f} %"


def _letters(alphabet: str, count: int) -> Sequence[str]:
    return alphabet[:count] if count <= len(alphabet) else [*alphabet, *["*"] * (count - 26)]


def _deserves_letter(entry: Entry) -> bool:
    return entry.of is not None or entry.event.kind not in ("release", "first-release")


def _headline(view: View) -> str:
    line = view.timeline
    days = (line.last_day - line.first_day).days + 1
    when = f"as of the end of {view.until}" if view.is_past else f"up to today, {view.until}"
    return f"{line.project}, {days} days {when}"


def _what(change: Change) -> str:
    if change.severity is None:
        return f"{change.called} on {change.onset}, no longer in force: {change.says}"
    return f"{change.called} since {change.onset} ({change.severity.label}): {change.says}"


def _why(change: Change) -> str:
    """Return the verdict, what carries how much, what is not there, and what else was near."""
    found = change.explanation
    parts = [found.says]
    if not change.in_force:  # a line will do; with --until it was in force
        return found.says[0].upper() + found.says[1:]
    carrying = [cause for cause in found.causes if cause.carries >= _WORTH_TELLING]
    if carrying:
        told = ", ".join(
            readable(cause.event.text)
            + (f" ({percent(cause.carries)})" if len(carrying) > 1 else "")
            for cause in carrying[:3]
        )
        parts.append(f"known events carry {percent(found.share)}: {told}")
    if found.absent and found.verdict != "explained":
        parts.append("no " + ", no ".join(found.absent))
    if found.not_known:
        parts.append(f"not known: {', '.join(found.not_known)}")
    near = [
        f"{readable(cause.event.text)} ({_distance(cause.lag)})"
        for cause in found.causes
        if cause.event.kind in _GRAVE and cause.carries < _WORTH_TELLING
    ]
    if near and found.verdict != "explained":
        parts.append(f"near it: {', '.join(near[:3])}")
    return ". ".join(part[0].upper() + part[1:] for part in parts)


def _row(entry: Entry, letter: str, told: Sequence[Told]) -> Row:
    beside = carries = ""
    if entry.of is not None and entry.cause is not None:
        of = " of" if entry.cause.lag == 0 else ""
        beside = f"{_distance(entry.cause.lag)}{of} {told[entry.of].letter}"
        carries = "taken out" if entry.cause.taken_out else percent(entry.cause.carries)
    return Row(
        letter=letter,
        day=entry.day,
        kind=entry.event.kind.replace("-", " "),
        beside=beside,
        carries=carries,
        text=readable(entry.event.text),
    )


def _distance(lag: int) -> str:
    if lag == 0:
        return "on the day"
    days = "1 day" if abs(lag) == 1 else f"{abs(lag)} days"
    return f"{days} {'before' if lag < 0 else 'after'}"


def _flag(flag: Flag) -> str:
    return readable(f"{flag.check} ({flag.severity.label}): {flag.evidence}")


def _notes(view: View, *, releases: int, more: int) -> Iterator[str]:
    history = view.history
    if isinstance(history, Unknown):
        yield f"No chart, since {history.reason}"
    else:
        behind = (view.until - history.last_day).days
        if behind > 0:
            known = f"Downloads are known up to {history.last_day}"
            yield f"{known}, {_days(behind)} before {view.until}"
        if releases:
            yield f"{NO_LETTER} marks releases that are near no change ({releases})"
        unknown = _unknown_days(view)
        if unknown:
            yield f"Of {_days(unknown)} (? or grey) it is not known who installs; they are not zero"
    if more:
        yield f"And {more} more events, without a letter; --json has them"
    if len(view.timeline.changes) > MOST_TOLD:
        untold = len(view.timeline.changes) - MOST_TOLD
        yield f"Changes told only by their letters, or with --json: {untold}"
    if not view.timeline.changes and not isinstance(history, Unknown):
        yield "No change of its downloads stands out"
    yield from map(readable, view.notes)
    yield f"Flags by {view.formula}, made {view.at:%Y-%m-%d %H:%M} UTC"


def _unknown_days(view: View) -> int:
    if isinstance(view.history, Unknown):
        return 0
    shown = view.shown_from
    daily = view.history.consumers[0, shown:].tolist()
    incomplete = view.history.incomplete[shown:].tolist()
    return sum(lacks or not isfinite(day) for day, lacks in zip(daily, incomplete, strict=True))


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def months(first: date, last: date) -> list[date]:
    """Return the first days of the months between *first* and *last*."""
    found, day = [], first.replace(day=1)
    while day <= last:
        if day >= first:
            found.append(day)
        day = (day + timedelta(days=32)).replace(day=1)
    return found
