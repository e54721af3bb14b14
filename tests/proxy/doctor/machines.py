"""Machines that exist in a test alone: their files are a mapping, nothing is read from the disk."""

from collections.abc import Mapping
from pathlib import Path

from indexgate.doctor.machine import GateAddress, Machine
from indexgate.pip_settings import Places

HOME = Path("/users")
PROJECT = Path("/users/app")
GATE = "http://127.0.0.1:8503/simple/"
OTHER = "https://other.example.test/simple/"


def machine(
    files: Mapping[str, str | bytes] | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    programs: frozenset[str] = frozenset(),
    mirror_plugin: bool = False,
    roots: tuple[str, ...] = ("http://127.0.0.1:8503/", "http://localhost:8503/"),
    upstreams: tuple[str, ...] = (),
) -> Machine:
    """Return a machine with *files*, whose paths are from the project, `~` from the home."""
    there = {_path(name): text for name, text in (files or {}).items()}

    def read_file(path: Path) -> bytes:
        if path not in there:
            raise FileNotFoundError(path)
        text = there[path]
        return text if isinstance(text, bytes) else text.encode()

    return Machine(
        environ=environ or {},
        folder=PROJECT,
        home=HOME,
        pip=Places(
            system=(Path("/etc/pip.conf"),),
            user=(HOME / "pip.conf",),
            site=(PROJECT / ".venv" / "pip.conf",),
        ),
        uv=(HOME / "uv.toml", Path("/etc/uv/uv.toml")),
        poetry=(PROJECT / "poetry.toml", HOME / "poetry.toml"),
        pdm=(PROJECT / "pdm.toml", HOME / "pdm.toml"),
        read_file=read_file,
        files_in=lambda folder: tuple(sorted(path for path in there if path.parent == folder)),
        programs=programs,
        mirror_plugin=mirror_plugin,
        gate=GateAddress(roots=roots, upstreams=upstreams),
    )


def _path(name: str) -> Path:
    if name.startswith("~/"):
        return HOME / name[2:]
    return PROJECT / name
