"""How far a refresh is, on stderr: a moving bar on a terminal, else a line now and then."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

_EVERY = 100
"""Steps between two lines where no bar can move."""


class Shown:
    """Shows progress; *bar* is None where nothing moves. See `web.refreshed.Progress`."""

    def __init__(self, bar: Progress | None) -> None:
        self._bar = bar
        self._task: TaskID | None = None
        self._done = 0
        self._what = ""
        self._total: int | None = None

    def begin(self, what: str, total: int | None) -> None:
        """Say that *what* begins."""
        self._what, self._total, self._done = what, total, 0
        if self._bar is None:
            click.echo(f"{what}: {'' if total is None else total}".rstrip(": "), err=True)
            return
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(what, total=total, last="")

    def step(self, text: str, count: int = 1) -> None:
        """Say that *count* further steps are done."""
        before, self._done = self._done, self._done + count
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, advance=count, last=text)
        elif self._total is not None and before // _EVERY != self._done // _EVERY:
            click.echo(f"{self._what}: {self._done} of {self._total}", err=True)


@contextmanager
def shown() -> Iterator[Shown]:
    """Give what shows progress on stderr until the block ends."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Shown(None)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[last]}"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        yield Shown(bar)
