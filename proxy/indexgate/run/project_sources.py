"""The sources that a project names to Poetry, PDM or pipenv."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from indexgate import public_index, web_address
from indexgate.errors import GateError
from indexgate.run.configured import Configured
from indexgate.run.uv_settings import document


def of_poetry(folder: Path, read_file: Callable[[Path], bytes]) -> Iterator[Configured]:
    """Yield Poetry's sources: no variable moves one, except the public index by its plugin."""
    for place, project in projects(folder, read_file):
        for source in tables(project, "tool", "poetry", "source"):
            yield from _source(source, f"`[[tool.poetry.source]]` in `{place}`")


def of_pdm(folder: Path, config: Path, read_file: Callable[[Path], bytes]) -> Iterator[Configured]:
    """Yield PDM's sources: those of the project, and those of the user's settings."""
    for place, project in projects(folder, read_file):
        for source in tables(project, "tool", "pdm", "source"):
            yield from _source(source, f"`[[tool.pdm.source]]` in `{place}`")
    for path in (folder / "pdm.toml", config / "pdm" / "config.toml"):
        stored = (document(path, read_file) or {}).get("pypi")
        for key, value in stored.items() if isinstance(stored, dict) else ():
            if key == "url" and isinstance(value, str):
                yield Configured(url=value, origin=f"`pypi.url` in `{path}`")
            elif isinstance(value, dict) and isinstance(value.get("url"), str):
                origin = f"`pypi.{key}` in `{path}`"
                yield Configured(url=value["url"], origin=origin, replaced=False)


def of_pipenv(
    folder: Path, environ: Mapping[str, str], read_file: Callable[[Path], bytes]
) -> Iterator[Configured]:
    """Yield the sources of the Pipfile; the mirror variable replaces the public index only."""
    for path in pipfiles(folder, environ):
        found = document(path, read_file)
        if found is not None:
            for source in tables(found, "source"):
                for index in _source(source, f"`[[source]]` in `{path}`"):
                    yield replace(index, replaced=_is_public(index.url))
            return


def pipfiles(folder: Path, environ: Mapping[str, str]) -> list[Path]:
    """Return where pipenv looks for its Pipfile, first the place that it prefers."""
    named = environ.get("PIPENV_PIPFILE")
    return [folder / named] if named else [p / "Pipfile" for p in (folder, *folder.parents)]


def check_pipfile(folder: Path, environ: Mapping[str, str]) -> None:
    """Raise GateError `no-pipfile` where pipenv would write the gate's address into a new one."""
    if not any(path.exists() for path in pipfiles(folder, environ)):
        raise GateError(
            "no-pipfile",
            f"there is no Pipfile in `{folder}`, and pipenv would write the gate's address into it",
            "Let `pipenv --python 3` make one first; it asks no index for that.",
        )


def projects(
    folder: Path, read_file: Callable[[Path], bytes]
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the nearest `pyproject.toml` at or above *folder*."""
    for place in (folder, *folder.parents):
        found = document(place / "pyproject.toml", read_file)
        if found is not None:
            yield place / "pyproject.toml", found
            return


def tables(document: Mapping[str, Any], *keys: str) -> list[Mapping[str, Any]]:
    """Return the tables in the array at *keys* of *document*; none where there is no such array."""
    found: Any = document
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []


def _source(source: Mapping[str, Any], origin: str) -> Iterator[Configured]:
    if isinstance(source.get("url"), str):
        name = source.get("name")
        yield Configured(
            url=source["url"],
            origin=origin,
            replaced=False,
            name=name if isinstance(name, str) else None,
        )


def _is_public(url: str) -> bool:
    try:
        return web_address.parse(url).url == web_address.parse(public_index.address()).url
    except ValueError:
        return False
