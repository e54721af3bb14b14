"""Which project a repository says that it is: the name in its own build settings. Pure.

Sources: the `name` of `[project]` in pyproject.toml (PEP 621), of `[tool.poetry]` beside it, of
`[metadata]` in setup.cfg. A repository of several projects (a workspace of uv's) says nothing of a
single one.

The files are anybody's: never run, and read within bounds, since both formats can be written so
that a few kilobytes take minutes (long dotted keys in TOML, long lines with spaces in what
configparser matches).
"""

import tomllib

from packaging.utils import InvalidName, NormalizedName, canonicalize_name

from indexgate_policy.signals import Unknown

_LARGEST = 200_000
_MOST_DOTS = 20
_SEVERAL = Unknown(reason="the repository holds several projects")


def project(pyproject: str, setup: str) -> NormalizedName | Unknown:
    """Return the name that *pyproject*, else *setup* states; empty texts are absent files."""
    for text, read in ((pyproject, _from_pyproject), (setup, _from_setup)):
        if not text or len(text) > _LARGEST:
            continue
        try:
            stated = read(text)
            return _SEVERAL if stated is None else canonicalize_name(stated, validate=True)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, InvalidName):
            continue
    return Unknown(reason="the repository's build settings name no project")


def _from_pyproject(text: str) -> str | None:
    """Return the name, None for a workspace. Raises what a document of another shape leads to."""
    if any(line.partition("=")[0].count(".") > _MOST_DOTS for line in text.splitlines()):
        raise ValueError("keys that deep are not read")
    document = tomllib.loads(text)
    tools = document.get("tool", {})
    if "workspace" in tools.get("uv", {}):
        return None
    table = document.get("project") or tools["poetry"]
    return str(table["name"])


def _from_setup(text: str) -> str:
    """Return `name` of the section `[metadata]`. Raises KeyError."""
    section = ""
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip()
        key, _, value = line.partition("=")
        if section == "[metadata]" and key.strip().lower() == "name":
            return value.strip()
    raise KeyError("name")
