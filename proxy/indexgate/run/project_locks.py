"""What the locks of Poetry and PDM lead past the gate.

`poetry.lock` names the index of a package that is not from the public one. `pdm.lock` names files
by their addresses if it was made with static ones, and PDM fetches them without asking the index.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from indexgate.run import pylock
from indexgate.run.clients import Client
from indexgate.run.configured import Configured
from indexgate.run.project_sources import projects, tables
from indexgate.run.uv_settings import document, option_value

_INDEX = "legacy"  # Poetry's word for a simple index


def of_poetry(
    client: Client, folder: Path, read_file: Callable[[Path], bytes]
) -> Iterator[Configured]:
    """Yield the indexes that the lock of the project at *folder* names."""
    if _locks_anew(client):
        return
    for place, _ in projects(folder, read_file):
        path = place.with_name("poetry.lock")
        for package in tables(document(path, read_file) or {}, "package"):
            source = package.get("source")
            if isinstance(source, Mapping) and source.get("type") == _INDEX:
                url = source.get("url")
                if isinstance(url, str):
                    origin = f"`[package.source]` in `{path}`"
                    yield Configured(url=url, origin=origin, replaced=False)


def of_pdm(
    client: Client,
    folder: Path,
    environ: Mapping[str, str],
    read_file: Callable[[Path], bytes],
) -> Iterator[Configured]:
    """Yield the servers whose files the lock of the project at *folder* names."""
    if _locks_anew(client):
        return
    option = option_value(client, "--lockfile") or option_value(client, "-L")
    for place, _ in projects(folder, read_file):
        path = place.parent / (option or environ.get("PDM_LOCKFILE") or "pdm.lock")
        if pylock.is_one(path):
            yield from pylock.addresses(path, read_file)
            continue
        packages = tables(document(path, read_file) or {}, "package")
        urls = (file.get("url") for package in packages for file in tables(package, "files"))
        yield from pylock.servers((url for url in urls if isinstance(url, str)), path)


def _locks_anew(client: Client) -> bool:
    """Tell whether *client* only makes the lock anew, which is the way out of a bad one."""
    return client.subcommand == "lock"
