"""`pylock.toml` (PEP 751): installers fetch the files that it names without asking an index."""

import re
from collections.abc import Callable, Iterator, Mapping
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
    found: dict[str, None] = {}
    packages = (document(path, read_file) or {}).get("packages")
    for package in packages if isinstance(packages, list) else ():
        for url in _urls(package) if isinstance(package, dict) else ():
            try:
                parts = urlsplit(url)
            except ValueError:
                continue
            found[f"{parts.scheme}://{parts.netloc}/"] = None
    for server in found:
        yield Configured(url=server, origin=f"files in `{path}`", replaced=False)


def _urls(package: Mapping[str, Any]) -> Iterator[str]:
    wheels = package.get("wheels")
    entries = [package.get("sdist"), package.get("archive")]
    for entry in [*entries, *(wheels if isinstance(wheels, list) else ())]:
        url = entry.get("url") if isinstance(entry, dict) else None
        if isinstance(url, str):
            yield url
