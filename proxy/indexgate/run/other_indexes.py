"""The indexes that a client is configured with besides the gate, and which of them the gate covers.

An index that a client would ask past the gate, or that the gate replaces with another one, is named
before the command starts.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from indexgate import pip_settings, web_address
from indexgate.errors import GateError
from indexgate.pip_settings import Places
from indexgate.redact import redact
from indexgate.run import project_locks, project_sources, requirement_lines, uv_settings
from indexgate.run.clients import Client
from indexgate.run.configured import Configured
from indexgate.web_address import WebAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where a client's configuration is looked for.

    `pip` are pip's places for the Python that runs it, `read_file` raises OSError. `home` is the
    user's configuration folder.
    """

    environ: Mapping[str, str] = field(repr=False)
    folder: Path
    config: Path
    pip: Places
    read_file: Callable[[Path], bytes]


def configured(client: Client, around: Surroundings) -> tuple[Configured, ...]:
    """Return every index that *client* is configured with, whether the gate covers it or not."""
    return tuple(dict.fromkeys(_found(client, around)))


def others(
    found: Iterable[Configured], *, gate: Callable[[WebAddress], bool], covered: Iterable[str]
) -> tuple[Configured, ...]:
    """Return those of *found* that are neither the gate nor covered by it.

    *gate* tells whether an address is the gate's own; *covered* are canonical addresses that the
    gate stands for: its upstream, and the public index, which every client asks by default.
    """
    stands_for = set(covered)

    def is_covered(index: Configured) -> bool:
        try:
            address = web_address.parse(index.url)
        except ValueError:
            return False
        return gate(address) or (index.replaced and address.url in stands_for)

    return tuple(index for index in found if not is_covered(index))


def refuse(others: Iterable[Configured]) -> None:
    """Raise GateError `other-indexes` if there are any."""
    lines = [describe(index) for index in others]
    if lines:
        listed = "".join(f"\n    {line}" for line in lines)
        raise GateError(
            "other-indexes",
            f"the command is configured with indexes that the gate does not stand for:{listed}",
            "Take them out (a lock: make it anew through the gate), make one of them the gate's"
            " `--upstream`, or give `--keep-indexes` to go on: what the command finds there is not"
            " judged.",
        )


def describe(index: Configured) -> str:
    """Return a line that names *index*, without credentials."""
    what = "would be replaced by the gate" if index.replaced else "is asked past the gate"
    return f"`{redact(index.url)}` ({index.origin}) {what}"


def _found(client: Client, around: Surroundings) -> Iterator[Configured]:
    name = client.name
    if name in {"pip", "pipenv", "other"}:
        yield from _pip(around, in_pipenv=name == "pipenv")
    if name == "pip":
        yield from requirement_lines.of_command(client.arguments, around.folder, around.read_file)
    if name in {"uv", "other"}:
        yield from uv_settings.of_environment(around.environ)
        folder = uv_settings.project_folder(client, around.folder)
        for index in uv_settings.of_files(
            client, around.environ, folder, config=around.config, read_file=around.read_file
        ):
            yield replace(index, replaced=False) if client.writes_index and index.name else index
    if name == "uv":
        yield from requirement_lines.of_command(client.arguments, around.folder, around.read_file)
    if name == "poetry":
        yield from project_sources.of_poetry(around.folder, around.read_file)
        yield from project_locks.of_poetry(client, around.folder, around.read_file)
    if name == "pdm":
        yield from project_sources.of_pdm(around.folder, around.config, around.read_file)
        yield from project_locks.of_pdm(client, around.folder, around.environ, around.read_file)
    if name == "pipenv":
        yield from project_sources.of_pipenv(around.folder, around.environ, around.read_file)


def _pip(around: Surroundings, *, in_pipenv: bool) -> Iterator[Configured]:
    settings = pip_settings.read(around.environ, around.pip, around.read_file)
    if settings.index_url is not None:
        yield Configured(url=settings.index_url.value, origin=settings.index_url.origin)
    for extra in settings.extra_index_urls:
        yield Configured(url=extra.value, origin=extra.origin, replaced=not in_pipenv)
    for links in settings.find_links:
        yield Configured(url=links.value, origin=links.origin, replaced=False)
