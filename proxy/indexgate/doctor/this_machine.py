"""The machine that this program runs on, as the finders look at it."""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec.structs import replace
from platformdirs import PlatformDirs

from indexgate import pip_settings
from indexgate.doctor.machine import GateAddress, Machine
from indexgate.locks.text import LARGEST
from indexgate.pip_settings import Places
from indexgate.run import poetry

_PROGRAMS = ("pip", "uv", "poetry", "pdm", "pipenv")
_ENVIRONMENTS = ("VIRTUAL_ENV", "CONDA_PREFIX")


def this_machine(environ: Mapping[str, str], folder: Path, gate: GateAddress) -> Machine:
    """Return this machine with the project at *folder*; *environ* is this process's own."""
    programs = {name: found for name in _PROGRAMS if (found := shutil.which(name))}
    at = programs.get("poetry")
    poetry_home = environ.get("POETRY_CONFIG_DIR")
    pdm_file = environ.get("PDM_CONFIG_FILE")
    return Machine(
        environ=environ,
        folder=folder,
        home=Path.home(),
        pip=_pip(environ, folder, programs.get("pip")),
        uv=tuple(_uv(environ)),
        poetry=(
            folder / "poetry.toml",
            (Path(poetry_home) if poetry_home else _config("pypoetry")) / "config.toml",
        ),
        pdm=(
            folder / "pdm.toml",
            Path(pdm_file) if pdm_file else _config("pdm") / "config.toml",
            Path(_dirs("pdm").site_config_dir) / "config.toml",
        ),
        read_file=_read,
        files_in=_files_in,
        programs=frozenset(programs),
        mirror_plugin=at is not None and poetry.has_plugin(Path(at), folder),
        gate=gate,
    )


def _pip(environ: Mapping[str, str], folder: Path, program: str | None) -> Places:
    """Return pip's places: those of every environment that may be meant, not of one alone."""
    places = pip_settings.places()
    name = places.site[0].name
    roots = [Path(environ[each]) for each in _ENVIRONMENTS if environ.get(each)]
    roots.append(folder / ".venv")
    if program is not None:
        roots.append(Path(program).parent.parent)
    sites = (*places.site, *(root / name for root in roots))
    return replace(places, site=tuple(dict.fromkeys(sites)))


def _uv(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield uv's own settings files, strongest first; on macOS it looks where Linux has them."""
    if sys.platform == "win32":
        yield _config("uv") / "uv.toml"
        yield Path(environ.get("PROGRAMDATA", "C:/ProgramData")) / "uv" / "uv.toml"
        return
    home = environ.get("XDG_CONFIG_HOME")
    yield (Path(home) if home else Path.home() / ".config") / "uv" / "uv.toml"
    for shared in (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep):
        yield Path(shared) / "uv" / "uv.toml"
    yield Path("/etc/uv/uv.toml")


def _config(name: str) -> Path:
    return Path(_dirs(name).user_config_dir)


def _dirs(name: str) -> PlatformDirs:
    return PlatformDirs(name, appauthor=False, roaming=True)


def _read(path: Path) -> bytes:
    """Return what is in *path*; endless files are cut. Raises OSError."""
    with path.open("rb") as file:
        return file.read(LARGEST + 1)


def _files_in(folder: Path) -> tuple[Path, ...]:
    try:
        return tuple(sorted(path for path in folder.iterdir() if path.is_file()))
    except OSError:
        return ()
