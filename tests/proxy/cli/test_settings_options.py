"""Flags that were given, as a line to paste."""

import shlex

import click
import pytest

from indexgate.cli import explain, main, settings_options
from indexgate.config import Given


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({}, ""),
        ({"policy": None, "offline": None}, ""),
        ({"policy": "strict", "upstream_public": "yes"}, "--upstream-public yes --policy strict"),
        ({"policy": "my policy's.toml"}, shlex.join(["--policy", "my policy's.toml"])),
        ({"offline": True}, "--offline"),
        ({"offline": False}, "--no-offline"),
        ({"port": "8503", "state": "s", "host": "127.0.0.1"}, "--state s"),
        (
            {"upstream": "https://me:secret@index.example.test/simple/"},
            "--upstream 'https://***@index.example.test/simple/'",
        ),
    ],
)
def test_flags_are_repeated_for_the_command_that_takes_them(
    given: dict[str, Given], line: str
) -> None:
    assert settings_options.as_flags(given, explain.SETTINGS) == line


def test_the_flags_of_a_run_read_back_as_they_were_given() -> None:
    given: dict[str, Given] = {"policy": "a b.toml", "state": "$HOME/x", "offline": False}
    words = shlex.split(settings_options.as_flags(given, explain.SETTINGS))
    program = click.Context(main.indexgate, **main.indexgate.context_settings)
    context = explain.command.make_context("explain", [*words, "demo"], parent=program)
    assert {name: context.params[name] for name in given} == given
