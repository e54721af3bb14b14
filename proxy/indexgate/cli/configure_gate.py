"""`indexgate configure`: the gate's address put into a settings file, and what to know about it."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from msgspec import structs

from indexgate import own_addresses, public_index, state_folder, upstream_choice, web_address
from indexgate.cli import settings_options
from indexgate.cli.configure_undo import print_diff, tell
from indexgate.config import Settings
from indexgate.configure import change as changes
from indexgate.configure import disk, edits, places, records
from indexgate.configure.change import Change
from indexgate.configure.hunks import NotByLines
from indexgate.configure.places import DEFAULT_SCOPE, Around, Name, Place, Scope
from indexgate.configure.records import Record
from indexgate.errors import GateError
from indexgate.redact import redact
from indexgate.run import other_indexes, own_gate, poetry
from indexgate.run.clients import Client
from indexgate.run.other_indexes import Surroundings
from indexgate.upstream_choice import UpstreamChoice
from indexgate.web_address import WebAddress

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_AFTERWARDS = {
    "pip": "",
    "uv": "`uv.lock` will have the gate's addresses; before you share it: `indexgate lock rewrite"
    " uv.lock`",
    "poetry": "`pyproject.toml` and `poetry.lock` name the source, also for those you share them"
    " with; now `poetry lock`",
    "pdm": "",
    "pipenv": "the Pipfile changed, so `Pipfile.lock` is out of date: `pipenv lock`",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was asked for on the command line."""

    client: Name
    scope: Scope | None
    url: str | None = field(repr=False)
    settings: Settings
    around: Around
    dry_run: bool
    replace_index: bool


def configure(wanted: Wanted) -> None:
    """Point the client at the gate. Raises GateError."""
    settings = wanted.settings
    address = _address(wanted)
    url = address.url.rstrip("/") if wanted.client == "uv" else address.url
    place = _place(wanted)
    known = records.find(settings.state, place.path.resolve())
    change = _change(place, url, known)
    own = upstream_choice.is_the_gate(address, settings)
    keep = _upstream(wanted, change) if own else None
    print_diff(change)
    if not wanted.dry_run:
        state = state_folder.open_state(settings.state)
        if keep is not None:  # first: a gate that does not know it would ask the public index
            state.keep_upstream(keep)
        if change.record is not None:
            changes.carry_out(change, state.path, known)
        if keep is not None:
            tell(f"The gate stands in front of `{keep}` from now on, as {wanted.client} did before")
    _say(wanted, place, change, url)
    for note in _notes(wanted, place, change, address):
        tell(f"note: {note}")


def _address(wanted: Wanted) -> WebAddress:
    """Return the simple index to point at. Raises GateError."""
    if wanted.url is not None:
        try:
            found = web_address.parse(wanted.url)
        except ValueError as error:
            raise GateError(
                "gate-address",
                f"`{ascii(redact(wanted.url))[1:-1]}` is no address of a gate: {error}",
                "Write it as `http://127.0.0.1:8503/simple/`.",
            ) from error
        if found.credentials is not None:
            raise GateError(
                "configure-credentials",
                f"`{found.url}` was given with a login, which is not written into settings",
                "Put the login into a netrc file.",
            )
        simple = found.url.endswith("/simple/")
        return found if simple else web_address.parse(own_addresses.simple(found.url))
    settings = wanted.settings
    if settings.tls_cert is not None and settings.public_url is None:
        raise GateError(
            "gate-address",
            f"{settings.origins['tls_cert']} is set, and nothing says by which name the gate is"
            " certified",
            "Say so: `--url https://NAME:PORT/simple/`.",
        )
    roots = own_addresses.roots(settings)
    if not roots:
        raise GateError("gate-address", "nothing says where the gate is", "Say so: `--url URL`.")
    return web_address.parse(own_addresses.simple(roots[0]))


def _place(wanted: Wanted) -> Place:
    """Return the settings file. Raises GateError, also where it would not lead to the gate."""
    scope = wanted.scope or DEFAULT_SCOPE[wanted.client]
    place = places.place(wanted.client, scope, wanted.around)
    if place.form == "poetry":
        program = shutil.which("poetry", path=wanted.around.environ.get("PATH"))
        if program is not None:
            poetry.check(Path(program), wanted.around.folder, ())
    return place


def _change(place: Place, url: str, known: Record | None) -> Change:
    path = place.path.resolve()
    wanted = Record(
        client=place.client,
        scope=place.scope,
        form=place.form,
        path=str(path),
        url=url,
        before=None,
        after="",
        hunks=(),
    )
    try:
        return changes.make(
            wanted,
            lambda text: edits.edit(place.form, text, url),
            edits.value_reader(place.form),
            known,
        )
    except NotByLines:
        raise GateError(
            "configure-by-hand",
            f"`{path}` is written in a way that cannot be changed without touching more of it",
            f"Change it by hand: {edits.lines_by_hand(place.form, url)}.",
        ) from None


def _upstream(wanted: Wanted, change: Change) -> str | None:
    """Return the upstream that the gate has to keep from now on; None where it need not.

    Else the gate would lose sight of the index that gives way to it. Raises GateError where it
    stands in front of another one.
    """
    settings = wanted.settings
    choice = settings_options.upstream(settings)
    running = _running(settings)
    covered = set(running.upstreams if running else (each.url for each in choice.all))
    covered.add(web_address.parse(public_index.address()).url)
    others = [url for url in map(_canonical, change.replaced) if url not in covered]
    others = [url for url in others if not _is_gate(url, settings)]
    if not others:
        return choice.url if choice.keep and wanted.client == "pip" else None
    if running is None and len(set(others)) == 1 and _nobody_chose(choice, settings):
        web_address.parse(others[0])
        return others[0]
    if wanted.replace_index:
        return None
    shown = ", ".join(f"`{url}`" for url in dict.fromkeys(others))
    front = ", ".join(f"`{url}`" for url in sorted(covered))
    raise GateError(
        "configure-other-index",
        f"{wanted.client} is configured with {shown}, but the gate stands in front of {front}",
        "Make it an index of the gate (`--upstream URL`, or `[[index]]` in its settings), or give"
        " `--replace-index` to do without it.",
    )


def _nobody_chose(choice: UpstreamChoice, settings: Settings) -> bool:
    """Tell whether the upstream is what it is because nothing was said."""
    return choice.origin.startswith("default") and settings.origins["upstream"].place == "default"


def _running(settings: Settings) -> own_gate.OwnGate | None:
    """Return our gate on the port; None when there is none, or nothing that proves to be ours."""
    if not settings.port or not (settings.state / "secret").exists():
        return None
    try:
        return own_gate.find(settings.port, state_folder.open_state(settings.state))
    except GateError:
        return None


def _canonical(url: str) -> str:
    try:
        return web_address.parse(url).url
    except ValueError:
        return redact(url)


def _is_gate(url: str, settings: Settings) -> bool:
    try:
        return upstream_choice.is_the_gate(web_address.parse(url), settings)
    except ValueError:
        return False


def _say(wanted: Wanted, place: Place, change: Change, url: str) -> None:
    if not change.changes:
        tell(f"{wanted.client} is pointed at `{url}` already, in `{change.path}`")
        return
    if wanted.dry_run:
        tell("Nothing was written (--dry-run)")
        return
    scope = f"--{place.scope}" if place.scope != DEFAULT_SCOPE[wanted.client] else ""
    again = " ".join(filter(None, ["indexgate configure", wanted.client, scope, "--undo"]))
    tell(f"{wanted.client} asks `{url}` from now on\nTo undo that: {again}")


def _notes(wanted: Wanted, place: Place, change: Change, gate: WebAddress) -> Iterator[str]:
    """Yield what may keep the client from the gate, or surprise its user."""
    environ, settings = wanted.around.environ, wanted.settings
    for variable in places.overriding(wanted.client, environ):
        yield f"variable `{variable}` is set and stands above settings files; unset it"
    yield from _others(wanted, change, gate)
    if gate.host in _LOOPBACK:
        yield from _proxies(environ, gate)
    if gate.scheme == "http" and gate.host not in _LOOPBACK:
        yield f"`{gate.url}` is not encrypted; pip refuses it without `--trusted-host {gate.host}`"
    if upstream_choice.is_the_gate(gate, settings) and _running(settings) is None:
        yield (
            f"no gate of yours runs on port {settings.port}, so {wanted.client} finds nothing;"
            " start it: `indexgate service install`, or `indexgate serve`"
        )
    if place.form == "poetry":
        yield f"only Poetry with `{poetry.PLUGIN}` reads this"
    elif _AFTERWARDS[wanted.client]:
        yield _AFTERWARDS[wanted.client]


def _environments(around: Around) -> Iterator[Path]:
    """Yield pip's file of the virtual environment, which stands above that of the user."""
    try:
        yield places.place("pip", "project", around).path
    except GateError:
        return


def _proxies(environ: Mapping[str, str], gate: WebAddress) -> Iterator[str]:
    """Yield the variables of a proxy that would be asked for a gate on this machine."""
    spared = {
        host.strip()
        for name in ("no_proxy", "NO_PROXY")
        for host in environ.get(name, "").split(",")
    }
    if spared & {"*", gate.host}:
        return
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        if environ.get(name):
            yield (
                f"variable `{name}` is set, and `no_proxy` does not spare `{gate.host}`, so the"
                f" proxy would be asked for the gate: export no_proxy={gate.host},localhost"
            )
            return


def _others(wanted: Wanted, change: Change, gate: WebAddress) -> Iterator[str]:
    """Yield each index that the client still asks besides the gate, as its settings will be."""

    def read_file(path: Path) -> bytes:
        if path.resolve() != change.path:
            with path.open("rb") as file:
                return file.read(disk.LARGEST)
        if change.after is None:
            raise FileNotFoundError(path)
        return change.after

    around = Surroundings(
        environ={
            name: value
            for name, value in wanted.around.environ.items()
            if name not in places.overriding(wanted.client, wanted.around.environ)
        },
        folder=wanted.around.folder,
        config=places.config_folder(wanted.around),
        pip=structs.replace(wanted.around.pip, site=tuple(_environments(wanted.around))),
        read_file=read_file,
    )
    found = other_indexes.configured(Client(name=wanted.client, arguments=()), around)
    if wanted.client == "pipenv":  # its pip is told which index to ask
        found = tuple(index for index in found if "Pipfile" in index.origin)
    past = (each for each in found if _canonical(each.url) != gate.url)
    for index in past:
        yield other_indexes.describe(replace(index, replaced=False))
