"""Real installers, driven as a user without a terminal would, far from the user's own settings.

The newest pip and uv come with the development dependencies. Other versions, Poetry and PDM run
when their environment exists; `.ci/clients` makes them.
"""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Protocol

_ROOT = Path(__file__).parents[2]
_ENVIRONMENTS = Path(os.environ.get("INDEXGATE_CLIENTS") or _ROOT / ".clients")
_FOREIGN = re.compile(
    "^(pip|uv|pdm|poetry|pipenv|virtual_env|python|indexgate|(requests|curl)_ca_bundle)",
    re.IGNORECASE,
)
_PROXIES = re.compile("^(http|https|all|no)_proxy$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a command ended and what it wrote, both streams together as a terminal shows them."""

    exit_code: int
    output: str

    def says(self, text: str) -> bool:
        """Whether the output has *text*, in whatever case and however wrapped."""
        return _flat(text) in _flat(self.output)


class Scratch:
    """A user's folders for one test: home, caches, a project and the place installed to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.project = folder / "project"
        for path in (self.home, self.project):
            path.mkdir(parents=True, exist_ok=True)

    @property
    def target(self) -> Path:
        """Where pip and `uv pip` install to."""
        return self.folder / "target"

    def environment(self) -> dict[str, str]:
        """Return the variables that a client sees: ours, without any setting of an installer."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not _FOREIGN.match(name) and not _PROXIES.match(name)
        }
        return kept | {
            "HOME": str(self.home),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_DATA_HOME": str(self.home / "data"),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "UV_PYTHON_DOWNLOADS": "never",
            "PDM_CHECK_UPDATE": "0",
            "POETRY_VIRTUALENVS_IN_PROJECT": "1",
            "POETRY_CONFIG_DIR": str(self.home / "config" / "poetry"),
            "no_proxy": "127.0.0.1,localhost",
            "NO_PROXY": "127.0.0.1,localhost",
            "NO_COLOR": "1",
            "COLUMNS": "400",
        }

    def run(self, *command: str | Path, **variables: str) -> Outcome:
        """Run *command* in the project's folder, without a terminal."""
        done = subprocess.run(
            command,
            cwd=self.project,
            env=self.environment() | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=180,
            check=False,
        )
        return Outcome(exit_code=done.returncode, output=done.stdout)

    def installed(self) -> dict[str, str]:
        """Return version by name of all that was installed to `target` or the project's `.venv`."""
        places = [self.target, *self.project.glob(".venv/lib/python*/site-packages")]
        found = distributions(path=[str(place) for place in places])
        return {distribution.name: distribution.version for distribution in found}


class Installer(Protocol):
    """A client of one version."""

    @property
    def name(self) -> str:
        """The client and its version, as `.ci/clients` names its environment."""

    def install(self, scratch: Scratch, index_url: str, *requirements: str) -> Outcome:
        """Install *requirements* from this index alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pip:
    """`pip install`."""

    name: str
    python: Path

    def install(self, scratch: Scratch, index_url: str, *requirements: str) -> Outcome:
        """Install to `scratch.target`."""
        return self.run(scratch, index_url, "install", "--target", scratch.target, *requirements)

    def run(self, scratch: Scratch, index_url: str, *arguments: str | Path) -> Outcome:
        """Run any pip command with this index."""
        command, *rest = arguments
        return scratch.run(self.python, "-m", "pip", command, "--index-url", index_url, *rest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Uv:
    """`uv pip install`, and uv's project commands."""

    name: str
    executable: Path

    def install(self, scratch: Scratch, index_url: str, *requirements: str) -> Outcome:
        """Install to `scratch.target`."""
        place = ("--python", sys.executable, "--target", scratch.target)
        return self.run(scratch, index_url, "pip", "install", *place, *requirements)

    def run(self, scratch: Scratch, index_url: str, *arguments: str | Path) -> Outcome:
        """Run any uv command with this index."""
        variables = {"UV_DEFAULT_INDEX": index_url, "UV_PYTHON": sys.executable}
        return scratch.run(self.executable, *arguments, **variables)


@dataclass(frozen=True, slots=True, kw_only=True)
class Poetry:
    """`poetry add` in a project whose one source is the index."""

    name: str
    executable: Path

    def install(self, scratch: Scratch, index_url: str, *requirements: str) -> Outcome:
        """Install to the project's `.venv`."""
        source = f'[[tool.poetry.source]]\nname = "gate"\nurl = "{index_url}"\n'
        write_project(scratch, f"[tool.poetry]\npackage-mode = false\n\n{source}")
        # Poetry's own spelling of a constraint, which every release reads: `demo@>=2.0`.
        wanted = [re.sub(r"^([\w.-]+)([<>=!~].*)$", r"\1@\2", item) for item in requirements]
        return scratch.run(self.executable, "add", "--no-interaction", *wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pdm:
    """`pdm add`, with the index in place of PyPI."""

    name: str
    executable: Path

    def install(self, scratch: Scratch, index_url: str, *requirements: str) -> Outcome:
        """Install to the project's `.venv`."""
        write_project(scratch, "[tool.pdm]\ndistribution = false\n")
        return scratch.run(
            self.executable, "add", "--no-self", *requirements, PDM_PYPI_URL=index_url
        )


NEWEST_PIP = Pip(name="pip", python=Path(sys.executable))
NEWEST_UV = Uv(name="uv", executable=Path(sys.executable).with_name("uv"))
NEWEST: tuple[Installer, ...] = (NEWEST_PIP, NEWEST_UV)
"""The clients that the development dependencies bring."""


def program(environment: str, name: str) -> Path:
    """Return where a program of a client's environment is, whether it is there or not."""
    return _ENVIRONMENTS / environment / "bin" / name


def others() -> dict[str, Installer]:
    """Return the clients that `.ci/clients` makes, whether they are there or not, by name."""
    pips = [f"pip-{version}" for version in ("21.3.1", "23.2.1", "25.3", "newest")]
    uvs = [f"uv-{version}" for version in ("0.8.24", "newest")]
    clients: list[Installer] = [
        *(Pip(name=name, python=program(name, "python")) for name in pips),
        *(Uv(name=name, executable=program(name, "uv")) for name in uvs),
        Poetry(name="poetry-newest", executable=program("poetry-newest", "poetry")),
        Pdm(name="pdm-newest", executable=program("pdm-newest", "pdm")),
    ]
    return {client.name: client for client in clients}


def missing(name: str) -> str | None:
    """Return why the client cannot run here, or None if it can."""
    if name not in others() or (_ENVIRONMENTS / name / "complete").exists():
        return None
    return f"no environment for {name}: run `.ci/clients`"


def write_project(scratch: Scratch, tables: str = "", *, dependencies: Sequence[str] = ()) -> None:
    """Write a `pyproject.toml` for the Python that runs the tests."""
    wanted = ", ".join(f'"{dependency}"' for dependency in dependencies)
    head = (
        '[project]\nname = "consumer"\nversion = "0.1"\nrequires-python = ">=3.11,<4"\n'
        f"dependencies = [{wanted}]\n\n"
    )
    (scratch.project / "pyproject.toml").write_text(head + tables, encoding="utf-8")


def _flat(text: str) -> str:
    return re.sub(r"\s+", "", text).lower()
