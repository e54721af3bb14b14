"""Which project a repository says that it is: the name in its own build settings. Pure.

Sources: the `name` of `[project]` in pyproject.toml (PEP 621), of `[tool.poetry]` beside it, of
`[metadata]` in setup.cfg. The files are anybody's and are only read, never run. A repository of
several projects (a workspace of uv's) says nothing of a single one.
"""

import tomllib
from configparser import ConfigParser
from configparser import Error as BrokenConfiguration

from packaging.utils import InvalidName, NormalizedName, canonicalize_name

from indexgate_policy.signals import Unknown

_LARGEST = 200_000
_SEVERAL = Unknown(reason="the repository holds several projects")


def project(pyproject: str, setup: str) -> NormalizedName | Unknown:
    """Return the name that *pyproject*, else *setup* states; empty texts are absent files."""
    for text, read in ((pyproject, _from_pyproject), (setup, _from_setup)):
        if not text or len(text) > _LARGEST:
            continue
        try:
            stated = read(text)
            return _SEVERAL if stated is None else canonicalize_name(stated, validate=True)
        except (
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            RecursionError,
            InvalidName,
            BrokenConfiguration,
        ):
            continue
    return Unknown(reason="the repository's build settings name no project")


def _from_pyproject(text: str) -> str | None:
    document = tomllib.loads(text)
    tools = document.get("tool", {})
    if "workspace" in tools.get("uv", {}):
        return None
    table = document.get("project") or tools["poetry"]
    return str(table["name"])


def _from_setup(text: str) -> str:
    settings = ConfigParser(interpolation=None)
    settings.read_string(text)
    return settings["metadata"]["name"]
