"""Dependencies of a project that come from an address, a repository or a path, past any index."""

from collections.abc import Iterator, Mapping
from typing import Any

from indexgate.doctor import by_name
from indexgate.doctor.finding import Advice, Cure, Finding, Severity
from indexgate.doctor.machine import Machine, local_path
from indexgate.doctor.toml_lines import Keys, TomlFile
from indexgate.doctor.ways import edit_or, finding
from indexgate.errors import GateError
from indexgate.redact import redact
from indexgate.requirements.entries import Elsewhere, read_line

_LISTS: tuple[Keys, ...] = (
    ("project", "dependencies"),
    ("project", "optional-dependencies", "*"),
    ("dependency-groups", "*"),
    ("build-system", "requires"),
    ("tool", "uv", "dev-dependencies"),
    ("tool", "uv", "override-dependencies"),
    ("tool", "uv", "constraint-dependencies"),
    ("tool", "uv", "build-constraint-dependencies"),
    ("tool", "pdm", "dev-dependencies", "*"),
    ("tool", "hatch", "envs", "*", "dependencies"),
    ("tool", "hatch", "envs", "*", "extra-dependencies"),
)
_POETRY: tuple[Keys, ...] = (
    ("tool", "poetry", "dependencies"),
    ("tool", "poetry", "dev-dependencies"),
    ("tool", "poetry", "group", "*", "dependencies"),
)
_REMOTE = ("git", "hg", "svn", "url", "file")
_NO_PACKAGES = {"source", "requires", "scripts", "pipenv", "pipfile"}
_TAKE_OUT = "ask for it by name and version instead"


def of_project(machine: Machine, file: TomlFile) -> Iterator[Finding]:
    """Yield the dependencies of the `pyproject.toml` *file* that ask no index."""
    for pattern in _LISTS:
        for place in _each(file, pattern):
            for keys, text in file.texts(*place):
                yield from _of_text(file, keys, text)
    sources = file.get("tool", "uv", "sources")
    for name, source in sources.items() if isinstance(sources, dict) else ():
        keys = ("tool", "uv", "sources", name)
        for table in source if isinstance(source, list) else [source]:
            if isinstance(table, dict):
                cure = edit_or(file.without_table(keys), _TAKE_OUT)
                yield from _of_table(machine, file, keys, table, cure=cure, kind="uv-source")
    for pattern in _POETRY:
        for place in _each(file, pattern):
            yield from _of_tables(machine, file, place)


def of_pipfile(machine: Machine, file: TomlFile) -> Iterator[Finding]:
    """Yield the packages of the Pipfile *file* that ask no index."""
    for category in file.data:
        if category not in _NO_PACKAGES:
            yield from _of_tables(machine, file, (category,))


def _of_text(file: TomlFile, keys: Keys, text: str) -> Iterator[Finding]:
    try:
        entry = read_line(text.strip(), str(file.path.name))
    except GateError:
        return  # whoever reads the project will say so
    if not isinstance(entry, Elsewhere):
        return
    if not by_name.is_remote(text.removeprefix("-e ").strip()):
        yield _on_this_machine(file, keys, entry.text, archive=by_name.is_file(entry))
        return
    named = by_name.by_name(text)
    edit = file.replacing(keys, named) if named else file.without(keys)
    what = f"`{entry.text}` asks no index"
    yield finding("direct-address", what, file.place(keys), edit_or(edit, _TAKE_OUT))


def _of_tables(machine: Machine, file: TomlFile, keys: Keys) -> Iterator[Finding]:
    """Yield the dependencies of the table at *keys* that ask no index, each written as a table."""
    packages = file.get(*keys)
    for name, package in packages.items() if isinstance(packages, dict) else ():
        for table in package if isinstance(package, list) else [package]:
            if not isinstance(table, dict):
                continue
            url = next((str(table[key]) for key in _REMOTE if key in table), "")
            version = by_name.version_in(url)
            wanted = f'"=={version}"' if version else '"*"'
            edit = file.saying((*keys, name), f"{name} = {wanted}")
            whole = isinstance(package, dict) and edit is not None
            cure = edit_or(edit if whole else None, _TAKE_OUT)
            yield from _of_table(machine, file, (*keys, name), table, cure=cure)


def _of_table(
    machine: Machine,
    file: TomlFile,
    keys: Keys,
    table: Mapping[str, Any],
    *,
    cure: Cure,
    kind: str = "direct-address",
) -> Iterator[Finding]:
    name = keys[-1]
    for key in _REMOTE:
        url = table.get(key)
        if not isinstance(url, str):
            continue
        if local_path(url) is not None and key != "git":
            yield _on_this_machine(file, keys, f"{name} = {url}", archive=True)
        elif not machine.gate.owns(url):
            what = f"`{name}` is taken from `{redact(url)}`"
            yield finding(kind, what, file.place(keys), cure)
    if isinstance(table.get("path"), str):
        yield _on_this_machine(file, keys, f"{name} = {table['path']}", archive=False)


def _on_this_machine(file: TomlFile, keys: Keys, text: str, *, archive: bool) -> Finding:
    cure = Advice(text="nothing, if it is your own; the gate does not see it")
    what = f"`{redact(text)}` is a {'file' if archive else 'path'} on this machine"
    severity: Severity | None = "warning" if archive else None
    return finding("direct-path", what, file.place(keys), cure, severity=severity)


def _each(file: TomlFile, pattern: Keys) -> Iterator[Keys]:
    """Yield the keys that *pattern* stands for; a star is any name of a table."""
    if "*" not in pattern:
        yield pattern
        return
    star = pattern.index("*")
    names = file.get(*pattern[:star])
    for name in names if isinstance(names, dict) else ():
        yield from _each(file, (*pattern[:star], name, *pattern[star + 1 :]))
