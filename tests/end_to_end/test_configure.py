"""`indexgate configure` with each client: it installs through the gate, and after the undo not."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.end_to_end.clients import (
    NEWEST_PIP,
    NEWEST_UV,
    Outcome,
    Scratch,
    program,
    write_project,
)
from tests.end_to_end.gate import free_port, serving
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

pytestmark = pytest.mark.end_to_end


@dataclass(frozen=True, kw_only=True)
class Case:
    """A client, the settings file that points it at an index, and how it installs `demo`.

    `write` writes that file for the index at an address, `install` asks for `demo` in whatever
    version there is.
    """

    environment: str
    client: str
    flags: tuple[str, ...]
    write: Callable[[Scratch, str], Path]
    install: Callable[[Scratch], Outcome]


def _pip_file(scratch: Scratch, url: str) -> Path:
    path = scratch.home / "config" / "pip" / "pip.conf"
    return _written(path, f"; of mine\n[global]\ntimeout = 60\nindex-url = {url}\n")


def _pip(python: Path) -> Callable[[Scratch], Outcome]:
    def install(scratch: Scratch) -> Outcome:
        shutil.rmtree(scratch.target, ignore_errors=True)  # pip leaves the old one beside the new
        place = ("--target", scratch.target)
        return scratch.run(python, "-m", "pip", "install", *place, "demo", PIP_CONFIG_FILE="")

    return install


def _uv_file(scratch: Scratch, url: str) -> Path:
    path = scratch.home / "config" / "uv" / "uv.toml"
    return _written(path, f'# of mine\nno-build = true\n\n[[index]]\nurl = "{url}"\ndefault = true')


def _uv_project(scratch: Scratch, url: str) -> Path:
    index = f'[[tool.uv.index]] # of mine\nurl = "{url}"\ndefault = true\n'
    write_project(scratch, f"[tool.uv]\npackage = false\n\n{index}", dependencies=["demo"])
    return scratch.project / "pyproject.toml"


def _uv(executable: Path) -> Callable[[Scratch], Outcome]:
    def install(scratch: Scratch) -> Outcome:
        place = ("--python", sys.executable, "--target", scratch.target, "--upgrade")
        return scratch.run(executable, "pip", "install", *place, "demo")

    return install


def _uv_sync(executable: Path) -> Callable[[Scratch], Outcome]:
    def install(scratch: Scratch) -> Outcome:
        (scratch.project / "uv.lock").unlink(missing_ok=True)
        return scratch.run(executable, "sync", UV_PYTHON=sys.executable)

    return install


def _poetry_project(scratch: Scratch, url: str) -> Path:
    source = f'[[tool.poetry.source]]\nname = "here"   # of mine\nurl = "{url}"\n'
    write_project(scratch, f"[tool.poetry]\npackage-mode = false\n\n{source}")
    path = scratch.project / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    return _written(path, text.replace("dependencies = []", 'dependencies = ["demo"]'))


def _poetry(executable: Path) -> Callable[[Scratch], Outcome]:
    def install(scratch: Scratch) -> Outcome:
        (scratch.project / "poetry.lock").unlink(missing_ok=True)
        return scratch.run(executable, "install", "--no-interaction")

    return install


def _poetry_user(scratch: Scratch, url: str) -> Path:
    write_project(scratch, "[tool.poetry]\npackage-mode = false\n", dependencies=["demo"])
    path = scratch.home / "config" / "poetry" / "config.toml"
    return _written(path, f'# of mine\n[plugins.pypi_mirror]\nurl = "{url}"\n')


def _pdm_user(scratch: Scratch, url: str) -> Path:
    write_project(scratch, "[tool.pdm]\ndistribution = false\n", dependencies=["demo"])
    path = scratch.home / "config" / "pdm" / "config.toml"
    return _written(path, f'check_update = false # of mine\n\n[pypi]\nurl = "{url}"\n')


def _pdm_project(scratch: Scratch, url: str) -> Path:
    write_project(scratch, "[tool.pdm]\ndistribution = false\n", dependencies=["demo"])
    return _written(scratch.project / "pdm.toml", f'[pypi]\r\nurl = "{url}" # of mine\r\n')


def _pdm_source(scratch: Scratch, url: str) -> Path:
    source = f'[[tool.pdm.source]]\nname = "pypi"  # of mine\nurl = "{url}"\nverify_ssl = true\n'
    write_project(scratch, f"[tool.pdm]\ndistribution = false\n\n{source}", dependencies=["demo"])
    return scratch.project / "pyproject.toml"


def _pdm(executable: Path) -> Callable[[Scratch], Outcome]:
    def install(scratch: Scratch) -> Outcome:
        (scratch.project / "pdm.lock").unlink(missing_ok=True)
        return scratch.run(executable, "install", "--no-self")

    return install


def _pipfile(scratch: Scratch, url: str) -> Path:
    text = f'# of mine\n[[source]]\nurl = "{url}"\nverify_ssl = true\nname = "pypi"\n\n'
    return _written(scratch.project / "Pipfile", f'{text}[packages]\ndemo = "*"\n')


def _pipenv(executable: Path) -> Callable[[Scratch], Outcome]:
    def install(scratch: Scratch) -> Outcome:
        (scratch.project / "Pipfile.lock").unlink(missing_ok=True)
        variables = {"PIPENV_VENV_IN_PROJECT": "1", "PIPENV_IGNORE_VIRTUALENVS": "1"}
        return scratch.run(executable, "install", **variables)

    return install


def _written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def _cases() -> dict[str, Case]:
    old = {name: program(name, "python") for name in ("pip-21.3.1", "pip-23.2.1", "pip-25.3")}
    pips = {"pip": NEWEST_PIP.python, **old}
    uvs = {"uv": NEWEST_UV.executable, "uv-0.8.24": program("uv-0.8.24", "uv")}
    cases = {
        name: Case(environment=name, client="pip", flags=(), write=_pip_file, install=_pip(python))
        for name, python in pips.items()
    }
    for name, executable in uvs.items():
        cases[f"{name} user"] = Case(
            environment=name, client="uv", flags=(), write=_uv_file, install=_uv(executable)
        )
        cases[f"{name} project"] = Case(
            environment=name,
            client="uv",
            flags=("--project",),
            write=_uv_project,
            install=_uv_sync(executable),
        )
    cases["poetry project"] = Case(
        environment="poetry-newest",
        client="poetry",
        flags=(),
        write=_poetry_project,
        install=_poetry(program("poetry-newest", "poetry")),
    )
    cases["poetry user"] = Case(
        environment="poetry-mirror",
        client="poetry",
        flags=("--user",),
        write=_poetry_user,
        install=_poetry(program("poetry-mirror", "poetry")),
    )
    pdm = _pdm(program("pdm-newest", "pdm"))
    for name, flags, write in (
        ("pdm user", (), _pdm_user),
        ("pdm project", ("--project",), _pdm_project),
        ("pdm source", ("--project",), _pdm_source),
    ):
        cases[name] = Case(
            environment="pdm-newest", client="pdm", flags=flags, write=write, install=pdm
        )
    cases["pipenv"] = Case(
        environment="pipenv-newest",
        client="pipenv",
        flags=(),
        write=_pipfile,
        install=_pipenv(program("pipenv-newest", "pipenv")),
    )
    return cases


CASES = _cases()


@pytest.fixture(scope="module")
def index() -> Iterator[Upstream]:
    """`demo` 1.0 and a 2.0 of two days ago, which the gate refuses."""
    lately = datetime.now(UTC) - timedelta(days=2)
    demo = project("demo", wheel("demo", "1.0"), wheel("demo", "2.0", upload_time=lately))
    with Upstream(demo) as running:
        yield running


def configure(scratch: Scratch, state: Path, port: int, *words: str, path: str) -> Outcome:
    done = subprocess.run(
        (sys.executable, "-m", "indexgate", "configure", *words, "--port", str(port)),
        cwd=scratch.project,
        env=scratch.environment()
        | {"PIP_CONFIG_FILE": "", "INDEXGATE_STATE": str(state), "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return Outcome(exit_code=done.returncode, output=done.stdout)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_client_installs_through_the_gate_and_after_the_undo_without_it(
    case: Case, index: Upstream, refusing: Path, scratch: Scratch, tmp_path: Path
) -> None:
    executable = program(case.environment, "python")
    if case.environment not in ("pip", "uv") and not executable.exists():
        pytest.skip(f"no environment for {case.environment}: run `.ci/clients`")
    state, port = tmp_path / "state", free_port()
    settings = case.write(scratch, index.url)
    was = settings.read_bytes()
    path = os.pathsep.join([str(executable.parent), os.environ["PATH"]])

    configured = configure(scratch, state, port, case.client, *case.flags, path=path)
    assert configured.exit_code == 0, configured.output
    assert f"in front of `{index.url}`" in configured.output
    assert b"of mine" in settings.read_bytes()
    with serving(
        state=state,
        policy=refusing,
        upstream=None,
        environment=scratch.environment() | {"INDEXGATE_OSV_URL": ""},
        port=port,
    ):
        outcome = case.install(scratch)
        assert outcome.exit_code == 0, outcome.output
        assert scratch.installed()["demo"] == "1.0", outcome.output
        settled = configure(scratch, state, port, case.client, *case.flags, path=path)
        assert settled.says("already"), settled.output
        assert not settled.says("no gate of yours"), settled.output

    undone = configure(scratch, state, port, case.client, *case.flags, "--undo", path=path)
    assert undone.exit_code == 0, undone.output
    assert settings.read_bytes() == was
    outcome = case.install(scratch)
    assert outcome.exit_code == 0, outcome.output
    assert scratch.installed()["demo"] == "2.0", outcome.output


def _pip_sets(scratch: Scratch) -> Outcome:
    words = ("-m", "pip", "config", "--user", "set", "global.retries", "9")
    return scratch.run(NEWEST_PIP.python, *words, PIP_CONFIG_FILE="")


def _uv_adds(scratch: Scratch) -> Outcome:
    words = ("add", "--frozen", "app")
    return scratch.run(NEWEST_UV.executable, *words, UV_PYTHON=sys.executable)


def _pdm_sets(scratch: Scratch) -> Outcome:
    return scratch.run(program("pdm-newest", "pdm"), "config", "install.parallel", "false")


def _poetry_adds(scratch: Scratch) -> Outcome:
    words = ("source", "add", "--priority=explicit", "more", "https://more.example.test/simple/")
    return scratch.run(program("poetry-newest", "poetry"), *words)


@pytest.mark.parametrize(
    ("name", "rewrite", "mark"),
    [
        ("pip", _pip_sets, "retries = 9"),
        ("uv project", _uv_adds, '"app"'),
        ("pdm user", _pdm_sets, "parallel ="),
        ("poetry project", _poetry_adds, 'name = "more"'),
    ],
)
def test_what_the_client_writes_meanwhile_stays_when_the_gate_is_taken_out(
    name: str,
    rewrite: Callable[[Scratch], Outcome],
    mark: str,
    scratch: Scratch,
    tmp_path: Path,
) -> None:
    case = CASES[name]
    executable = program(case.environment, "python")
    if case.environment not in ("pip", "uv") and not executable.exists():
        pytest.skip(f"no environment for {case.environment}: run `.ci/clients`")
    url = "https://index.example.test/simple/"
    for file_there in (True, False):
        settings = case.write(scratch, url)
        shared = settings.parent == scratch.project
        if not file_there and not shared:
            settings.unlink()
        path, state, port = os.environ["PATH"], tmp_path / "state", free_port()
        configured = configure(scratch, state, port, case.client, *case.flags, path=path)
        assert configured.exit_code == 0, configured.output
        rewritten = rewrite(scratch)
        assert rewritten.exit_code == 0, rewritten.output
        undone = configure(scratch, state, port, case.client, *case.flags, "--undo", path=path)
        assert undone.exit_code == 0, undone.output
        assert undone.says("was changed since"), undone.output
        text = settings.read_text(encoding="utf-8")
        assert mark in text
        assert str(port) not in text
        assert (url in text) is (file_there or shared)
