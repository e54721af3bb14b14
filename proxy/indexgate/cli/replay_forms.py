"""A replay as tables for people and as JSON for programs."""

from collections.abc import Sequence

import msgspec
from rich.console import Console
from rich.table import Table

from indexgate.cli.terminal_text import safe
from indexgate.replay.exposure import KEPT_OUT, Cover, Exposure, Kept
from indexgate.replay.replayed import Named, Replayed
from indexgate_policy.rules.figures import Gained, RuleFigures, Share

_HOURS = 24
_LONG = 2.0  # days from which hours do not matter


def as_json(found: Replayed | Exposure) -> str:
    """Return *found* as one JSON object."""
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode()


def print_replayed(replayed: Replayed, console: Console | None = None) -> None:
    """Print *replayed* on stdout unless *console* says otherwise."""
    console = console or Console(highlight=False)
    _line(
        console,
        f"{replayed.of_what}, {replayed.since:%Y-%m-%d} to {replayed.until:%Y-%m-%d}:"
        f" {replayed.asks:,} asks for {replayed.files:,} files of {replayed.projects:,} projects",
    )
    if not replayed.asks:
        _notes(console, replayed.notes)
        return
    _line(console, f"draft: {replayed.draft.policy}; in force: {replayed.in_force.policy}")
    console.print(_both(replayed))
    for named, role in ((replayed.draft, "the draft"), (replayed.in_force, "the policy in force")):
        spoke = [rule for rule in named.figures.rules if rule.refused or rule.warned]
        _line(console, f"\nthe rules of {role}{'' if spoke else ': none refused or warned'}")
        if spoke:
            console.print(_rules(spoke))
        blind = [rule.rule for rule in named.figures.rules if rule.not_judged and rule not in spoke]
        if blind:
            _line(console, f"for want of facts nobody can tell what {_all(blind)} would have said")
    if replayed.differing:
        _line(
            console,
            f"\nasks that one of the two refuses and the other does not:"
            f" {min(len(replayed.differences), replayed.differing)} of"
            f" {replayed.differing} projects",
        )
        console.print(_differences(replayed))
    _line(console, "of shares, 95 % intervals; bad and good as of today, as far as the gate knows")
    _notes(console, replayed.notes)


def print_exposure(exposure: Exposure, console: Console | None = None) -> None:
    """Print *exposure* on stdout unless *console* says otherwise."""
    console = console or Console(highlight=False)
    table = Table()
    for heading in ("incident", "project", "up for", exposure.draft_policy):
        table.add_column(safe(heading), overflow="fold")
    table.add_column(safe(exposure.in_force_policy), overflow="fold")
    for row in exposure.incidents:
        table.add_row(
            safe(row.id),
            safe(f"{row.project} {row.version}"),
            _span(row.days_up),
            safe(_covers(row.draft, row.draft_watched, row.days_up)),
            safe(_covers(row.in_force, row.in_force_watched, row.days_up)),
        )
    console.print(table)
    for policy, plain, watched in (
        (exposure.draft_policy, exposure.draft, exposure.draft_watched),
        (exposure.in_force_policy, exposure.in_force, exposure.in_force_watched),
    ):
        _line(console, f"{policy}: {_kept(plain)}")
        if watched != plain:
            _line(console, f"{policy}, if the project was watched: {_kept(watched)}")


def _both(replayed: Replayed) -> Table:
    table = Table()
    for heading in ("", "draft", "in force"):
        table.add_column(heading, justify="right" if heading else "left")
    rows = [_totals(replayed.draft), _totals(replayed.in_force)]
    for (heading, draft), (_, in_force) in zip(*rows, strict=True):
        table.add_row(heading, draft, in_force)
    return table


def _totals(named: Named) -> list[tuple[str, str]]:
    figures = named.figures
    least = "at least " if figures.not_judged else ""
    return [
        ("asks refused", f"{figures.refused:,}"),
        ("pass with a warning", f"{figures.warned:,}"),
        ("pass", f"{figures.passed:,}"),
        ("not judged", f"{figures.not_judged:,}"),
        ("bad files kept out", least + _share(figures.caught_files)),
        ("days before known", _gained(figures.gained)),
        ("good files lost", least + _share(figures.lost_files)),
    ]


def _rules(rules: Sequence[RuleFigures]) -> Table:
    table = Table()
    table.add_column("rule", overflow="fold")
    for heading in ("refused", "bad today", "days gained", "fine today", "warned", "not judged"):
        table.add_column(heading, justify="right")
    for rule in rules:
        table.add_row(
            safe(rule.rule),
            _asks_and_files(rule.refused, rule.files),
            _files(rule.bad) if rule.bad else "0",
            _gained(rule.gained),
            _asks_and_files(rule.lost, rule.lost_files),
            f"{rule.warned:,}",
            f"{rule.not_judged:,}",
        )
    return table


def _all(names: Sequence[str]) -> str:
    *others, last = [f"`{name}`" for name in names]
    return f"{', '.join(others)} and {last}" if others else last


def _asks_and_files(asks: int, files: int) -> str:
    return f"{asks:,} ({_files(files)})" if asks else "0"


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count:,} files"


def _differences(replayed: Replayed) -> Table:
    table = Table()
    table.add_column("project", overflow="fold")
    for heading in ("only the draft", "only in force"):
        table.add_column(heading, justify="right")
    table.add_column("by the rule", overflow="fold")
    for row in replayed.differences:
        table.add_row(
            safe(row.project + (" (bad today)" if row.bad else "")),
            f"{row.draft_only:,}",
            f"{row.in_force_only:,}",
            safe(", ".join(row.rules)),
        )
    return table


def _notes(console: Console, notes: Sequence[str]) -> None:
    for note in notes:
        _line(console, f"note: {note}")


def _line(console: Console, text: str) -> None:
    console.print(safe(text), soft_wrap=True)


def _share(share: Share) -> str:
    if not share.of:
        return "none"
    interval = f"{100 * share.low:.1f}-{100 * share.high:.1f} %"
    return f"{share.found:,} of {share.of:,} ({interval})"


def _gained(gained: Gained) -> str:
    told = []
    if gained.files:
        span = f"{gained.least:.1f} to {gained.most:.1f}"
        days = span if gained.files > 1 else f"{gained.middle:.1f}"
        middle = f", middle {gained.middle:.1f}" if gained.files > 1 else ""
        told.append(f"{days}{middle}")
    if gained.later:
        told.append(f"{gained.later} after")
    if gained.undated:
        told.append(f"{gained.undated} undated")
    return "; ".join(told) or "-"


def _covers(plain: Cover, watched: Cover, days_up: float) -> str:
    told = _cover(plain, days_up)
    return told if watched == plain else f"{told}; if watched: {_cover(watched, days_up)}"


def _cover(cover: Cover, days_up: float) -> str:
    """Say for how long it was kept out, and by what."""
    told = "passes"
    if cover.rules:
        whole = cover.share >= KEPT_OUT
        length = "all the time" if whole else f"{_span(cover.gained)} of {_span(days_up)}"
        told = f"{length} ({', '.join(cover.rules)})"
    return told + (f"; {cover.not_judged:.0%} not judged" if cover.not_judged else "")


def _kept(kept: Kept) -> str:
    told = f"{_share(kept.out)} kept out until removed, {kept.late} for a part of the time"
    if kept.benign.of:
        told += f"; benign refused at some time: {_share(kept.benign)}"
    return told


def _span(days: float) -> str:
    if days * _HOURS < 1:
        return "a day at most"  # tables often tell days only
    return f"{days * _HOURS:.0f} h" if days < _LONG else f"{days:.0f} d"
