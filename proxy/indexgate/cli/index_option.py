"""`--index`: which of several indexes a command is about, where it can only be about one."""

from collections.abc import Callable
from typing import Any, TypeVar

import click
from packaging.utils import NormalizedName

from indexgate.errors import GateError
from indexgate.setting_values import nearest
from indexgate.upstream_choice import UpstreamChoice

_Command = TypeVar("_Command", bound=Callable[..., Any])


def index_option(command: _Command) -> _Command:
    """Give *command* the option `--index`, as its argument `of_index`."""
    return click.option(
        "--index",
        "of_index",
        metavar="NAME",
        help="Which of several indexes it is about.  [default: the first public one, or the first]",
    )(command)


def chosen(
    upstream: UpstreamChoice, name: str | None, project: NormalizedName | None = None
) -> UpstreamChoice:
    """Return the index *name*; without one that which *project* belongs to, else the main one.

    Raises GateError `index-unknown`.
    """
    if name is None:
        return _home(upstream, project) or upstream.main
    for index in upstream.all:
        if index.name == name.lower() and name:
            return index
    known = [index.name for index in upstream.all if index.name]
    listed = f"There are {', '.join(f'`{each}`' for each in known)}."
    raise GateError(
        "index-unknown",
        f"there is no index `{ascii(name[:100])[1:-1]}`",
        (nearest(name, known) or listed)
        if known
        else "Only a settings file with `[[index]]` tables gives names to indexes.",
    )


def _home(upstream: UpstreamChoice, project: NormalizedName | None) -> UpstreamChoice | None:
    from indexgate.namespaces import Namespaces

    home = None if project is None else Namespaces.of(upstream).home(project)
    if home is None:
        return None
    return next(index for index in upstream.all if index.index_id == home[1])
