"""The reference of the sources asked per project, rendered from what each says of itself."""

from collections.abc import Iterator
from datetime import timedelta

from msgspec import Struct

from indexgate.sources import (
    deps_dev,
    ecosystems,
    github,
    libraries_io,
    pepy,
    project_document,
    pypistats,
    scorecard,
)
from indexgate.sources.limits import LIMITS
from indexgate.sources.protocol import About
from indexgate_policy.signal_table import BY_NAME

SOURCES: tuple[About, ...] = (
    project_document.ABOUT,
    deps_dev.ABOUT,
    scorecard.ABOUT,
    pypistats.ABOUT,
    github.ABOUT,
    ecosystems.ABOUT,
    libraries_io.ABOUT,
    pepy.ABOUT,
)
"""In the order of the page."""


class Failure(Struct, frozen=True, kw_only=True):
    """A way in which any service can fail: what happens, and what every signal of it then says.

    The name of the source stands before `said`. `rests` tells that the service is left alone for a
    while.
    """

    id: str
    happens: str
    said: str
    rests: bool


FAILURES: tuple[Failure, ...] = (
    Failure(
        id="slow",
        happens="it does not answer in time",
        said="did not finish within 20 s",
        rests=True,
    ),
    Failure(
        id="down",
        happens="nothing listens there",
        said="refused the connection",
        rests=True,
    ),
    Failure(
        id="cut-off",
        happens="the answer ends in the middle",
        said="broke off in the middle of the answer",
        rests=True,
    ),
    Failure(
        id="no-key",
        happens="it wants a key, or refuses the one it got",
        said="did not accept the key (401)",
        rests=True,
    ),
    Failure(
        id="forbidden",
        happens="it refuses the key's rights",
        said="did not accept the key (403)",
        rests=True,
    ),
    Failure(
        id="too-many",
        happens="it says that it was asked too often",
        said="answered 429 Too Many Requests",
        rests=True,
    ),
    Failure(
        id="broken",
        happens="it fails",
        said="answered 500 Internal Server Error",
        rests=True,
    ),
    Failure(
        id="empty",
        happens="it answers nothing",
        said="answered what is not in its documented form",
        rests=False,
    ),
    Failure(
        id="page",
        happens="a log-in page answers instead (the Wi-Fi of a hotel)",
        said="answered what is not in its documented form",
        rests=False,
    ),
    Failure(
        id="changed",
        happens="the form of its answers has changed",
        said="answered what is not in its documented form",
        rests=False,
    ),
    Failure(
        id="too-large",
        happens="the answer is larger than any should be",
        said="answered more than 4,000,000 bytes",
        rests=False,
    ),
    Failure(
        id="used-up",
        happens="our own limit is reached",
        said="was asked as often as is polite",
        rests=False,
    ),
)
"""What goes wrong the same way everywhere; `said` is of a source with a key and usual limits."""

_OPENING = """\
# Sources

Where the facts about single projects come from. Each source is asked for one project (or a few), no
more often than an answer stays fresh, and within limits that are counted over restarts. A source
that fails takes nothing away: what it said before still stands, and what it never said is unknown.

Which of them are on, and what they learn, is told in [what leaves your
machine](../concepts/what-leaves-the-machine.md). Advisories do not come from here: the feed is a
file that names no project. This page is made from the program's own definitions.

| source | by | learns which projects you use | key | licence of the data |
| --- | --- | --- | --- | --- |
"""


def render() -> str:
    """Return `docs/reference/sources.md`."""
    lines = _OPENING.splitlines()
    lines += [_row(about) for about in SOURCES]
    for about in SOURCES:
        lines += _source(about)
    return "\n".join([*lines, *_failures()]) + "\n"


def _row(about: About) -> str:
    cells = (
        f"[`{about.name}`](#{about.name})",
        about.by or "the index itself",
        "yes" if about.third_party else "no more than it knows already",
        about.key or "none",
        about.licence,
    )
    return f"| {' | '.join(cells)} |"


def _source(about: About) -> Iterator[str]:
    yield from ("", f"## `{about.name}`", "")
    if about.documented_at:
        yield f"{about.title}, documented at <{about.documented_at}>."
    else:
        yield "The project JSON of the very index that served the page; no other is asked."
    yield ""
    yield f"- an answer stays fresh for {_span(about.fresh_for)}"
    if about.needs:
        yield f"- is asked only where known: {_quoted(about.needs)}"
    for name in (about.name, f"{about.name}-without-token"):
        if name in LIMITS:
            limits = LIMITS[name]
            windows = " and ".join(str(window) for window in limits.windows)
            of = " without a token" if name != about.name else ""
            yield (
                f"- limit{of}: {windows}, {limits.at_once} at once; "
                f"the service's own: {limits.stated}"
            )
    yield from ("", "| signal | says |", "| --- | --- |")
    for name in about.gives:
        kind = BY_NAME[name]
        unit = f" ({kind.unit})" if kind.unit else ""
        yield f"| `{name}` | {kind.says}{unit} |"


def _failures() -> Iterator[str]:
    yield from ("", "## When a source fails", "")
    yield from ("Every signal of it is then unknown, and says why:", "")
    yield from ("| what happens | what is said | left alone for a while |", "| --- | --- | --- |")
    for failure in FAILURES:
        rests = "yes" if failure.rests else "no"
        yield f"| {failure.happens} | {failure.said} | {rests} |"
    yield from (
        "",
        "A pause doubles from 2 seconds to an hour while a service fails in a row; where it wishes",
        "for more (`Retry-After`), that holds. A project that a service does not know is no",
        "failure: its signals are unknown, and say that.",
    )


def _span(time: timedelta) -> str:
    hours = int(time.total_seconds() // 3600)
    if hours % 24 == 0 and hours > 24:
        return f"{hours // 24} days"
    return f"{hours} hours"


def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)
