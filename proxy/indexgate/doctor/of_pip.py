"""Ways round the gate in pip's variables and files, those included that a stronger one hides.

A value of a file counts for one command of pip: its own section wins over `[global]`, a stronger
file over a weaker one, and a variable over all of them.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from indexgate.doctor import ini_lines
from indexgate.doctor.finding import Command, Cure, Edit, Finding, Place, Severity
from indexgate.doctor.ini_lines import Option
from indexgate.doctor.machine import Machine
from indexgate.doctor.ways import export, finding, unread, unset
from indexgate.redact import redact

_COMMANDS = ("install", "download", "wheel", "lock")
_OTHER_NAMES = {"pypi-url": "index-url"}
_OFF = {"", "0", "false", "no", "off", "n", "f"}
_FILES = ("requirement", "constraint", "build-constraint")
_KINDS = {
    "extra-index-url": "pip-extra-index",
    "find-links": "pip-find-links",
    "no-index": "pip-no-index",
    "trusted-host": "pip-trusted-host",
    "proxy": "pip-proxy",
}


class _Value(Struct, frozen=True, kw_only=True):
    """A value of one key: `option` where it stands in a file, else it is in `variable`."""

    key: str
    text: str
    option: Option | None = None
    variable: str | None = None

    @property
    def place(self) -> Place:
        if self.option is None:
            return Place(variable=self.variable)
        return Place(path=self.option.path, line=self.option.first)

    def without(self) -> Cure:
        if self.option is None:
            return unset(self.variable or "")
        return Edit(path=self.option.path, first=self.option.first, last=self.option.last)

    def replaced(self, new: str) -> Cure:
        if self.option is None:
            return export(new, self.variable or "")
        text = f"{self.key} = {new}"
        return Edit(
            path=self.option.path, first=self.option.first, last=self.option.last, text=text
        )


def find(machine: Machine, *, present: bool) -> Iterator[Finding]:
    """Yield what leads pip past the gate; *present* tells whether anybody here uses pip."""
    options: list[Option] = []
    for path in _paths(machine):
        try:
            options.extend(ini_lines.read(path, machine.read_file))
        except ValueError as why:
            yield unread(path, why)
    variables = [
        _Value(key=_key(name.removeprefix("PIP_")), text=text.strip(), variable=name)
        for name, text in sorted(machine.environ.items())
        if name.startswith("PIP_") and text.strip()
    ]
    yield from _index(machine, options, variables, present=present)
    values = [
        *variables,
        *(
            _Value(key=_key(option.key), text=option.value, option=option)
            for option in options
            if option.section in {"global", *_COMMANDS} and option.value
        ),
    ]
    for value in values:
        yield from _besides(machine, value, {each.key: each for each in variables})


def named_files(machine: Machine) -> Iterator[Path]:
    """Yield the requirements files and constraints that pip's settings name."""
    words = [machine.environ.get(f"PIP_{key.upper().replace('-', '_')}", "") for key in _FILES]
    for path in _paths(machine):
        try:
            options = ini_lines.read(path, machine.read_file)
        except ValueError:
            continue  # told by `find`
        words.extend(option.value for option in options if option.key in _FILES)
    yield from (machine.folder / word for text in words for word in text.split())


def _index(
    machine: Machine, options: list[Option], variables: list[_Value], *, present: bool
) -> Iterator[Finding]:
    """Yield the indexes that pip would ask instead of the gate; hidden ones are notes."""
    by_variable = [value for value in variables if value.key == "index-url"]
    in_files = [
        _Value(key="index-url", text=option.value, option=option)
        for option in options
        if _key(option.key) == "index-url"
    ]
    known = {"global", *_COMMANDS}
    values = [value for value in in_files if value.option and value.option.section in known]
    in_force = by_variable[-1:] or [
        value
        for command in _COMMANDS
        for value in _winners([each for each in values if each.option], command)
    ]
    for value in [*by_variable, *values]:
        if not machine.foreign(value.text):
            continue
        severity: Severity = "error" if value in in_force else "note"
        hidden = "" if severity == "error" else ", hidden by a stronger setting"
        yield finding(
            "pip-not-pointed",
            f"pip's index is `{redact(value.text)}`{hidden}",
            value.place,
            value.replaced(machine.gate.simple),
            severity=severity,
        )
    if present and not in_force:
        words = ("pip", "config", "--user", "set", "global.index-url", machine.gate.simple)
        off = machine.environ.get("PIP_CONFIG_FILE") == os.devnull
        cure: Cure = export(machine.gate.simple, "PIP_INDEX_URL")
        yield finding(
            "pip-not-pointed",
            "pip is told no index, so it asks the public one",
            Place(variable="PIP_CONFIG_FILE") if off else Place(),
            cure if off else Command(words=words),
        )


def _winners(values: list[_Value], command: str) -> list[_Value]:
    """Return the value in force for *command*: the last file counts, its own section first."""
    for section in (command, "global"):
        found = [value for value in values if value.option and value.option.section == section]
        if found:
            return found[-1:]
    return []


def _besides(machine: Machine, value: _Value, variables: dict[str, _Value]) -> Iterator[Finding]:
    """Yield what *value* says beside the index; a variable hides the same key of a file."""
    if value.key not in _KINDS:
        return
    kind = _KINDS[value.key]
    hidden = value.option is not None and value.key in variables
    severity: Severity | None = "note" if hidden else None
    after = ", hidden by a variable" if hidden else ""
    shown = f"`{value.key} = {redact(' '.join(value.text.split()))}`"
    match value.key:
        case "extra-index-url":
            words = value.text.split()
            if not any(machine.foreign(word) for word in words):
                return
            what = f"{shown} is asked as well, and pip takes the best of both{after}"
        case "find-links":
            what = f"{shown} is looked through as well{after}"
        case "no-index":
            if value.text.lower() in _OFF:
                return
            what = f"{shown} keeps pip from every index{after}"
        case "trusted-host":
            if machine.gate.host not in value.text and severity is None:
                severity = "note"
            what = f"{shown} is not checked, and what it says is cached{after}"
        case _:
            if not machine.gate.local:
                return
            what = f"{shown} is asked for the gate too, whatever `no_proxy` says{after}"
    yield finding(kind, what, value.place, value.without(), severity=severity)


def _paths(machine: Machine) -> Iterator[Path]:
    """Yield pip's files from the weakest to the strongest, as `PIP_CONFIG_FILE` has them."""
    named = machine.environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return
    own = [machine.folder / named] if named else []
    skip = any(machine.there(path) for path in own)
    user = () if skip else machine.pip.user
    yield from dict.fromkeys((*machine.pip.system, *user, *machine.pip.site, *own))


def _key(name: str) -> str:
    key = name.lower().replace("_", "-")
    return _OTHER_NAMES.get(key, key)
