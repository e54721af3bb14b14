"""Locks that name other hosts than the gate's: some installers fetch from there and ask nobody."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from indexgate import public_index
from indexgate.doctor import toml_lines
from indexgate.doctor.finding import Advice, Command, Cure, Finding, Place, Severity
from indexgate.doctor.machine import Machine
from indexgate.doctor.ways import finding
from indexgate.errors import GateError
from indexgate.locks.entry import Format, Lock, Pinned, Unasked
from indexgate.locks.read import by_name, read_lock
from indexgate.redact import redact

_ANEW: dict[str, tuple[str, ...]] = {
    "uv": ("uv", "lock"),
    "poetry": ("poetry", "lock", "--regenerate"),
    "pdm": ("pdm", "lock", "-S", "no_static_urls"),
    "pipenv": ("pipenv", "lock"),
}
_CLIENTS: dict[str, str] = {"uv": "uv", "poetry": "Poetry", "pdm": "PDM", "pipenv": "pipenv"}
_DEFAULT_ROOT = "http://127.0.0.1:8503/"


class _Host(Struct):
    """A host that a lock names: where first, how often, and by which index."""

    line: int
    count: int
    index: str | None


def find(machine: Machine) -> Iterator[Finding]:
    """Yield what the locks in the project's folder lead past the gate."""
    for path in machine.files_in(machine.folder):
        if by_name(path.name) in {None, "cyclonedx"}:
            continue
        try:
            lock = read_lock(machine.read_file(path), path.name)
        except (OSError, GateError) as error:
            why = error.message if isinstance(error, GateError) else str(error.strerror)
            cure = Advice(text="make the lock anew with the tool that wrote it")
            yield finding("lock-unread", why, Place(path=path), cure)
            continue
        yield from _of_lock(machine, path, lock)


def _of_lock(machine: Machine, path: Path, lock: Lock) -> Iterator[Finding]:
    client = _CLIENTS.get(lock.format, "pip, uv")
    for host, seen in _hosts(machine, lock).items():
        entries = "entry" if seen.count == 1 else "entries"
        yield finding(
            "lock-other-host",
            f"{seen.count} {entries} of `{path.name}` name `{redact(host)}`{_when(lock.format)}",
            Place(path=path, line=seen.line),
            _cure(machine, path, lock.format, seen.index),
            severity=_severity(machine, lock.format),
            client=client,
        )
    for entry in lock.entries:
        if isinstance(entry, Unasked) and not entry.harmless and "machine" not in entry.reason:
            if "pin" in entry.reason or _is_gates(machine, entry.text):
                continue
            yield finding(
                "lock-address",
                f"`{entry.text}`: {entry.reason}",
                Place(path=path, line=entry.line),
                _anew(lock.format),
                client=client,
            )
    if lock.format == "pdm":
        yield from _static(machine, path)


def _hosts(machine: Machine, lock: Lock) -> dict[str, _Host]:
    """Return the hosts of indexes and files in *lock* that are not the gate's."""
    found: dict[str, _Host] = {}
    for entry in lock.entries:
        if not isinstance(entry, Pinned):
            continue
        urls = [(file.url, file.line) for file in entry.files if file.url and "://" in file.url]
        if not urls and entry.index is not None:
            urls = [(entry.index, entry.line)]
        if lock.format == "pipenv" and _stood_for(machine, entry.index):
            continue
        for host, line in {
            _server(url): line for url, line in urls if machine.foreign(url)
        }.items():
            seen = found.setdefault(host, _Host(line=line, count=0, index=entry.index))
            seen.count += 1
    return found


def _server(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/"


def _stood_for(machine: Machine, index: str | None) -> bool:
    """Tell whether pipenv's mirror variable puts the gate in the place of *index*."""
    mirror = machine.environ.get("PIPENV_PYPI_MIRROR", "")
    public = index is not None and index.rstrip("/") == public_index.address().rstrip("/")
    return public and bool(mirror) and not machine.foreign(mirror)


def _severity(machine: Machine, format_: Format) -> Severity:
    """Return how grave another host is: uv resolves such a lock anew, unless it is frozen."""
    return "warning" if format_ == "uv" and not machine.environ.get("UV_FROZEN") else "error"


def _when(format_: Format) -> str:
    return ", where `uv sync --frozen` fetches them" if format_ == "uv" else ""


def _cure(machine: Machine, path: Path, format_: Format, index: str | None) -> Cure:
    """Return the rewrite where the lock is upstream's, else the command that makes it anew."""
    ours = {url.rstrip("/") for url in machine.gate.upstreams}
    told = index.rstrip("/") if index is not None else None
    if format_ in {"uv", "pylock"} and (told in ours or (told is None and format_ == "pylock")):
        gate = () if machine.gate.roots[0] == _DEFAULT_ROOT else ("--gate", machine.gate.roots[0])
        words = ("indexgate", "lock", "rewrite", "--to", "gate", *gate, path.name)
        return Command(words=words, folder=path.parent)
    return _anew(format_)


def _anew(format_: Format) -> Cure:
    words = _ANEW.get(format_)
    if words is None:
        return Advice(text="make it anew through the gate: `pip lock` or `uv export`")
    return Command(words=words)


def _is_gates(machine: Machine, text: str) -> bool:
    """Tell whether the address that an entry shows in brackets is the gate's."""
    return machine.gate.owns(text.rpartition("(")[2].rstrip(")"))


def _static(machine: Machine, path: Path) -> Iterator[Finding]:
    """Yield that PDM's lock keeps the addresses of its files."""
    try:
        file = toml_lines.read(path, machine.read_file)
    except ValueError:
        return
    keys = ("metadata", "strategy")
    if file is not None and "static_urls" in [text for _, text in file.texts(*keys)]:
        what = "`static_urls`: PDM fetches the addresses in the lock and asks no index"
        place = Place(path=path, line=file.place(keys).line)
        yield finding("pdm-static-urls", what, place, Command(words=_ANEW["pdm"]))
