"""A timeline for the terminal: a chart of characters that needs no colour, and what it means."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from msgspec import Struct
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from indexgate.charts.columns import LAYERS, Columns, columns, short
from indexgate.charts.story import Story, Told, months, story
from indexgate.charts.view import View
from indexgate_policy.signals import Unknown

_HEIGHT = 10
_LABELS = 13  # columns at the left for the scale and the names of the strips
_SCALE = 10  # columns at the right for the scale of the strips
_NARROWEST = 30
_MOST_MARK_LINES = 4
_WIDE_ENOUGH = 100  # for the table of events; below, an event takes two lines

_STYLES = dict(zip(LAYERS, ("cyan", "blue", "bright_black"), strict=True))
_VERDICTS = {"explained": "green", "partly explained": "yellow", "unexplained": "bold red"}


class _Signs(Struct, frozen=True, kw_only=True):
    """The characters of a chart: one a layer, levels of a strip from nothing to all, lines."""

    layers: tuple[str, ...]
    little: str
    levels: str
    axis: str
    corner: str


_BLOCKS: Final = _Signs(
    layers=("█", "▓", "░"), little="▁", levels=" ▁▂▃▄▅▆▇█", axis="─", corner="└"
)
_PLAIN: Final = _Signs(layers=("#", "+", "."), little="_", levels=" .:-=+*%#", axis="-", corner="+")


def print_view(view: View, console: Console) -> None:
    """Print *view* on *console*, in its width and with the characters that it has."""
    told = story(view)
    signs = _BLOCKS if console.encoding.lower().startswith("utf") else _PLAIN
    console.print(Text(told.headline, style="bold"))
    for place, change in enumerate(told.headed):
        if place == 0 or change.change.in_force:
            console.print()
        _print_change(change, console)
    if not isinstance(view.history, Unknown):
        console.print()
        for line in _chart(columns(view.history, view.shown_from), told, signs, console.width):
            console.print(line, no_wrap=True, crop=True)
    if told.rows:
        console.print()
        _print_rows(told, console)
    if told.flags:
        console.print("\nOther flags in force:")
        for flag in told.flags:
            console.print(Padding(Text(flag), (0, 0, 0, 3)))
    console.print()
    for note in told.notes:
        console.print(Text(note, style="dim"))


def _print_change(told: Told, console: Console) -> None:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    style = _VERDICTS[told.change.explanation.verdict]
    grid.add_row(Text(told.letter, style="bold"), Text(told.what, style="bold"))
    grid.add_row("", Text(told.why, style=style))
    console.print(grid)


def _chart(shown: Columns, told: Story, signs: _Signs, width: int) -> Iterator[Text]:
    plot = max(_NARROWEST, width - _LABELS - _SCALE - 1)
    spans = _spans(len(shown.columns), plot)
    yield Text(f"{shown.unit}:  ") + _legend(signs)
    for row in reversed(range(_HEIGHT)):
        scale = {_HEIGHT - 1: shown.top, (_HEIGHT - 1) // 2: shown.top / 2}.get(row)
        label = "" if scale is None else short(scale)
        yield Text(f"{label:>{_LABELS}} ") + _bars(shown, spans, signs, row)
    yield Text(f"{'0':>{_LABELS}} " + signs.axis * plot)
    for line in _mark_lines(shown, told, plot):
        yield Text(" " * (_LABELS + 1) + line, style="bold")
    yield Text(" " * (_LABELS + 1) + _month_line(shown, plot), style="dim")
    strips = {
        "new stars": [column.stars for column in shown.columns],
        "mirrors, bots": [column.others for column in shown.columns],
    }
    for name, values in strips.items():
        yield Text(f"{name:>{_LABELS}} " + _strip(values, spans, signs))


def _legend(signs: _Signs) -> Text:
    legend = Text()
    for name, sign in zip(LAYERS, signs.layers, strict=True):
        legend.append(sign * 2, style=_STYLES[name]).append(f" {name}  ")
    return legend


def _spans(count: int, plot: int) -> list[int]:
    """Return how many characters wide each of *count* columns is, so that all fill *plot*."""
    edges = [round(place * plot / count) for place in range(count + 1)]
    return [end - start for start, end in pairwise(edges)]


def _bars(shown: Columns, spans: Sequence[int], signs: _Signs, row: int) -> Text:
    """Return one line of the chart; *row* 0 is the lowest."""
    line = Text()
    unit = shown.top / _HEIGHT
    for column, span in zip(shown.columns, spans, strict=True):
        if column.layers is None:
            line.append(("?" if row == 0 else " ") * span, style="dim")
            continue
        sign, style = _cell(column.layers, (row + 0.5) * unit, signs)
        if not sign and row == 0 and sum(column.layers) > 0:
            sign = signs.little
        line.append((sign or " ") * span, style=style)
    return line


def _cell(layers: Sequence[float], height: float, signs: _Signs) -> tuple[str, str]:
    """Return the sign and style of what a column shows at *height*; empty above it."""
    reached = 0.0
    for amount, sign, style in zip(layers, signs.layers, _STYLES.values(), strict=True):
        reached += amount
        if reached > height:
            return sign, style
    return "", ""


def _mark_lines(shown: Columns, told: Story, plot: int) -> list[str]:
    """Return the letters under their days, on further lines where they would collide."""
    lines: list[list[str]] = []
    for day, letter in told.marks:
        place = shown.place(day)
        if not 0 <= place < 1:
            continue
        x = int(place * plot)
        for line in lines:
            if line[x] == " ":
                line[x] = letter
                break
        else:
            if len(lines) < _MOST_MARK_LINES:
                lines.append([" "] * plot)
                lines[-1][x] = letter
    return ["".join(line).rstrip() for line in lines]


def _month_line(shown: Columns, plot: int) -> str:
    line = [" "] * plot
    first, last = shown.columns[0].first, shown.columns[-1].first
    free = 0
    for day in months(first, last):
        name = f"|{day:%b %Y}" if day.month == 1 or free == 0 else f"|{day:%b}"
        x = int(shown.place(day) * plot)
        if free <= x <= plot - len(name):
            line[x : x + len(name)] = name
            free = x + len(name) + 1
    return "".join(line)


def _strip(values: Sequence[float | None], spans: Sequence[int], signs: _Signs) -> str:
    """Return one line of levels, each against the highest, which is told at the end."""
    known = [value for value in values if value is not None]
    if not known:
        return "not known"
    highest = max(known)
    steps = len(signs.levels) - 1
    cells = []
    for value, span in zip(values, spans, strict=True):
        if value is None:
            cells.append("?" * span)
        else:
            level = 0 if highest <= 0 else max(round(steps * value / highest), int(value > 0))
            cells.append(signs.levels[level] * span)
    return "".join(cells) + f" max {short(highest)}"


def _print_rows(told: Story, console: Console) -> None:
    if console.width < _WIDE_ENOUGH:
        for row in told.rows:
            beside = f", {row.beside}, carries {row.carries}" if row.beside else ""
            console.print(Text(f"{row.letter}  {row.day}  {row.kind}{beside}"))
            console.print(Padding(Text(row.text), (0, 0, 0, 15)))
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("", "day", "event", "beside", "carries", "what happened"):
        table.add_column(heading, no_wrap=heading != "what happened", overflow="fold")
    for row in told.rows:
        cells = (row.letter, str(row.day), row.kind, row.beside, row.carries, row.text)
        table.add_row(*(Text(cell) for cell in cells))
    console.print(table)
