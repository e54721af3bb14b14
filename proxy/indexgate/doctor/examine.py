"""All finders over one machine and one project, the gravest findings first."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from indexgate.doctor import (
    of_dependencies,
    of_environment,
    of_locks,
    of_pdm,
    of_pip,
    of_pipenv,
    of_poetry,
    of_requirements,
    of_uv,
    toml_lines,
)
from indexgate.doctor.finding import SEVERITIES, Finding
from indexgate.doctor.machine import Machine
from indexgate.doctor.toml_lines import TomlFile
from indexgate.doctor.ways import unread
from indexgate.run.project_sources import pipfiles

CLIENTS = ("pip", "uv", "poetry", "pdm", "pipenv")
"""The clients whose settings are looked at."""


def examine(machine: Machine, clients: Iterable[str] = ()) -> tuple[Finding, ...]:
    """Return what leads clients past the gate in this project, the gravest first.

    *clients* are those that are meant, whether they are on this machine or not; with none named,
    those that are, and those that the project is made for.
    """
    return in_order(_found(machine, frozenset(clients)))


def in_order(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return *found*, each once, the gravest first."""

    def key(finding: Finding) -> tuple[int, str, str]:
        return SEVERITIES.index(finding.severity), finding.client, str(finding.place)

    return tuple(sorted(dict.fromkeys(found), key=key))


def _found(machine: Machine, named: frozenset[str]) -> Iterator[Finding]:
    clients = named or frozenset(CLIENTS)
    broken: list[Finding] = []
    project = _project(machine, broken)
    pipfile = _pipfile(machine)
    yield from broken
    uses = _uses(machine, project, named)
    finders: dict[str, Callable[[], Iterator[Finding]]] = {
        "pip": lambda: of_pip.find(machine, present=uses("pip")),
        "uv": lambda: of_uv.find(machine, present=uses("uv")),
        "poetry": lambda: of_poetry.find(machine, project if uses("poetry") else None),
        "pdm": lambda: of_pdm.find(machine, project, present=uses("pdm")),
        "pipenv": lambda: of_pipenv.find(machine),
    }
    for name, find in finders.items():
        if name in clients:
            yield from find()
    if clients & {"pip", "uv"}:
        yield from of_requirements.find(machine, of_pip.named_files(machine))
    if project is not None:
        yield from of_dependencies.of_project(machine, project)
    if pipfile is not None and "pipenv" in clients:
        yield from of_dependencies.of_pipfile(machine, pipfile)
    yield from of_locks.find(machine)
    yield from of_environment.proxies(machine)
    yield from of_environment.logins(machine)


def _uses(
    machine: Machine, project: TomlFile | None, named: frozenset[str]
) -> Callable[[str], bool]:
    """Return what tells whether a client is on this machine, or named, or the project's own.

    Poetry has settings of a project only, so a Poetry without one leads nobody anywhere.
    """
    names = {path.name for path in machine.files_in(machine.folder)}
    marks = {
        "pip": any(True for _ in of_requirements.files(machine)),
        "uv": bool(names & {"uv.lock", "uv.toml"}) or _has(project, "uv"),
        "poetry": bool(names & {"poetry.lock", "poetry.toml"})
        or _has(project, "poetry")
        or _built_by_poetry(project),
        "pdm": bool(names & {"pdm.lock", "pdm.toml"}) or _has(project, "pdm"),
    }

    def uses(client: str) -> bool:
        on_machine = client in machine.programs and client != "poetry"
        return on_machine or client in named or marks[client]

    return uses


def _has(project: TomlFile | None, tool: str) -> bool:
    return project is not None and project.get("tool", tool) is not None


def _built_by_poetry(project: TomlFile | None) -> bool:
    """Tell whether *project* is of the kind that has no table of Poetry's own."""
    backend = project.get("build-system", "build-backend") if project is not None else None
    return isinstance(backend, str) and backend.startswith("poetry.")


def _project(machine: Machine, broken: list[Finding]) -> TomlFile | None:
    """Return the nearest `pyproject.toml` at or above the folder."""
    for place in (machine.folder, *machine.folder.parents):
        path: Path = place / "pyproject.toml"
        try:
            found = toml_lines.read(path, machine.read_file)
        except ValueError as why:
            broken.append(unread(path, why))
            return None
        if found is not None:
            return found
    return None


def _pipfile(machine: Machine) -> TomlFile | None:
    for path in pipfiles(machine.folder, machine.environ):
        try:
            found = toml_lines.read(path, machine.read_file)
        except ValueError:
            return None  # told by the finder of its sources
        if found is not None:
            return found
    return None
