"""The indexes that uv is configured with: variables, `uv.toml`, `[tool.uv]` of a project."""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from indexgate.run.clients import Client
from indexgate.run.configured import Configured

_DEFAULT = ("UV_DEFAULT_INDEX", "UV_INDEX_URL")
_EXTRA = ("UV_INDEX", "UV_EXTRA_INDEX_URL")
_PLACE_OPTIONS = ("--directory", "--project")  # uv moves to the one before it looks for the other


def of_environment(environ: Mapping[str, str]) -> Iterator[Configured]:
    """Yield the indexes in uv's variables. A run sets or takes out each of them."""
    for variable in _DEFAULT:
        if environ.get(variable, "").strip():
            yield Configured(url=_url(environ[variable]), origin=f"variable `{variable}`")
    for variable in _EXTRA:
        for word in environ.get(variable, "").split():
            yield Configured(url=_url(word), origin=f"variable `{variable}`")
    for word in environ.get("UV_FIND_LINKS", "").replace(",", " ").split():
        yield Configured(url=word, origin="variable `UV_FIND_LINKS`", replaced=False)


def of_files(
    client: Client,
    environ: Mapping[str, str],
    folder: Path,
    *,
    config: Path,
    read_file: Callable[[Path], bytes],
) -> Iterator[Configured]:
    """Yield the indexes in the settings files that uv reads in the project at *folder*.

    *config* is the user's configuration folder.
    """
    named = option_value(client, "--config-file") or environ.get("UV_CONFIG_FILE")
    if not named and ("--no-config" in client.arguments or environ.get("UV_NO_CONFIG")):
        return
    if named:
        yield from _of_settings(folder / named, read_file)
        return
    for place in (folder, *folder.parents):
        found = document(place / "uv.toml", read_file)
        if found is not None:
            yield from _indexes(found, place / "uv.toml")
            break
        project = document(place / "pyproject.toml", read_file)
        own = _table(project or {}, "tool", "uv")
        if own:
            yield from _indexes(own, place / "pyproject.toml")
            break
    for path in (config / "uv" / "uv.toml", Path("/etc/uv/uv.toml")):
        yield from _of_settings(path, read_file)


def project_folder(client: Client, folder: Path) -> Path:
    """Return the folder whose project *client* works on: `--project` and `--directory` move it."""
    named = [option_value(client, option) for option in _PLACE_OPTIONS]
    return folder.joinpath(*(place for place in named if place))


def option_value(client: Client, option: str) -> str | None:
    """Return the value of *option* among the arguments of *client*."""
    words = iter(client.arguments)
    for word in words:
        name, equals, value = word.partition("=")
        if name == option:
            return value if equals else next(words, None)
    return None


def document(path: Path, read_file: Callable[[Path], bytes]) -> dict[str, Any] | None:
    """Return the TOML document at *path*; None when it is not there or not TOML."""
    try:
        return tomllib.loads(read_file(path).decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
        return None


def _of_settings(path: Path, read_file: Callable[[Path], bytes]) -> Iterator[Configured]:
    found = document(path, read_file)
    if found is not None:
        yield from _indexes(found, path)


def _indexes(settings: Mapping[str, Any], path: Path) -> Iterator[Configured]:
    for index in settings.get("index", ()) if isinstance(settings.get("index"), list) else ():
        url = index.get("url") if isinstance(index, dict) else None
        if isinstance(url, str):
            name = index.get("name")
            origin = f"`[[index]]` in `{path}`"
            if index.get("default") is True:
                # Only `UV_DEFAULT_INDEX` stands above it, which `uv add` cannot be given.
                yield Configured(url=url, origin=origin, name=name or "default")
            elif isinstance(name, str) and name:
                yield Configured(url=url, origin=origin, name=name)
            else:
                yield Configured(url=url, origin=origin, replaced=False)
    for table, prefix in ((settings, ""), (_table(settings, "pip"), "pip.")):
        if isinstance(table.get("index-url"), str):
            origin = f"`{prefix}index-url` in `{path}`"
            yield Configured(url=table["index-url"], origin=origin)
        for key in ("extra-index-url", "find-links"):
            values = table.get(key)
            for value in values if isinstance(values, list) else ():
                if isinstance(value, str):
                    origin = f"`{prefix}{key}` in `{path}`"
                    yield Configured(url=value, origin=origin, replaced=False)


def _table(document: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    found: Any = document
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _url(value: str) -> str:
    """Return the address in `address` or `name=address`."""
    name, equals, url = value.strip().partition("=")
    return url if equals and "/" not in name and ":" not in name else value.strip()
