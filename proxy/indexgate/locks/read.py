"""Reading a lock of any kind: told by its name, else by its content."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath

from indexgate.errors import GateError
from indexgate.locks import (
    of_pdm,
    of_pipenv,
    of_poetry,
    of_pylock,
    of_requirements,
    of_sbom,
    of_uv,
)
from indexgate.locks.entry import Format, Lock, Pinned, Unasked
from indexgate.locks.text import LARGEST, LockText, shown
from indexgate.requirements.lines import decode

_READERS: Mapping[Format, Callable[[LockText], Iterator[Pinned | Unasked]]] = {
    "uv": of_uv.entries,
    "poetry": of_poetry.entries,
    "pdm": of_pdm.entries,
    "pipenv": of_pipenv.entries,
    "pylock": of_pylock.entries,
    "requirements": of_requirements.entries,
    "cyclonedx": of_sbom.entries,
}
FORMATS: tuple[Format, ...] = tuple(_READERS)
"""The formats of files; an environment is a folder."""

_NAMES: tuple[tuple[re.Pattern[str], Format], ...] = (
    (re.compile(r"uv\.lock|.+\.py\.lock"), "uv"),
    (re.compile(r"poetry\.lock"), "poetry"),
    (re.compile(r"pdm(\..+)?\.lock"), "pdm"),
    (re.compile(r"pipfile(\..+)?\.lock"), "pipenv"),
    (re.compile(r"pylock(\.[^.]+)?\.toml"), "pylock"),
    (re.compile(r"bom\.json|.+\.cdx\.json"), "cyclonedx"),
)
_SIGNS: tuple[tuple[re.Pattern[str], Format], ...] = (
    (re.compile(r'\A\s*\{.*"bomFormat"\s*:', re.DOTALL), "cyclonedx"),
    (re.compile(r'\A\s*\{\s*"_meta"\s*:', re.DOTALL), "pipenv"),
    (re.compile(r"^content-hash\s*=", re.MULTILINE), "poetry"),
    (re.compile(r"^lock-version\s*=", re.MULTILINE), "pylock"),
    (re.compile(r"^lock_version\s*=", re.MULTILINE), "pdm"),
    (re.compile(r"^content_hash\s*=", re.MULTILINE), "pdm"),
    (re.compile(r"^source = \{ (registry|virtual|editable|git) = ", re.MULTILINE), "uv"),
)


def by_name(path: str) -> Format | None:
    """Return the format that a lock called as *path* has; None where the name tells nothing."""
    name = PurePath(path.replace("\\", "/")).name.lower()
    return next((found for pattern, found in _NAMES if pattern.fullmatch(name)), None)


def by_content(text: str) -> Format | None:
    """Return the format of the lock *text*; None for what looks like none of them."""
    return next((found for pattern, found in _SIGNS if pattern.search(text)), None)


def read_lock(content: bytes, path: str, *, format: Format | None = None) -> Lock:  # noqa: A002
    """Read the lock *content*, which is called *path*; requirements if it looks like no other.

    Raises GateError: `lock-text`, `lock-size`, and those of requirements.
    """
    source, found = recognised(content, path, format=format)
    return Lock(path=path, format=found, entries=tuple(_READERS[found](source)))


def recognised(
    content: bytes,
    path: str,
    *,
    format: Format | None = None,  # noqa: A002 - as the option is called
) -> tuple[LockText, Format]:
    """Return the text of the lock *content* and its format. Raises GateError."""
    if len(content) > LARGEST:
        size = LARGEST // 1_000_000
        raise GateError("lock-size", f"`{shown(path)}` is longer than {size} MB")
    text = decode(content, path).removeprefix("\ufeff")
    return (
        LockText(path=path, text=text),
        format or by_name(path) or by_content(text) or "requirements",
    )
