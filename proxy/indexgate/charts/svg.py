"""A timeline as an SVG picture: text stays text, no script, readable on light and dark."""

from collections.abc import Iterator, Sequence
from html import escape
from textwrap import wrap
from typing import Final

from indexgate.charts.columns import LAYERS, Columns, columns, short
from indexgate.charts.story import Story, Told, months, story
from indexgate.charts.view import View
from indexgate_policy.signals import Unknown

WIDTH: Final = 820
_LEFT, _RIGHT = 64, 792
_LINE = 17
_CHART = 190
_STRIP = 26
_LETTERS = 105  # of a line of text that fill the picture
_MOST_ROWS = 20

_STYLE: Final = """\
svg { --paper: #ffffff; --ink: #1f2328; --faint: #656d76; --rule: #d0d7de; --people: #0969da;
  --ci: #54aeff; --pipelines: #a8b3bf; --other: #bf8700; --alarm: #cf222e; --partly: #9a6700;
  --calm: #1a7f37; }
@media (prefers-color-scheme: dark) {
  svg { --paper: #0d1117; --ink: #e6edf3; --faint: #9198a1; --rule: #3d444d; --people: #58a6ff;
    --ci: #1f6feb; --pipelines: #6e7681; --other: #d29922; --alarm: #ff7b72; --partly: #e3b341;
    --calm: #56d364; }
}
text { font: 12.5px ui-sans-serif, system-ui, "Segoe UI", "DejaVu Sans", sans-serif;
  fill: var(--ink); }
.paper { fill: var(--paper); } .faint { fill: var(--faint); } .bold { font-weight: 600; }
.title { font-size: 15px; font-weight: 600; } .end { text-anchor: end; }
.middle { text-anchor: middle; } .rule { stroke: var(--rule); }
.people { fill: var(--people); } .ci { fill: var(--ci); } .pipelines { fill: var(--pipelines); }
.other { fill: var(--other); } .unknown { fill: var(--rule); opacity: .45; }
.alarm { fill: var(--alarm); } .partly { fill: var(--partly); } .calm { fill: var(--calm); }
.onset { stroke: var(--alarm); stroke-dasharray: 4 3; }
"""
_FOR_READERS: Final = 'role="img" aria-labelledby="title says"'
_FILLS: Final = dict(zip(LAYERS, ("people", "ci", "pipelines"), strict=True))
_VERDICTS: Final = {"explained": "calm", "partly explained": "partly", "unexplained": "alarm"}


def picture(view: View) -> str:
    """Return *view* as an SVG document."""
    told = story(view)
    body: list[str] = []
    y = 28.0
    body.append(_text(16, y, told.headline, "title"))
    for change in told.headed:
        y, lines = _heading(change, y + 8)
        body.extend(lines)
    if not isinstance(view.history, Unknown):
        y, lines = _chart(columns(view.history, view.shown_from), told, y + 14)
        body.extend(lines)
    y, lines = _words(told, y + 10)
    body.extend(lines)
    height = round(y + 14)
    title = escape(told.headline)
    says = escape(" ".join(f"{one.what}. {one.why}." for one in told.headed) or "No change.")
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} {_FOR_READERS}>',
            f'<title id="title">{title}</title>',
            f'<desc id="says">{says}</desc>',
            f"<style>\n{_STYLE}</style>",
            f'<rect class="paper" width="{WIDTH}" height="{height}" rx="6"/>',
            *body,
            "</svg>",
            "",
        ]
    )


def _heading(told: Told, y: float) -> tuple[float, list[str]]:
    y += _LINE
    lines = [_text(16, y, told.letter, "bold"), _text(34, y, told.what, "bold")]
    kind = _VERDICTS[told.change.explanation.verdict]
    for line in wrap(told.why, _LETTERS):
        y += _LINE
        lines.append(_text(34, y, line, kind))
    return y, lines


def _chart(shown: Columns, told: Story, y: float) -> tuple[float, list[str]]:
    lines = [*_key(shown, y + 10)]
    top, bottom = y + 24, y + 24 + _CHART
    for share in (0, 0.5, 1):
        level = bottom - share * _CHART
        lines.append(_rule(_LEFT, level, _RIGHT, level))
        lines.append(_text(_LEFT - 6, level + 4, short(share * shown.top), "faint end"))
    lines.extend(_bars(shown, bottom))
    for change in told.told:
        x = _x(shown.place(change.change.onset))
        lines.append(
            f'<line class="onset" x1="{x}" y1="{top - 4:.1f}" x2="{x}" y2="{bottom:.1f}"/>'
        )
    y, marks = _marks(shown, told, bottom + 4)
    lines.extend(marks)
    y += _LINE
    for month in months(shown.columns[0].first, shown.columns[-1].first):
        x = _x(shown.place(month))
        lines.append(_rule(x, bottom, x, bottom + 4))
        name = f"{month:%b %Y}" if month.month == 1 else f"{month:%b}"
        if float(x) < _RIGHT - 24:
            lines.append(_text(x, y, name, "faint"))
    for name, values, fill in (
        ("new stars", [column.stars for column in shown.columns], "other"),
        ("mirrors and bots", [column.others for column in shown.columns], "unknown"),
    ):
        y += 8
        lines.extend(_strip(shown, name, values, fill, y))
        y += _STRIP
    return y, lines


def _key(shown: Columns, y: float) -> Iterator[str]:
    yield _text(16, y, shown.unit, "faint")
    x = 150
    for name, fill in _FILLS.items():
        yield f'<rect class="{fill}" x="{x}" y="{y - 9:.1f}" width="11" height="11"/>'
        yield _text(x + 16, y, name, "faint")
        x += 90
    if any(column.layers is None for column in shown.columns):
        yield f'<rect class="unknown" x="{x}" y="{y - 9:.1f}" width="11" height="11"/>'
        yield _text(x + 16, y, "not known", "faint")


def _bars(shown: Columns, bottom: float) -> Iterator[str]:
    for place, column in enumerate(shown.columns):
        left, width = _span(shown, place)
        if column.layers is None:
            yield _rect("unknown", left, bottom - _CHART, width, _CHART)
            continue
        reached = 0.0
        for amount, fill in zip(column.layers, _FILLS.values(), strict=True):
            height = _CHART * amount / shown.top
            reached += height
            if height > 0:
                yield _rect(fill, left, bottom - reached, width, max(height, 0.4))


def _marks(shown: Columns, told: Story, y: float) -> tuple[float, list[str]]:
    """Return the letters under their days, lower where they would touch."""
    taken: list[float] = []
    lines = []
    for day, letter in told.marks:
        place = shown.place(day)
        if not 0 <= place < 1:
            continue
        x = float(_x(place))
        row = next((row for row, end in enumerate(taken) if x - end >= 9), len(taken))
        taken[row : row + 1] = [x]
        kind = "bold middle" if letter.isupper() else "middle"
        lines.append(_text(x, y + (row + 1) * 13, letter, kind))
    return y + 13 * len(taken), lines


def _strip(
    shown: Columns, name: str, values: Sequence[float | None], fill: str, y: float
) -> Iterator[str]:
    highest = max((value for value in values if value is not None), default=0.0)
    known = any(value is not None for value in values)
    scale = f"{name}, at most {short(highest)}" if known else f"{name}: not known"
    yield _text(_LEFT, y + 9, scale, "faint")
    yield _rule(_LEFT, y + _STRIP, _RIGHT, y + _STRIP)
    for place, value in enumerate(values):
        left, width = _span(shown, place)
        if value is None:
            yield _rect("unknown", left, y + 12, width, _STRIP - 12)
        elif value > 0:
            height = max(1.0, (_STRIP - 12) * value / highest)
            yield _rect(
                "other" if fill == "other" else "faint", left, y + _STRIP - height, width, height
            )


def _words(told: Story, y: float) -> tuple[float, list[str]]:
    lines = []
    for row in told.rows[:_MOST_ROWS]:
        y += _LINE
        lines.append(_text(16, y, row.letter, "bold"))
        lines.append(_text(34, y, str(row.day), "faint"))
        lines.append(_text(112, y, row.kind))
        beside = f"{row.beside}, {row.carries}" if row.beside else ""
        lines.append(_text(226, y, beside, "faint"))
        for place, line in enumerate(wrap(row.text, 60) or [""]):
            y += _LINE if place else 0
            lines.append(_text(378, y, line))
    if len(told.rows) > _MOST_ROWS:
        y += _LINE
        lines.append(_text(34, y, f"and {len(told.rows) - _MOST_ROWS} more", "faint"))
    y += 4
    for text in (*(f"Also in force: {flag}" for flag in told.flags), *told.notes):
        for line in wrap(text, _LETTERS):
            y += _LINE
            lines.append(_text(16, y, line, "faint"))
    return y, lines


def _span(shown: Columns, place: int) -> tuple[float, float]:
    width = (_RIGHT - _LEFT) / len(shown.columns)
    gap = 1.0 if width > 3 else 0.0
    return _LEFT + place * width, width - gap


def _x(place: float) -> str:
    return f"{_LEFT + place * (_RIGHT - _LEFT):.1f}"


def _rect(kind: str, x: float, y: float, width: float, height: float) -> str:
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'
    )


def _rule(x1: float | str, y1: float, x2: float | str, y2: float) -> str:
    return f'<line class="rule" x1="{x1}" y1="{y1:.1f}" x2="{x2}" y2="{y2:.1f}"/>'


def _text(x: float | str, y: float, text: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y:.1f}"{named}>{escape(text)}</text>'
