"""A requirement that names an address, said by name and version, as an index is asked for it."""

import re

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)

from indexgate.doctor.machine import local_path
from indexgate.requirements.entries import Elsewhere, is_address

_EGG = re.compile(r"#(?:.*&)?egg=([A-Za-z0-9][A-Za-z0-9._-]*)")
_ARCHIVES = (".whl", ".tar.gz", ".zip", ".tgz", ".tar.bz2")


def by_name(text: str) -> str | None:
    """Return what asks an index for the project that *text* takes from an address.

    The version is that of the file, if the address is one. None where nothing tells the name.
    """
    try:
        asked = Requirement(text)
    except InvalidRequirement:
        return _by_file(text) or (egg[1] if (egg := _EGG.search(text)) else None)
    if asked.url is None:
        return None
    found = _by_file(asked.url)
    version = found.partition("==")[2] if found else ""
    extras = f"[{','.join(sorted(asked.extras))}]" if asked.extras else ""
    marker = f"; {asked.marker}" if asked.marker is not None else ""
    return f"{asked.name}{extras}{f'=={version}' if version else ''}{marker}"


def version_in(url: str) -> str | None:
    """Return the version of the file at *url*, None where its name tells none."""
    found = _by_file(url)
    return found.partition("==")[2] if found else None


def is_file(entry: Elsewhere) -> bool:
    """Tell whether *entry* is an archive on this machine, and no folder with a project."""
    return entry.text.partition(";")[0].strip().lower().endswith(_ARCHIVES)


def is_remote(text: str) -> bool:
    """Tell whether the address or path *text* leads off this machine."""
    url = text.partition(" @ ")[2] or text
    return is_address(url.strip()) and local_path(url.strip()) is None


def _by_file(url: str) -> str | None:
    filename = re.split(r"[?#]", url)[0].rstrip("/").rpartition("/")[2].replace("%2B", "+")
    try:
        if filename.endswith(".whl"):
            name, version = parse_wheel_filename(filename)[:2]
        else:
            name, version = parse_sdist_filename(filename)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None
    return f"{canonicalize_name(name)}=={version}"
