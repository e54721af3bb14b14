"""The table of settings as options of a command, and the way from them to settings and upstream."""

import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from indexgate import config, pip_settings, public_index, state_folder, upstream_choice
from indexgate.config import Given, Settings
from indexgate.redact import redact
from indexgate.settings_table import BY_NAME, Setting
from indexgate.upstream_choice import UpstreamChoice
from indexgate.web_address import Credentials

_Command = TypeVar("_Command", bound=Callable[..., Any])


def settings_options(names: Iterable[str]) -> Callable[[_Command], _Command]:
    """Return a decorator that gives a command the flags of the settings *names*, secrets left out.

    Their values are handed on as text: `config.load` reads them as it reads variables and the file,
    so that one mistake has one wording.
    """

    def decorate(command: _Command) -> _Command:
        for name in reversed([name for name in names if not BY_NAME[name].secret]):
            command = _option(BY_NAME[name])(command)
        return command

    return decorate


def settings(given: Mapping[str, Given]) -> Settings:
    """Return the settings in force for this process. Raises GateError."""
    return config.load(
        given, os.environ, config.read_bounded, default_state=state_folder.default_path()
    )


def as_flags(given: Mapping[str, Given], names: Iterable[str]) -> str:
    """Return those flags of the settings *names* that were *given*, to be pasted into a shell.

    Passwords in addresses are left out.
    """
    words = (word for name in names for word in _flag(BY_NAME[name], given.get(name)))
    return shlex.join(redact(word) for word in words)


def upstream(settings: Settings) -> UpstreamChoice:
    """Return the upstream for *settings* on this machine. Raises GateError."""
    netrc = pip_settings.netrc_path(os.environ, Path.home())

    def login(host: str) -> Credentials | None:
        return pip_settings.netrc_login(host, netrc)

    return upstream_choice.choose(
        settings,
        kept=state_folder.kept_upstream(settings.state),
        pip=pip_settings.read(os.environ, pip_settings.places(), config.read_bounded),
        login=login,
        public_index=public_index.address(),
    )


def _flag(setting: Setting, value: Given) -> Iterator[str]:
    if isinstance(value, bool):
        yield setting.flag if value else f"--no-{setting.flag.removeprefix('--')}"
    elif value is not None:
        for text in (value,) if isinstance(value, str) else value:
            yield from (setting.flag, text)


def _option(setting: Setting) -> Callable[[_Command], _Command]:
    words = setting.help.replace("`", "")
    shown = setting.default_shown or setting.default or ""
    if setting.kind.metavar == "YES|NO":
        return click.option(
            f"{setting.flag}/--no-{setting.flag.removeprefix('--')}",
            setting.name,
            default=None,
            help=words,
        )
    metavar = "FILE|NAME" if setting.name == "policy" else setting.kind.metavar
    return click.option(
        setting.flag,
        setting.name,
        metavar=f"[{metavar}]" if "|" in metavar else metavar,
        multiple=setting.many,
        default=None,
        help=f"{words}  [default: {shown.replace('`', '')}]",
    )
