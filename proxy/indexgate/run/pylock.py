"""`pylock.toml` (PEP 751): installers fetch the files that it names without asking an index."""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from indexgate.run.configured import Configured
from indexgate.run.uv_settings import document

_NAME = re.compile(r"pylock(\.[^.]+)?\.toml")


def is_one(path: Path) -> bool:
    """Tell whether *path* is named as such a lock must be."""
    return _NAME.fullmatch(path.name) is not None


def addresses(path: Path, read_file: Callable[[Path], bytes]) -> Iterator[Configured]:
    """Yield the servers whose files the lock at *path* names, one entry for each."""
    packages = (document(path, read_file) or {}).get("packages")
    tables = packages if isinstance(packages, list) else ()
    yield from servers((url for package in tables for url in _urls(package)), path)


def servers(urls: Iterable[str], path: Path) -> Iterator[Configured]:
    """Yield the servers of the file addresses *urls* in the lock at *path*, one entry for each."""
    found: dict[str, None] = {}
    for url in urls:
        try:
            parts = urlsplit(url)
        except ValueError:
            continue
        found[f"{parts.scheme}://{parts.netloc}/"] = None
    for server in found:
        yield Configured(url=server, origin=f"files in `{path}`", replaced=False)


def _urls(package: Any) -> Iterator[str]:
    if not isinstance(package, dict):
        return
    wheels = package.get("wheels")
    entries = [package.get("sdist"), package.get("archive")]
    for entry in [*entries, *(wheels if isinstance(wheels, list) else ())]:
        url = entry.get("url") if isinstance(entry, dict) else None
        if isinstance(url, str):
            yield url
