"""Ways round the gate in a project of Poetry: its sources, and the public index behind them."""

from collections.abc import Iterator, Mapping
from typing import Any

from indexgate.doctor import toml_lines
from indexgate.doctor.finding import Command, Cure, Edit, Finding, Place
from indexgate.doctor.machine import Machine
from indexgate.doctor.toml_lines import TomlFile
from indexgate.doctor.ways import edit_or, export, finding, unread
from indexgate.redact import redact
from indexgate.run.poetry import PLUGIN

_LATE = {"supplemental", "secondary", "explicit"}
_SOURCES = ("tool", "poetry", "source")
_MIRROR = "POETRY_PYPI_MIRROR_URL"
_IN_WORDS = "write the gate's address there, or take the source out"
_PUBLIC = "pypi"


def find(machine: Machine, project: TomlFile | None) -> Iterator[Finding]:
    """Yield what leads Poetry past the gate in *project*, which is Poetry's own or None."""
    mirror, broken = _mirror(machine)
    yield from broken
    led = mirror is not None and not machine.foreign(mirror) and machine.mirror_plugin
    pointed = led
    if project is not None:
        for keys, table in project.tables(*_SOURCES):
            url = table.get("url")
            priority = str(table.get("priority", "primary")).lower()
            if isinstance(url, str) and not machine.foreign(url):
                pointed = pointed or priority not in _LATE
            elif isinstance(url, str):
                order = "only after others" if priority in _LATE else "as one of the first"
                yield finding(
                    "poetry-source",
                    f"`{redact(url)}` is asked {order} (`{priority}`)",
                    project.place((*keys, "url")),
                    edit_or(project.replacing((*keys, "url"), machine.gate.simple), _IN_WORDS),
                )
            elif str(table.get("name", "")).lower() == _PUBLIC and not led:
                yield finding(
                    "poetry-source",
                    f"the public index is a source of the project (`{priority}`)",
                    project.place((*keys, "name")),
                    _named_gate(machine, project, (*keys, "name")),
                )
    if project is None or pointed:
        return
    if mirror is not None and not machine.foreign(mirror):
        yield finding(
            "poetry-plugin",
            f"the gate is given as mirror, but Poetry lacks `{PLUGIN}`",
            Place(variable=_MIRROR) if _MIRROR in machine.environ else Place(),
            Command(words=("poetry", "self", "add", PLUGIN)),
        )
        return
    yield from _not_pointed(machine, project)


def _not_pointed(machine: Machine, project: TomlFile) -> Iterator[Finding]:
    """Yield that no first source of *project* is the gate; one that is another is told as such."""
    for keys, table in project.tables(*_SOURCES):
        url = table.get("url")
        if isinstance(url, str) and not machine.foreign(url) and "priority" in table:
            yield finding(
                "poetry-not-pointed",
                f"the gate is a `{table['priority']}` source, so the public index comes before it",
                project.place((*keys, "priority")),
                edit_or(
                    project.replacing((*keys, "priority"), "primary"),
                    'write `priority = "primary"` there',
                ),
            )
            return
    if not any(_is_first(table) for _, table in project.tables(*_SOURCES)):
        yield finding(
            "poetry-not-pointed",
            "no source of the project is the gate, so Poetry asks the public index",
            Place(path=project.path),
            _added(machine, project),
        )


def _is_first(source: Mapping[str, Any]) -> bool:
    """Tell whether *source* takes the place of the public index."""
    late = str(source.get("priority", "primary")).lower() in _LATE
    return isinstance(source.get("url"), str) and not late


def _added(machine: Machine, project: TomlFile) -> Edit:
    """Return the table that makes the gate a source of *project*, put at its end."""
    lines = project.text.splitlines()
    names = {table.get("name") for _, table in project.tables(*_SOURCES)}
    name = "indexgate" if "gate" in names else "gate"
    head = f'[[tool.poetry.source]]\nname = "{name}"\n'
    text = f'{head}url = "{machine.gate.simple}"\npriority = "primary"'
    return Edit(path=project.path, first=len(lines) + 1, last=len(lines), text=text)


def _named_gate(machine: Machine, project: TomlFile, keys: tuple[str | int, ...]) -> Cure:
    """Return the line that makes a source without an address another name of the gate."""
    text = f'name = "gate-for-pypi"\nurl = "{machine.gate.simple}"'
    return edit_or(project.saying(keys, text), _IN_WORDS)


def _mirror(machine: Machine) -> tuple[str | None, list[Finding]]:
    """Return the mirror that the plugin would read, and what of it leads elsewhere."""
    found: list[Finding] = []
    mirror = machine.environ.get(_MIRROR)
    if mirror is not None and machine.foreign(mirror):
        cure = export(machine.gate.simple, _MIRROR)
        what = f"Poetry's mirror is `{redact(mirror)}`"
        found.append(finding("poetry-source", what, Place(variable=_MIRROR), cure))
    for path in machine.poetry:
        try:
            file = toml_lines.read(path, machine.read_file)
        except ValueError as why:
            found.append(unread(path, why))
            continue
        keys = ("plugins", "pypi_mirror", "url")
        url = file.get(*keys) if file is not None else None
        if file is None or not isinstance(url, str):
            continue
        if machine.foreign(url):
            what = f"Poetry's mirror is `{redact(url)}`"
            cure_ = edit_or(file.replacing(keys, machine.gate.simple), _IN_WORDS)
            found.append(finding("poetry-source", what, file.place(keys), cure_))
        mirror = mirror or url
    return mirror, found
