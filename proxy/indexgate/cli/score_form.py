"""A health score as a table: where its points come from, and what is not known."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from rich.console import Group
from rich.table import Table
from rich.text import Text

from indexgate.cli.reasons import by_reason
from indexgate.cli.terminal_text import safe
from indexgate_policy.health.result import HealthScore, Line
from indexgate_policy.signals import Unknown

_CELLS = 10  # width of a bar


def score_form(score: HealthScore | Unknown) -> Group | Text:
    """Return *score* with one row a dimension; inputs that are not known stand below, once."""
    if isinstance(score, Unknown):
        return safe(f"\nHealth: not known ({score.reason})")
    table = Table(expand=False)
    table.add_column("part")
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("because", overflow="fold")
    for dimension, grouped in groupby(score.lines, key=lambda line: line.dimension):
        lines = tuple(grouped)
        points, most = sum(line.points for line in lines), sum(line.most for line in lines)
        table.add_row(
            safe(dimension),
            f"{points:.1f} of {most:.0f}",
            _bar(points, most),
            safe("; ".join(line.evidence for line in lines if line.known) or "nothing known"),
        )
    for cap in score.caps:
        table.add_row("cap", f"at most {cap.limit:.0f}", "", safe(cap.reason))
    # Not the table's own title, which would be wrapped to the width of the table.
    return Group(Text(f"\n{_title(score)}", style="bold"), table, *_not_known(score.lines))


def _title(score: HealthScore) -> str:
    from_points = f" ({score.uncapped:.0f} before caps)" if score.caps else ""
    return (
        f"Health {score.value:.0f} of 100, grade {score.grade}{from_points}; "
        f"{score.confidence:.0%} of what it rests on is known and fresh ({score.formula})"
    )


def _not_known(lines: Iterable[Line]) -> Iterator[Text]:
    """Say for each reason which inputs it keeps unknown: one source mostly answers for many."""
    pairs = ((line.evidence, line.input) for line in lines if not line.known)
    grouped = tuple(by_reason(pairs))
    if grouped:
        yield Text("Not known, so neither good nor bad:")
    for reason, inputs in grouped:
        yield safe(f"  {inputs.replace('_', ' ')}: {reason}")


def _bar(points: float, most: float) -> Text:
    filled = round(_CELLS * points / most) if most else 0
    return Text("━" * filled, style="green") + Text("╌" * (_CELLS - filled), style="dim")
