"""Ways round the gate in PDM's settings and in the sources of a project."""

from collections.abc import Iterator

from indexgate.doctor import toml_lines
from indexgate.doctor.finding import Command, Finding, Place
from indexgate.doctor.machine import Machine
from indexgate.doctor.toml_lines import Keys, TomlFile
from indexgate.doctor.ways import edit_or, export, finding, unread
from indexgate.redact import redact

_SOURCES = ("tool", "pdm", "source")
_DEFAULT = "pypi"
_VARIABLE = "PDM_PYPI_URL"
_IN_WORDS = "write the gate's address there, or take it out"


def find(machine: Machine, project: TomlFile | None, *, present: bool) -> Iterator[Finding]:
    """Yield what leads PDM past the gate; *present* tells whether anybody here uses PDM."""
    files: list[TomlFile] = []
    for path in machine.pdm:
        try:
            found = toml_lines.read(path, machine.read_file)
        except ValueError as why:
            yield unread(path, why)
            continue
        if found is not None:
            files.append(found)
    yield from _default(machine, files, project, present=present)
    for file in files:
        yield from _stored(machine, file)
    if project is not None:
        for keys, table in project.tables(*_SOURCES):
            if isinstance(table.get("url"), str):
                yield from _source(machine, project, keys)
            if table.get("verify_ssl") is False:
                yield from _unchecked(project, (*keys, "verify_ssl"))


def _stored(machine: Machine, file: TomlFile) -> Iterator[Finding]:
    """Yield what the indexes in PDM's own settings lead past the gate."""
    stored = file.get("pypi")
    for name, value in stored.items() if isinstance(stored, dict) else ():
        if isinstance(value, dict) and isinstance(value.get("url"), str):
            yield from _source(machine, file, ("pypi", name))
        if name == "verify_ssl" and value is False:
            yield from _unchecked(file, ("pypi", name))


def _default(
    machine: Machine, files: list[TomlFile], project: TomlFile | None, *, present: bool
) -> Iterator[Finding]:
    """Yield where PDM's default index is not the gate: a source called pypi stands for it."""
    for _, table in project.tables(*_SOURCES) if project is not None else ():
        if table.get("name") == _DEFAULT:
            return  # told as a source, if it is another
    if url := machine.environ.get(_VARIABLE, "").strip():
        if machine.foreign(url):
            cure = export(machine.gate.simple, _VARIABLE)
            what = f"PDM's index is `{redact(url)}`"
            yield finding("pdm-not-pointed", what, Place(variable=_VARIABLE), cure)
        return
    for file in files:
        url = file.get("pypi", "url")
        if isinstance(url, str):
            if machine.foreign(url):
                keys = ("pypi", "url")
                edit = file.replacing(keys, machine.gate.simple)
                what = f"PDM's index is `{redact(url)}`"
                cure_ = edit_or(edit, _IN_WORDS)
                yield finding("pdm-not-pointed", what, file.place(keys), cure_)
            return
    if present:
        yield finding(
            "pdm-not-pointed",
            "PDM is told no index, so it asks the public one",
            Place(),
            Command(words=("pdm", "config", "pypi.url", machine.gate.simple)),
        )


def _source(machine: Machine, file: TomlFile, keys: Keys) -> Iterator[Finding]:
    url = file.get(*keys, "url")
    links = file.get(*keys, "type") == "find_links"
    if not links and not machine.foreign(url):
        return
    what = f"`{redact(url)}` is looked through" if links else f"`{redact(url)}` is asked as well"
    cure = (
        edit_or(file.without_table(keys), "take this source out")
        if links
        else edit_or(file.replacing((*keys, "url"), machine.gate.simple), _IN_WORDS)
    )
    yield finding("pdm-source", what, file.place((*keys, "url")), cure)


def _unchecked(file: TomlFile, keys: Keys) -> Iterator[Finding]:
    cure = edit_or(file.without(keys), "take it out")
    what = "`verify_ssl = false`: it is not checked who answers"
    yield finding("pdm-insecure-host", what, file.place(keys), cure)
