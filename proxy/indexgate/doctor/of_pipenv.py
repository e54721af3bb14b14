"""Ways round the gate in a Pipfile: its sources, unless the mirror variable stands for them."""

from collections.abc import Iterator

from indexgate import public_index, web_address
from indexgate.doctor import toml_lines
from indexgate.doctor.finding import Finding, Place, Severity
from indexgate.doctor.machine import Machine
from indexgate.doctor.toml_lines import TomlFile
from indexgate.doctor.ways import edit_or, export, finding, unread
from indexgate.redact import redact
from indexgate.run.project_sources import pipfiles

_MIRROR = "PIPENV_PYPI_MIRROR"


def find(machine: Machine) -> Iterator[Finding]:
    """Yield what leads pipenv past the gate."""
    mirror = machine.environ.get(_MIRROR, "").strip()
    file = None
    for path in pipfiles(machine.folder, machine.environ):
        try:
            file = toml_lines.read(path, machine.read_file)
        except ValueError as why:
            yield unread(path, why)
        if file is not None:
            yield from _sources(machine, file, mirror)
            break
    if mirror and machine.foreign(mirror):
        severity: Severity = "error" if file is not None else "note"
        cure = export(machine.gate.simple, _MIRROR)
        what = f"pipenv's mirror is `{redact(mirror)}`"
        yield finding("pipenv-source", what, Place(variable=_MIRROR), cure, severity=severity)


def _sources(machine: Machine, file: TomlFile, mirror: str) -> Iterator[Finding]:
    led = bool(mirror) and not machine.foreign(mirror)
    sources = list(file.tables("source"))
    for keys, table in sources:
        url = table.get("url")
        if table.get("verify_ssl") is False and not (
            isinstance(url, str) and machine.filled(url).startswith("http://")
        ):
            where = (*keys, "verify_ssl")
            what = "`verify_ssl = false`: it is not checked who answers"
            cure = edit_or(file.saying(where, "verify_ssl = true"), "write `verify_ssl = true`")
            yield finding("pipenv-insecure-host", what, file.place(where), cure)
        if not isinstance(url, str) or not machine.foreign(url):
            continue
        if led and _is_public(machine.filled(url)):
            continue
        where = (*keys, "url")
        edit = file.replacing(where, machine.gate.simple)
        what = f"`{redact(url)}` is a source of the Pipfile"
        words = "write the gate's address there"
        yield finding("pipenv-source", what, file.place(where), edit_or(edit, words))
    if not sources and not led:
        yield finding(
            "pipenv-source",
            "the Pipfile names no source, so pipenv asks the public index",
            Place(path=file.path),
            export(machine.gate.simple, _MIRROR),
        )


def _is_public(url: str) -> bool:
    try:
        return web_address.parse(url).url == web_address.parse(public_index.address()).url
    except ValueError:
        return False
