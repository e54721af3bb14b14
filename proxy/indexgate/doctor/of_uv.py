"""Ways round the gate in uv's variables and settings files.

uv asks every other index before the default one, so each of them counts. Of the project's folder
and those above it the first settings count, then the user's, then the machine's.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from indexgate.doctor import toml_lines
from indexgate.doctor.finding import Cure, Edit, Finding, Place, Severity
from indexgate.doctor.machine import Machine
from indexgate.doctor.toml_lines import Keys, TomlFile
from indexgate.doctor.ways import edit_or, export, finding, unread, unset
from indexgate.redact import redact

_DEFAULTS = ("UV_DEFAULT_INDEX", "UV_INDEX_URL")
_UNSAFE = ("unsafe-first-match", "unsafe-best-match")
_IN_WORDS = "write the gate's address there, or take it out"


def find(machine: Machine, *, present: bool) -> Iterator[Finding]:
    """Yield what leads uv past the gate; *present* tells whether anybody here uses uv."""
    files: list[tuple[TomlFile, Keys]] = []
    broken: list[Finding] = []
    for path, keys in _paths(machine):
        try:
            found = toml_lines.read(path, machine.read_file)
        except ValueError as why:
            broken.append(unread(path, why))
            continue
        if found is not None:
            files.append((found, keys))
    yield from broken
    yield from _default(machine, files, present=present)
    yield from _variables(machine)
    renamed = _renamed(machine)
    for file, keys in files:
        yield from _indexes(machine, file, keys, renamed)
        for inner in (keys, (*keys, "pip")):
            yield from _besides(machine, file, inner)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Default:
    """A default index that uv is told; `alone` where it holds for `uv pip` alone."""

    url: str = field(repr=False)
    place: Place
    cure: Cure
    alone: bool = False


def _default(
    machine: Machine, files: list[tuple[TomlFile, Keys]], *, present: bool
) -> Iterator[Finding]:
    """Yield the default indexes that are not the gate; what a stronger one hides is a note."""
    address = machine.gate.simple.rstrip("/")
    settled = False
    for told in _defaults(machine, files, address):
        hidden = settled and not told.alone
        settled = settled or not told.alone
        if machine.foreign(told.url):
            after = ", hidden by a stronger setting" if hidden else ""
            yield finding(
                "uv-not-pointed",
                f"uv's default index is `{redact(told.url)}`{after}",
                told.place,
                told.cure,
                severity="note" if hidden else "error",
            )
    if present and not settled:
        yield finding(
            "uv-not-pointed",
            "uv is told no default index, so it asks the public one",
            Place(),
            _made_default(machine, address),
        )


def _defaults(
    machine: Machine, files: list[tuple[TomlFile, Keys]], address: str
) -> Iterator[_Default]:
    """Yield the default indexes that uv is told, the strongest first."""

    def of_variable(name: str) -> Iterator[_Default]:
        if url := machine.environ.get(name, "").strip():
            place = Place(variable=name)
            yield _Default(url=_bare(url), place=place, cure=export(address, name))

    def of_key(file: TomlFile, keys: Keys, *, alone: bool = False) -> Iterator[_Default]:
        url = file.get(*keys)
        if isinstance(url, str):
            cure = edit_or(file.replacing(keys, address), _IN_WORDS)
            yield _Default(url=url, place=file.place(keys), cure=cure, alone=alone)

    yield from of_variable(_DEFAULTS[0])
    for file, keys in files:
        for index, table in file.tables(*keys, "index"):
            if table.get("default") is True:
                yield from of_key(file, (*index, "url"))
    yield from of_variable(_DEFAULTS[1])
    for file, keys in files:
        yield from of_key(file, (*keys, "index-url"))
    for file, keys in files:
        yield from of_key(file, (*keys, "pip", "index-url"), alone=True)


def _made_default(machine: Machine, address: str) -> Cure:
    """Return the line that makes the gate the default, in the user's own settings if it can be."""
    named = machine.environ.get("UV_CONFIG_FILE")
    path = machine.folder / named if named else machine.uv[0] if machine.uv else None
    variable = export(address, "UV_DEFAULT_INDEX")
    if path is None or machine.environ.get("UV_NO_CONFIG"):
        return variable
    line = f'index = [{{ url = "{address}", default = true }}]'
    try:
        file = toml_lines.read(path, machine.read_file)
    except ValueError:
        return variable
    if file is None or file.get("index") is None:
        return Edit(path=path, first=1, last=0, text=line)
    for keys, table in file.tables("index"):
        if isinstance(table.get("url"), str) and machine.gate.owns(table["url"]):
            edit = file.saying((*keys, "url"), "default = true", after=True)
            return edit if edit is not None else variable
    return variable


def _variables(machine: Machine) -> Iterator[Finding]:
    environ = machine.environ
    for variable in ("UV_INDEX", "UV_EXTRA_INDEX_URL"):
        words = [word for word in environ.get(variable, "").split() if machine.foreign(_bare(word))]
        if words:
            what = f"`{redact(' '.join(map(_bare, words)))}` is asked before the default index"
            yield finding("uv-index", what, Place(variable=variable), unset(variable))
    if links := environ.get("UV_FIND_LINKS", "").strip():
        what = f"`{redact(links)}` is looked through as well"
        yield finding(
            "uv-find-links", what, Place(variable="UV_FIND_LINKS"), unset("UV_FIND_LINKS")
        )
    if (strategy := environ.get("UV_INDEX_STRATEGY", "")) in _UNSAFE:
        variable = "UV_INDEX_STRATEGY"
        yield finding(
            "uv-index-strategy", _goes_on(strategy), Place(variable=variable), unset(variable)
        )
    if hosts := environ.get("UV_INSECURE_HOST", "").strip():
        yield _insecure(
            machine, hosts, Place(variable="UV_INSECURE_HOST"), unset("UV_INSECURE_HOST")
        )


def _indexes(
    machine: Machine, file: TomlFile, keys: Keys, renamed: frozenset[str]
) -> Iterator[Finding]:
    """Yield the indexes that uv asks before the default one."""
    address = machine.gate.simple.rstrip("/")
    for index, table in file.tables(*keys, "index"):
        url = table.get("url")
        if table.get("default") is True or not isinstance(url, str) or not machine.foreign(url):
            continue
        name = table.get("name")
        if isinstance(name, str) and name in renamed:
            continue  # `UV_INDEX` gives that name to the gate
        order = "for what is pinned to it" if table.get("explicit") else "before the default index"
        yield finding(
            "uv-index",
            f"`{redact(url)}` is asked {order}",
            file.place((*index, "url")),
            edit_or(file.replacing((*index, "url"), address), _IN_WORDS),
        )


def _besides(machine: Machine, file: TomlFile, keys: Keys) -> Iterator[Finding]:
    for key in ("extra-index-url", "find-links"):
        texts = [text for _, text in file.texts(*keys, key)]
        foreign = [text for text in texts if key == "find-links" or machine.foreign(text)]
        if foreign:
            kind = "uv-index" if key == "extra-index-url" else "uv-find-links"
            order = "asked before the default index" if kind == "uv-index" else "looked through"
            what = f"`{redact(', '.join(foreign))}` is {order}"
            yield _taken_out(file, (*keys, key), kind, what)
    if file.get(*keys, "no-index") is True:
        what = "`no-index = true` keeps uv from every index"
        yield _taken_out(file, (*keys, "no-index"), "uv-no-index", what)
    strategy = file.get(*keys, "index-strategy")
    if strategy in _UNSAFE:
        yield _taken_out(file, (*keys, "index-strategy"), "uv-index-strategy", _goes_on(strategy))
    for key in ("allow-insecure-host", "trusted-host"):
        if hosts := [text for _, text in file.texts(*keys, key)]:
            cure = edit_or(file.without((*keys, key)), "take it out")
            yield _insecure(machine, " ".join(hosts), file.place((*keys, key)), cure)


def _taken_out(file: TomlFile, keys: Keys, kind: str, what: str) -> Finding:
    return finding(kind, what, file.place(keys), edit_or(file.without(keys), "take it out"))


def _insecure(machine: Machine, hosts: str, place: Place, cure: Cure) -> Finding:
    severity: Severity = "warning" if machine.gate.host in hosts else "note"
    what = f"it is not checked who answers at `{redact(hosts)}`"
    return finding("uv-insecure-host", what, place, cure, severity=severity)


def _goes_on(strategy: str) -> str:
    return f"`{strategy}` takes a version from any index that uv is told of"


def _renamed(machine: Machine) -> frozenset[str]:
    """Return the names of indexes that `UV_INDEX` gives to the gate."""
    words = machine.environ.get("UV_INDEX", "").split()
    named = (word.partition("=") for word in words if _bare(word) != word)
    return frozenset(name for name, _, url in named if not machine.foreign(url))


def _paths(machine: Machine) -> Iterator[tuple[Path, Keys]]:
    """Yield uv's settings files, strongest first, each with the table that they are in."""
    if named := machine.environ.get("UV_CONFIG_FILE"):
        yield machine.folder / named, ()
        return
    if machine.environ.get("UV_NO_CONFIG"):
        return
    for place in (machine.folder, *machine.folder.parents):
        if machine.there(place / "uv.toml"):
            yield place / "uv.toml", ()
            break
        if _has_table(machine, place / "pyproject.toml"):
            yield place / "pyproject.toml", ("tool", "uv")
            break
    yield from ((path, ()) for path in machine.uv)


def _has_table(machine: Machine, path: Path) -> bool:
    try:
        file = toml_lines.read(path, machine.read_file)
    except ValueError:
        return machine.there(path)
    return file is not None and bool(file.get("tool", "uv"))


def _bare(word: str) -> str:
    """Return the address in `address` or `name=address`."""
    name, equals, url = word.partition("=")
    return url if equals and "/" not in name and ":" not in name else word
