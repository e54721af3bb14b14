"""Where each installer reads the settings that point it at an index: a user's, or a project's."""

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct
from platformdirs import user_config_path

from indexgate.configure import toml_text
from indexgate.configure.edits import Form
from indexgate.errors import GateError
from indexgate.pip_settings import Places

Name: TypeAlias = Literal["pip", "uv", "poetry", "pdm", "pipenv"]
Scope: TypeAlias = Literal["user", "project"]

DEFAULT_SCOPE: Mapping[Name, Scope] = {
    "pip": "user",
    "uv": "user",
    "poetry": "project",
    "pdm": "user",
    "pipenv": "project",
}
"""What is meant without a flag: the user's settings, where the installer reads some by itself."""


class Place(Struct, frozen=True, kw_only=True):
    """A settings file, which need not exist, and what kind it is."""

    client: Name
    scope: Scope
    form: Form
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """Where is looked: environment, the project's folder, the user's home, pip's places."""

    environ: Mapping[str, str] = field(repr=False)
    folder: Path
    home: Path
    pip: Places


def place(client: Name, scope: Scope, around: Around) -> Place:
    """Return the file that *client* reads. Raises GateError."""
    if scope == "user":
        form, path = _user(client, around)
    else:
        form, path = _project(client, around)
    return Place(client=client, scope=scope, form=form, path=path)


def overriding(client: Name, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the variables in *environ* that stand above every settings file of *client*."""
    names = {
        "pip": ("PIP_INDEX_URL", "PIP_NO_INDEX", "PIP_PROXY"),
        "uv": ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_NO_CONFIG", "UV_OFFLINE"),
        "poetry": ("POETRY_PYPI_MIRROR_URL",),
        "pdm": ("PDM_PYPI_URL", "PDM_IGNORE_STORED_INDEX"),
        "pipenv": ("PIPENV_PYPI_MIRROR",),
    }[client]
    return (name for name in names if environ.get(name))


def config_folder(around: Around) -> Path:
    """Return the user's configuration folder, as uv finds it on this platform."""
    if sys.platform == "win32" and around.environ.get("APPDATA"):
        return Path(around.environ["APPDATA"])
    named = around.environ.get("XDG_CONFIG_HOME")
    return Path(named) if named else around.home / ".config"


def _user(client: Name, around: Around) -> tuple[Form, Path]:
    environ = around.environ
    match client:
        case "pip":
            named = environ.get("PIP_CONFIG_FILE")
            if named == os.devnull:
                raise GateError(
                    "configure-unread",
                    f"pip reads no settings file, since `PIP_CONFIG_FILE` is `{named}`",
                    "Unset that variable first.",
                )
            return "pip", Path(named).expanduser() if named else around.pip.user[-1]
        case "uv":
            named = environ.get("UV_CONFIG_FILE")
            return "uv", Path(named) if named else config_folder(around) / "uv" / "uv.toml"
        case "poetry":
            named = environ.get("POETRY_CONFIG_DIR")
            own = user_config_path("pypoetry", appauthor=False, roaming=True)
            return "poetry", (Path(named) if named else own) / "config.toml"
        case "pdm":
            named = environ.get("PDM_CONFIG_FILE")
            return "pdm", Path(named) if named else user_config_path("pdm") / "config.toml"
        case "pipenv":
            raise GateError(
                "configure-unread",
                "pipenv reads no settings file of a user",
                "Use `--project`, or set `PIPENV_PYPI_MIRROR` to the gate's address in your"
                " shell's profile.",
            )


def _project(client: Name, around: Around) -> tuple[Form, Path]:
    match client:
        case "pip":
            return "pip", _environment(around) / (
                "pip.ini" if sys.platform == "win32" else "pip.conf"
            )
        case "uv":
            return _uv(around)
        case "poetry":
            return "poetry-project", _nearest(around.folder, "pyproject.toml")
        case "pdm":
            project = _nearest(around.folder, "pyproject.toml")
            if _names_pypi(project):
                return "pdm-project", project
            return "pdm", project.with_name("pdm.toml")
        case "pipenv":
            named = around.environ.get("PIPENV_PIPFILE")
            if named:
                return "pipenv", around.folder / named
            return "pipenv", _nearest(around.folder, "Pipfile")


def _environment(around: Around) -> Path:
    """Return the virtual environment that is active, or the project's. Raises GateError."""
    active = around.environ.get("VIRTUAL_ENV")
    own = around.folder / ".venv"
    if active:
        return Path(active)
    if (own / "pyvenv.cfg").is_file():
        return own
    raise GateError(
        "configure-no-project",
        "pip has no settings of a project but those of its environment, and none is active here",
        "Activate one (or make `.venv`), or use `--user`.",
    )


def _uv(around: Around) -> tuple[Form, Path]:
    """Return the file that uv takes: beside a `uv.toml` it reads no other of the same folder."""
    for folder in (around.folder, *around.folder.parents):
        if (folder / "uv.toml").is_file():
            return "uv", folder / "uv.toml"
        if (folder / "pyproject.toml").is_file():
            return "uv-project", folder / "pyproject.toml"
    return "uv", around.folder / "uv.toml"


def _nearest(folder: Path, name: str) -> Path:
    for place in (folder, *folder.parents):
        if (place / name).is_file():
            return place / name
    raise GateError(
        "configure-no-project",
        f"there is no `{name}` in `{folder}` or above it",
        "Go to the folder of the project first.",
    )


def _names_pypi(project: Path) -> bool:
    try:
        found = toml_text.document(project.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return False
    sources = toml_text.at(found, ("tool", "pdm", "source"))
    return isinstance(sources, list) and any(
        isinstance(each, dict) and each.get("name") == "pypi" for each in sources
    )
