"""The chart in a terminal: readable at any width, without colour and in plain letters."""

import io

import numpy as np
import pytest
from msgspec.structs import replace
from rich.console import Console

from indexgate.charts.story import MOST_TOLD, story
from indexgate.charts.terminal import print_view
from indexgate.charts.view import View
from indexgate_policy.signals import Unknown
from indexgate_policy.timeline.entries import Entry
from tests.policy.timeline.cases import LAST_DAY, STORIES, before_end, event
from tests.proxy.charts.views import view_of


def shown(view: View, width: int = 100, encoding: str = "utf-8", *, terminal: bool = False) -> str:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, newline="")
    print_view(
        view, Console(file=stream, width=width, highlight=False, force_terminal=terminal or None)
    )
    stream.flush()
    return raw.getvalue().decode(encoding)


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.parametrize("width", [60, 79, 100, 137, 200])
@pytest.mark.parametrize("days", [20, 182])
def test_no_line_is_wider_than_the_terminal_and_every_row_of_the_chart_is_there(
    name: str, width: int, days: int
) -> None:
    lines = shown(view_of(name, days=days), width).splitlines()
    assert max(map(len, lines)) <= width
    axis = next(place for place, line in enumerate(lines) if "0 ─" in line)
    assert "downloads a" in lines[axis - 11]
    strips = [line for line in lines if " max " in line]
    assert len(strips) == 2


def test_the_first_lines_say_what_happened_and_why() -> None:
    text = words(shown(view_of("bought")))
    assert text.startswith("tidy-frames, 182 days up to today, 2026-11-22")
    assert "A surge since 2026-10-29 (medium): 442 -> 49,268 downloads a week " in text
    assert "Unexplained, and its owners changed. Known events carry 6 %: release 1.3.1" in text
    assert "No new dependents, no new stars." in text
    assert "Near it: owner `ann` replaced by `bo1987` (10 days before)" in text


def test_what_explains_a_surge_is_named_with_its_share() -> None:
    text = words(shown(view_of("needed")))
    assert "Explained. Known events carry 94 %: `bigframe` began to need it" in text


def test_what_is_in_force_comes_first_and_what_is_over_takes_two_lines() -> None:
    view = view_of("bought")
    [surge] = view.timeline.changes
    over = tuple(
        replace(surge, onset=before_end(150 - 15 * n), severity=None) for n in range(MOST_TOLD + 1)
    )
    text = shown(replace(view, timeline=replace(view.timeline, changes=(*over, surge))), width=120)
    lines = text.splitlines()
    heads = [line[0] for line in lines if "surge" in line]
    assert heads == ["G", "F", "E", "D", "C"]
    assert lines[2].startswith("G  surge since")
    [first] = [place for place, line in enumerate(lines) if line.startswith("F  ")]
    assert "no longer in force" in lines[first]
    assert lines[first + 1].strip() == "Unexplained, and its owners changed"
    assert "Changes told only by their letters, or with --json: 2" in text


def test_days_that_are_not_known_are_no_zeros() -> None:
    lines = shown(view_of("stopped")).splitlines()
    axis = next(place for place, line in enumerate(lines) if "0 ─" in line)
    assert "???" in lines[axis - 1]
    assert lines[axis - 1].rstrip().endswith(("█", "▓", "░", "?"))
    assert "Of 7 days (? or grey) it is not known who installs" in "\n".join(lines)


@pytest.mark.parametrize("name", STORIES)
def test_plain_letters_do_where_there_are_no_others(name: str) -> None:
    text = shown(view_of(name), encoding="ascii")
    assert "## people" in text
    assert text.isascii()


def test_colour_adds_nothing_and_is_left_out_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    plain = shown(view_of("bought"))
    assert "\x1b" not in plain
    assert "\x1b[" in shown(view_of("bought"), terminal=True)
    monkeypatch.setenv("NO_COLOR", "1")
    uncoloured = shown(view_of("bought"), terminal=True)
    assert "\x1b[31" not in uncoloured
    assert "\x1b[36m" not in uncoloured


@pytest.mark.parametrize("width", [60, 120])
def test_every_letter_of_the_chart_is_told_below(width: int) -> None:
    view = view_of("bought")
    told = story(view)
    text = shown(view, width)
    for row in told.rows:
        assert f"\n{row.letter}  {row.day}" in text
        assert words(row.text) in words(text)
    assert {letter for _, letter in told.marks} - {"'"} == {
        *(row.letter for row in told.rows),
        *(one.letter for one in told.told),
    }


def test_letters_on_one_day_stand_below_each_other() -> None:
    view = view_of("bought")
    entries = tuple(
        replace(view.timeline.entries[0], event=event("mention", before_end(90), f"post {n}"))
        for n in range(3)
    )
    lines = shown(replace(view, timeline=replace(view.timeline, entries=entries))).splitlines()
    axis = next(place for place, line in enumerate(lines) if "0 ─" in line)
    columns = {letter: lines[axis + 1 + n].index(letter) for n, letter in enumerate("abc")}
    assert len(set(columns.values())) == 1


def test_text_of_others_moves_no_cursor_and_is_no_markup() -> None:
    view = view_of("bought")
    evil = event("mention", before_end(20), "\x1b[2J[red]boo[/red]\n\x07")
    entries = (*view.timeline.entries, replace(view.timeline.entries[0], event=evil))
    text = shown(replace(view, timeline=replace(view.timeline, entries=entries)))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[red]boo[/red]" in text


def test_without_a_history_there_are_events_and_the_reason() -> None:
    view = view_of("bought")
    text = shown(
        replace(
            view,
            history=Unknown(reason="no download history of it is kept yet"),
            timeline=replace(
                view.timeline,
                changes=(),
                entries=tuple(Entry(event=one.event) for one in view.timeline.entries),
            ),
        )
    )
    assert "No chart, since no download history of it is kept yet" in text
    assert "0 ─" not in text


def test_a_history_of_nothing_known_is_drawn_all_the_same() -> None:
    view = view_of("bought")
    assert not isinstance(view.history, Unknown)
    nothing = np.full_like(view.history.classes, np.nan)
    stars = np.full_like(view.history.stars, np.nan)
    text = shown(replace(view, history=replace(view.history, classes=nothing, stars=stars)))
    assert text.count(" not known\n") == 2


def test_a_day_of_the_past_says_so_and_how_old_its_downloads_are() -> None:
    view = view_of("bought")
    text = shown(replace(view, at=view.at.replace(year=2027)))
    assert "182 days as of the end of 2026-11-22" in text
    assert f"Downloads are known up to {LAST_DAY}, 1 day before 2026-11-22" in text


def test_more_events_than_letters_lose_their_letter_and_not_the_chart() -> None:
    view = view_of("bought")
    entries = tuple(
        replace(view.timeline.entries[0], event=event("mention", before_end(180 - n), f"post {n}"))
        for n in range(40)
    )
    text = shown(replace(view, timeline=replace(view.timeline, entries=entries)))
    assert "\nz  " in text
    assert "post 25" in text
    assert "more events, without a letter" in text
