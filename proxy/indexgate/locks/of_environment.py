"""What is installed in an environment, by the metadata in it; nothing of it is run."""

import json
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.utils import InvalidName, canonicalize_name

from indexgate.errors import GateError
from indexgate.locks.entry import Lock, Pinned, Unasked
from indexgate.locks.text import shown
from indexgate.redact import redact

_PLACES = (
    "lib/python*/site-packages",
    "lib/pypy*/site-packages",
    "lib64/python*/site-packages",
    "Lib/site-packages",
)
_ELSEWHERE = {
    "vcs_info": "it was installed from a repository",
    "dir_info": "it was installed from a folder",
    "archive_info": "it was installed from an address and asked no index",
}


def read_environment(folder: Path) -> Lock:
    """Read what is installed in the environment, or the `site-packages`, at *folder*.

    Raises GateError `environment-not-found`.
    """
    places = sorted({place.resolve() for each in _PLACES for place in folder.glob(each)})
    if not places and any(folder.glob("*.dist-info")):
        places = [folder]
    if not places:
        raise GateError(
            "environment-not-found",
            f"`{shown(str(folder))}` is no Python environment",
            "Name the folder of a virtual environment, or of its `site-packages`.",
        )
    found = distributions(path=[str(place) for place in places])
    entries = sorted(map(_entry, found), key=lambda entry: (entry.name or "", _text(entry)))
    return Lock(path=str(folder), format="environment", entries=tuple(entries))


def _entry(distribution: Distribution) -> Pinned | Unasked:
    metadata = distribution.metadata
    written, version = metadata["Name"] or "", metadata["Version"] or ""
    try:
        name = canonicalize_name(written, validate=True)
    except InvalidName:
        name = None
    if name is None or not version:
        reason = "its metadata is broken"
        return Unasked(text=ascii(written)[1:-1] or "?", reason=reason, line=1, name=name)
    told = next(_elsewhere(distribution.read_text("direct_url.json")), None)
    if told is not None:
        url, reason = told
        text = f"{name}=={version} ({redact(url)})"
        return Unasked(text=text, reason=reason, line=1, name=name)
    return Pinned(name=name, version=version, line=1)


def _elsewhere(text: str | None) -> Iterator[tuple[str, str]]:
    """Yield where a distribution was taken from, if that was no index (PEP 610), and the clause."""
    if text is None:
        return
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        yield "", "what it says of its origin is broken"
        return
    reason = next((clause for key, clause in _ELSEWHERE.items() if key in found), None)
    yield str(found.get("url", "")), reason or "it was installed from an address"


def _text(entry: Pinned | Unasked) -> str:
    return entry.version if isinstance(entry, Pinned) else entry.text
