"""Every way round the gate, made on purpose: a client goes it, the doctor finds it, it is closed.

Each row of the table is a hole in a setting that otherwise leads a client to the gate. The client
goes round; what the doctor advises is done to the letter; the client goes round no more, and does
what it was asked to.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pypi_simple import PYPI_SIMPLE_ENDPOINT

from tests.end_to_end.clients import NEWEST_UV, Outcome, Scratch, program
from tests.end_to_end.gate import Gate, serving
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

pytestmark = pytest.mark.end_to_end

HERE = {"no_proxy": "127.0.0.1,localhost", "NO_PROXY": "127.0.0.1,localhost"}
PUBLIC = PYPI_SIMPLE_ENDPOINT.rstrip("/")

PIP = ("pip", "install", "--target", "{target}", "--no-deps", "--disable-pip-version-check")
UV = ("uv", "pip", "install", "--target", "{target}", "--no-deps", "--python", sys.executable)
TO_GATE = {
    "pip": {"PIP_INDEX_URL": "{gate}/"},
    "uv": {"UV_DEFAULT_INDEX": "{gate}"},
    "poetry": {},
    "pdm": {"PDM_PYPI_URL": "{gate}/"},
    "pipenv": {"PIPENV_PYPI_MIRROR": "{gate}/"},
}
HEAD = '[project]\nname = "consumer"\nversion = "0.1"\nrequires-python = ">=3.11,<4"\n'
PROJECT = HEAD + 'dependencies = ["demo"]\n'
POETRY = PROJECT + "\n[tool.poetry]\npackage-mode = false\n"
GATE_SOURCE = '\n[[tool.poetry.source]]\nname = "gate"\nurl = "{gate}/"\n'
POETRY_OTHER = '\n[[tool.poetry.source]]\nname = "other"\nurl = "{other}/"\npriority = "primary"\n'
PDM = PROJECT + "\n[tool.pdm]\ndistribution = false\n"
PIPFILE = '[[source]]\nname = "pypi"\nurl = "{public}"\nverify_ssl = true\n\n'


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way round the gate: settings that open it, and a command that goes it.

    `files` lie in the project, or in the user's configuration folder if they begin with `~`.
    `before` are commands that set the stage, without the doctor's knowing. With
    `reaches_nobody` the client wants the public index, which no test reaches: it fails.
    """

    client: str
    finds: tuple[str, ...]
    command: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    to_gate: bool = True
    before: tuple[tuple[tuple[str, ...], Mapping[str, str]], ...] = ()
    reaches_nobody: bool = False


PIP_CONF = "~/pip/pip.conf"
UV_TOML = "~/uv/uv.toml"
TO_OTHER = {"UV_DEFAULT_INDEX": "{other}"}

WAYS: dict[str, Way] = {
    # pip
    "pip: another index in its file": Way(
        client="pip", finds=("pip-not-pointed",), to_gate=False, command=(*PIP, "demo"),
        files={PIP_CONF: "# ours\n[global]\nindex-url = {other}/\ntimeout = 5\n"},
    ),
    "pip: another index for one of its commands": Way(
        client="pip", finds=("pip-not-pointed",), to_gate=False, command=(*PIP, "demo"),
        files={PIP_CONF: "[global]\nindex-url = {gate}/\n[install]\nindex_url: {other}/\n"},
    ),
    "pip: another index in a variable": Way(
        client="pip", finds=("pip-not-pointed",), to_gate=False, command=(*PIP, "demo"),
        environ={"PIP_INDEX_URL": "{other}/"},
    ),
    "pip: another index by the old name of the variable": Way(
        client="pip", finds=("pip-not-pointed",), to_gate=False, command=(*PIP, "demo"),
        environ={"PIP_PYPI_URL": "{other}/"},
    ),
    "pip: told no index": Way(
        client="pip", finds=("pip-not-pointed",), to_gate=False, command=(*PIP, "demo"),
        environ={"HTTPS_PROXY": "{server}", "PIP_RETRIES": "0"}, reaches_nobody=True,
    ),
    "pip: an extra index in a variable": Way(
        client="pip", finds=("pip-extra-index",), command=(*PIP, "demo"),
        environ={"PIP_EXTRA_INDEX_URL": "{other}/"},
    ),
    "pip: an extra index in its file, over several lines": Way(
        client="pip", finds=("pip-extra-index",), command=(*PIP, "demo"),
        files={PIP_CONF: "[global]\nextra-index-url =\n    {gate}/\n    {other}/\nretries = 1\n"},
    ),
    "pip: an extra index in the file that a variable names": Way(
        client="pip", finds=("pip-extra-index",), command=(*PIP, "demo"),
        files={"mine.conf": "[install]\nextra-index-url = {other}/\n"},
        environ={"PIP_CONFIG_FILE": "mine.conf"},
    ),
    "pip: a page of files in a variable": Way(
        client="pip", finds=("pip-find-links",), command=(*PIP, "demo"),
        environ={"PIP_FIND_LINKS": "{other}/demo/"},
    ),
    "pip: a page of files and no index, in its file": Way(
        client="pip", finds=("pip-find-links", "pip-no-index"), command=(*PIP, "demo"),
        files={PIP_CONF: "[global]\nno-index = true\nfind-links = {other}/demo/\n"},
    ),
    "pip: a proxy of its own": Way(
        client="pip", finds=("pip-proxy",), command=(*PIP, "demo"),
        files={PIP_CONF: "[global]\nproxy = {server}\n"},
    ),
    "pip: the environment's proxy": Way(
        client="pip", finds=("proxy-catches-gate",), command=(*PIP, "demo"),
        environ={"http_proxy": "{server}", "no_proxy": "", "NO_PROXY": ""},
    ),
    # requirements files, for pip and uv
    "requirements: another index": Way(
        client="pip", finds=("requirements-index",), command=(*PIP, "-r", "requirements.txt"),
        files={"requirements.txt": "demo\n--index-url \\\n  {other}/\n"},
    ),
    "requirements: an extra index in a file that is named": Way(
        client="pip", finds=("requirements-index",), command=(*PIP, "-r", "requirements.txt"),
        files={"requirements.txt": "-r in/more\n", "in/more": "demo\n--extra-index-url={other}/\n"},
    ),
    "requirements: an extra index, for uv": Way(
        client="uv", finds=("requirements-index",), command=(*UV, "-r", "requirements.txt"),
        files={"requirements.txt": "--extra-index-url {other}\ndemo\n"},
    ),
    "requirements: a page of files and no index": Way(
        client="pip", finds=("requirements-find-links", "requirements-no-index"),
        command=(*PIP, "-r", "requirements.txt"),
        files={"requirements.txt": "--no-index\n-f {other}/demo/\ndemo\n"},
    ),
    "requirements: an address": Way(
        client="pip", finds=("direct-address",), command=(*PIP, "-r", "requirements-dev.txt"),
        files={"requirements-dev.txt": "demo @ {file} ; python_version > '3' # here\n"},
    ),
    "requirements: an address alone, for uv": Way(
        client="uv", finds=("direct-address",), command=(*UV, "-r", "requirements.txt"),
        files={"requirements.txt": "{file}\n"},
    ),
    "requirements: a repository": Way(
        client="pip", finds=("direct-address",), command=(*PIP, "-r", "requirements.txt"),
        files={"requirements.txt": "-e git+{server}/demo.git@v1#egg=demo\n"},
    ),
    "constraints: an address": Way(
        client="uv", finds=("direct-address",), command=(*UV, "-c", "constraints.txt", "demo"),
        files={"constraints.txt": "demo @ {file}\n"},
    ),
    "constraints: an address, in a file that pip's own names": Way(
        client="pip", finds=("direct-address",), command=(*PIP, "demo"),
        files={PIP_CONF: "[global]\nconstraint = pins\n", "pins": "demo @ {file}\n"},
    ),
    "constraints: an address, in a file that a variable names": Way(
        client="uv", finds=("direct-address",), command=(*UV, "demo"),
        files={"pins": "demo @ {file}\n"}, environ={"UV_CONSTRAINT": "pins"},
    ),
    # uv
    "uv: another default index in a variable": Way(
        client="uv", finds=("uv-not-pointed",), to_gate=False, command=(*UV, "demo"),
        environ=TO_OTHER,
    ),
    "uv: another default index by the old variable": Way(
        client="uv", finds=("uv-not-pointed",), to_gate=False, command=(*UV, "demo"),
        environ={"UV_INDEX_URL": "{other}"},
    ),
    "uv: another default index in its file": Way(
        client="uv", finds=("uv-not-pointed",), to_gate=False, command=(*UV, "demo"),
        files={UV_TOML: '[[index]]\nurl = "{other}" # ours\ndefault = true\n'},
    ),
    "uv: another default index in the project, over the user's": Way(
        client="uv", finds=("uv-not-pointed",), to_gate=False, command=("uv", "lock"),
        files={
            UV_TOML: '[[index]]\nurl = "{gate}"\ndefault = true\n',
            "pyproject.toml": PROJECT + '[[tool.uv.index]]\nurl = "{other}"\ndefault = true\n',
        },
    ),
    "uv: another index-url for its pip": Way(
        client="uv", finds=("uv-not-pointed",), command=(*UV, "demo"), to_gate=False,
        files={UV_TOML: 'index-url = "{gate}"\n[pip]\nindex-url = "{other}"\n'},
    ),
    "uv: told no index": Way(
        client="uv", finds=("uv-not-pointed",), to_gate=False, command=(*UV, "demo"),
        environ={"HTTPS_PROXY": "{server}", "UV_HTTP_RETRIES": "0"}, reaches_nobody=True,
    ),
    "uv: told no default, with settings": Way(
        client="uv", finds=("uv-not-pointed",), to_gate=False, command=(*UV, "demo"),
        files={UV_TOML: "# ours\nnative-tls = false\n[pip]\nno-deps = true\n"},
        environ={"HTTPS_PROXY": "{server}", "UV_HTTP_RETRIES": "0"}, reaches_nobody=True,
    ),
    "uv: an index in a variable": Way(
        client="uv", finds=("uv-index",), command=(*UV, "demo"),
        environ={"UV_INDEX": "other={other}"},
    ),
    "uv: an extra index in a variable": Way(
        client="uv", finds=("uv-index",), command=(*UV, "demo"),
        environ={"UV_EXTRA_INDEX_URL": "{other}"},
    ),
    "uv: an index of the project": Way(
        client="uv", finds=("uv-index",), command=("uv", "lock"),
        files={"pyproject.toml": PROJECT + '[[tool.uv.index]]\nname = "other"\nurl = "{other}"\n'},
    ),
    "uv: an index of the project in one line": Way(
        client="uv", finds=("uv-index",), command=("uv", "lock"),
        files={"pyproject.toml": PROJECT + '[tool.uv]\nindex = [{{ url = "{other}" }}]\n'},
    ),
    "uv: an index of the project that a dependency is pinned to": Way(
        client="uv", finds=("uv-index",), command=("uv", "lock"),
        files={
            "pyproject.toml": PROJECT + '[tool.uv.sources]\ndemo = {{ index = "other" }}\n'
            '[[tool.uv.index]]\nname = "other"\nurl = "{other}"\nexplicit = true\n'
        },
    ),
    "uv: an extra index in its file": Way(
        client="uv", finds=("uv-index",), command=(*UV, "demo"),
        files={UV_TOML: '[pip]\nextra-index-url = [\n  "{other}",\n  "{gate}",\n]\n'},
    ),
    "uv: an index in the file that a variable names": Way(
        client="uv", finds=("uv-index",), command=(*UV, "demo"),
        files={"mine.toml": '[[index]]\nurl = "{other}"\n'},
        environ={"UV_CONFIG_FILE": "mine.toml"},
    ),
    "uv: a page of files in a variable": Way(
        client="uv", finds=("uv-find-links",), command=(*UV, "demo"),
        environ={"UV_FIND_LINKS": "{other}/demo/"},
    ),
    "uv: a page of files and no index, in the project": Way(
        client="uv", finds=("uv-find-links", "uv-no-index"), command=("uv", "lock"),
        files={
            "pyproject.toml": PROJECT
            + '[tool.uv]\nno-index = true\nfind-links = ["{other}/demo/"]\n'
        },
    ),
    "uv: any version of any index": Way(
        client="uv", finds=("uv-index-strategy", "uv-index"), command=(*UV, "demo"),
        environ={"UV_INDEX_STRATEGY": "unsafe-best-match", "UV_INDEX": "{other}"},
    ),
    "uv: the environment's proxy": Way(
        client="uv", finds=("proxy-catches-gate",), command=(*UV, "demo"),
        environ={"ALL_PROXY": "{server}", "no_proxy": "10.0.0.0/8", "NO_PROXY": "localhost"},
    ),
    "uv: a source that is an address": Way(
        client="uv", finds=("uv-source",), command=("uv", "lock"),
        files={"pyproject.toml": PROJECT + '[tool.uv.sources]\ndemo = {{ url = "{file}" }}\n'},
    ),
    "uv: a source that is a repository, as a table": Way(
        client="uv", finds=("uv-source",), command=("uv", "lock"),
        files={
            "pyproject.toml": PROJECT
            + '[tool.uv.sources.demo]\ngit = "{server}/demo.git"\nrev = "v1"\n[tool.uv]\n'
        },
    ),
    "project: a dependency that is an address": Way(
        client="uv", finds=("direct-address",), command=("uv", "lock"),
        files={"pyproject.toml": HEAD + 'dependencies = [\n  "demo @ {file}", # here\n]\n'},
    ),
    "project: a dependency group that is an address": Way(
        client="uv", finds=("direct-address",), command=("uv", "lock"),
        files={"pyproject.toml": HEAD + "[dependency-groups]\ndev = ['demo @ {file}']\n"},
    ),
    # locks
    "uv.lock: another index, and frozen": Way(
        client="uv", finds=("lock-other-host",), command=("uv", "sync", "--frozen"),
        files={"pyproject.toml": PROJECT}, before=((("uv", "lock"), TO_OTHER),),
    ),
    "uv.lock: upstream's own addresses, and frozen by a variable": Way(
        client="uv", finds=("lock-other-host",), command=("uv", "sync"),
        files={"pyproject.toml": PROJECT}, environ={"UV_FROZEN": "1"},
        before=((("uv", "lock"), {"UV_DEFAULT_INDEX": "{upstream}", "UV_FROZEN": "0"}),),
    ),
    "uv.lock: a file at an address, left from before": Way(
        client="uv", finds=("lock-address", "uv-source"), command=("uv", "sync", "--frozen"),
        files={"pyproject.toml": PROJECT + '[tool.uv.sources]\ndemo = {{ url = "{file}" }}\n'},
        before=((("uv", "lock"), {}),),
    ),
    "pylock.toml: upstream's own addresses": Way(
        client="uv", finds=("lock-other-host",),
        command=("uv", "pip", "sync", "--target", "{target}", "pylock.toml"),
        files={"requirements.in": "demo\n"},
        before=((
            ("uv", "pip", "compile", "--format", "pylock.toml", "-o", "pylock.toml",
             "requirements.in"), {"UV_DEFAULT_INDEX": "{upstream}"},
        ),),
    ),
    # Poetry
    "Poetry: another source": Way(
        client="poetry", finds=("poetry-source",), command=("poetry", "lock"),
        files={"pyproject.toml": POETRY + GATE_SOURCE + POETRY_OTHER},
    ),
    "Poetry: a source that a dependency is pinned to": Way(
        client="poetry", finds=("poetry-source",), command=("poetry", "lock"),
        files={
            "pyproject.toml": POETRY + GATE_SOURCE + POETRY_OTHER.replace("primary", "explicit")
            + '[tool.poetry.dependencies]\ndemo = {{ version = "*", source = "other" }}\n'
        },
    ),
    "Poetry: told no index": Way(
        client="poetry", finds=("poetry-not-pointed",), command=("poetry", "lock"),
        files={"pyproject.toml": POETRY},
        environ={"HTTPS_PROXY": "{server}"}, reaches_nobody=True,
    ),
    "Poetry: the gate after the public index": Way(
        client="poetry", finds=("poetry-not-pointed",), command=("poetry", "lock"),
        files={"pyproject.toml": POETRY + GATE_SOURCE + 'priority = "supplemental"\n'},
        environ={"HTTPS_PROXY": "{server}"}, reaches_nobody=True,
    ),
    "Poetry: the public index as a source": Way(
        client="poetry", finds=("poetry-source",), command=("poetry", "lock"),
        files={
            "pyproject.toml": POETRY + '\n[[tool.poetry.source]]\nname = "PyPI"\n'
            'priority = "primary"\n' + GATE_SOURCE
        },
        environ={"HTTPS_PROXY": "{server}"}, reaches_nobody=True,
    ),
    "Poetry: a dependency that is an address": Way(
        client="poetry", finds=("direct-address",), command=("poetry", "lock"),
        files={
            "pyproject.toml": HEAD + "[tool.poetry]\npackage-mode = false\n"
            '[tool.poetry.dependencies]\ndemo = {{ url = "{file}" }}\n' + GATE_SOURCE
        },
    ),
    "poetry.lock: another index": Way(
        client="poetry", finds=("lock-other-host", "poetry-source"), command=("poetry", "install"),
        files={"pyproject.toml": POETRY + POETRY_OTHER}, before=((("poetry", "lock"), {}),),
    ),
    # PDM
    "PDM: another index in a variable": Way(
        client="pdm", finds=("pdm-not-pointed",), to_gate=False, command=("pdm", "lock"),
        files={"pyproject.toml": PDM}, environ={"PDM_PYPI_URL": "{other}/"},
    ),
    "PDM: another index in the project's settings": Way(
        client="pdm", finds=("pdm-not-pointed",), to_gate=False, command=("pdm", "lock"),
        files={"pyproject.toml": PDM, "pdm.toml": '[pypi]\nurl = "{other}/"\n'},
    ),
    "PDM: another index in its own settings": Way(
        client="pdm", finds=("pdm-source",), command=("pdm", "lock"),
        files={"pyproject.toml": PDM, "~/pdm/config.toml": '[pypi.extra]\nurl = "{other}/"\n'},
    ),
    "PDM: told no index": Way(
        client="pdm", finds=("pdm-not-pointed",), to_gate=False, command=("pdm", "lock"),
        files={"pyproject.toml": PDM}, environ={"HTTPS_PROXY": "{server}"}, reaches_nobody=True,
    ),
    "PDM: another source of the project": Way(
        client="pdm", finds=("pdm-source",), command=("pdm", "lock"),
        files={"pyproject.toml": PDM + '[[tool.pdm.source]]\nname = "other"\nurl = "{other}/"\n'},
    ),
    "PDM: a source in the place of the index": Way(
        client="pdm", finds=("pdm-source",), command=("pdm", "lock"),
        files={"pyproject.toml": PDM + '[[tool.pdm.source]]\nname = "pypi"\nurl = "{other}/"\n'},
    ),
    "PDM: a page of files": Way(
        client="pdm", finds=("pdm-source",), command=("pdm", "lock"),
        files={
            "pyproject.toml": PDM + '[[tool.pdm.source]]\nname = "page"\nurl = "{other}/demo/"\n'
            'type = "find_links"\n'
        },
    ),
    "pdm.lock: static addresses of another host": Way(
        client="pdm", finds=("lock-other-host", "pdm-static-urls"),
        command=("pdm", "sync", "--no-self"), files={"pyproject.toml": PDM},
        before=((("pdm", "lock", "-S", "static_urls"), {"PDM_PYPI_URL": "{other}/"}),),
    ),
    # pipenv
    "pipenv: another source": Way(
        client="pipenv", finds=("pipenv-source",), command=("pipenv", "lock"),
        files={"Pipfile": PIPFILE.replace("{public}", "{other}/") + '[packages]\ndemo = "*"\n'},
    ),
    "pipenv: a mirror that is another": Way(
        client="pipenv", finds=("pipenv-source",), to_gate=False, command=("pipenv", "lock"),
        files={"Pipfile": PIPFILE + '[packages]\ndemo = "*"\n'},
        environ={"PIPENV_PYPI_MIRROR": "{other}/"},
    ),
    "pipenv: a package that is an address": Way(
        client="pipenv", finds=("direct-address",), command=("pipenv", "lock"),
        files={"Pipfile": PIPFILE + '[packages]\ndemo = {{ file = "{file}" }}\n'},
    ),
    "Pipfile.lock: another index": Way(
        client="pipenv", finds=("lock-other-host", "pipenv-source"), command=("pipenv", "sync"),
        files={"Pipfile": PIPFILE.replace("{public}", "{other}/") + '[packages]\ndemo = "*"\n'},
        before=((("pipenv", "lock"), {}),),
    ),
}  # fmt: skip

PROGRAMS = {
    "pip": (sys.executable, "-m", "pip"),
    "uv": (str(NEWEST_UV.executable),),
    "poetry": (str(program("poetry-newest", "poetry")),),
    "pdm": (str(program("pdm-newest", "pdm")),),
    "pipenv": (str(program("pipenv-newest", "pipenv")),),
    "indexgate": (sys.executable, "-m", "indexgate"),
}


@dataclass(frozen=True, kw_only=True)
class World:
    """The gate, the index behind it, and another one that nobody should ask."""

    gate: Gate
    state: Path
    upstream: Upstream
    other: Upstream

    def forget(self) -> None:
        for server in (self.upstream, self.other):
            server.log.clear()

    def round_the_gate(self) -> list[str]:
        """Return what was asked of anybody but the gate, by anybody but the gate."""
        return [
            f"{asked.method} {asked.path}"
            for server in (self.upstream, self.other)
            for asked in server.log
            if not asked.headers.get("User-Agent", "").startswith("indexgate")
        ]

    def filled(self, text: str, scratch: Scratch) -> str:
        demo = self.other.projects["demo"].files[0]  # type: ignore[index]
        return text.format(
            gate=self.gate.url.rstrip("/"),
            other=self.other.url.rstrip("/"),
            upstream=self.upstream.url.rstrip("/"),
            server=self.other.origin,
            file=self.other.file_url(demo),
            target=scratch.target,
            public=PUBLIC,
        )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    policy = folder / "policy.toml"
    policy.write_text("version = 1\n", encoding="utf-8")
    behind = Upstream(project("demo", wheel("demo", "1.0")))
    other = Upstream(project("demo", wheel("demo", "1.0"), wheel("demo", "9.0")))
    with behind, other:
        with serving(
            state=folder / "state",
            policy=policy,
            upstream=behind.url,
            environment=Scratch(folder / "operator").environment(),
        ) as gate:
            yield World(gate=gate, state=folder / "state", upstream=behind, other=other)


@pytest.mark.parametrize("name", WAYS)
def test_a_way_round_the_gate_is_found_and_closed(
    name: str, world: World, scratch: Scratch
) -> None:
    way = WAYS[name]
    if way.client not in {"pip", "uv"} and not Path(PROGRAMS[way.client][0]).exists():
        pytest.skip(f"no environment for {way.client}: run `.ci/clients`")
    environ = _stage(way, world, scratch)

    world.forget()
    went = _run(way.command, world, scratch, environ)
    asked = world.round_the_gate()
    assert asked or (way.reaches_nobody and went.exit_code != 0), went.output

    found = _doctor(way, world, scratch, environ)
    assert set(way.finds) <= {each["id"] for each in found["findings"]}, found
    _close(found["findings"], world, scratch, environ)

    after = _doctor(way, world, scratch, environ)
    assert after["counts"]["error"] == after["counts"]["warning"] == 0, after
    world.forget()
    _forget_installed(scratch)
    went = _run(way.command, world, scratch, environ)
    assert world.round_the_gate() == [], went.output
    assert went.exit_code == 0, went.output


def _stage(way: Way, world: World, scratch: Scratch) -> dict[str, str]:
    """Write the files of *way* and return the environment that its client runs in."""
    environ = scratch.environment()
    environ.pop("PIP_CONFIG_FILE")
    environ |= {"PIPENV_VENV_IN_PROJECT": "1", "PIPENV_NOSPIN": "1", "PDM_NON_INTERACTIVE": "1"}
    environ |= {"INDEXGATE_UPSTREAM": world.upstream.url}
    given = {**(TO_GATE[way.client] if way.to_gate else {}), **way.environ}
    environ |= {key: world.filled(value, scratch) for key, value in given.items()}
    for name, text in way.files.items():
        user = scratch.home / "config" / name.removeprefix("~/")
        path = user if name.startswith("~") else scratch.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(world.filled(text, scratch), encoding="utf-8")
    for command, more in way.before:
        filled = {key: world.filled(value, scratch) for key, value in more.items()}
        done = _run(command, world, scratch, environ | filled)
        assert done.exit_code == 0, done.output
    return environ


def _run(
    command: Sequence[str], world: World, scratch: Scratch, environ: Mapping[str, str]
) -> Outcome:
    name, *rest = command
    cache = ("--no-cache",) if name == "uv" else ()
    words = [*PROGRAMS[name], *cache, *(world.filled(word, scratch) for word in rest)]
    done = subprocess.run(
        words,
        cwd=scratch.project,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=180,
        check=False,
    )
    return Outcome(exit_code=done.returncode, output=done.stdout)


def _doctor(way: Way, world: World, scratch: Scratch, environ: Mapping[str, str]) -> dict[str, Any]:
    settings = ("--state", str(world.state), "--port", str(world.gate.port))
    words = ("doctor", "--json", "--client", way.client, *settings)
    done = subprocess.run(
        [*PROGRAMS["indexgate"], *words],
        cwd=scratch.project,
        env=dict(environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    grave = report["counts"]["error"] + report["counts"]["warning"]
    assert done.returncode == int(grave > 0)
    return report


def _close(
    findings: Sequence[Mapping[str, Any]],
    world: World,
    scratch: Scratch,
    environ: dict[str, str],
) -> None:
    """Do what the findings advise, to the letter: lines from below, variables, then commands."""
    cures = [each["cure"] for each in findings]
    edits = [cure for cure in cures if cure["kind"] == "edit"]
    for edit in sorted(edits, key=lambda cure: -cure["last"]):
        path = Path(edit["path"])
        # A machine that leads past the gate itself is told so; a test does not mend it.
        assert path.is_relative_to(scratch.folder), f"{path} of this machine leads past the gate"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        text = [] if edit["text"] is None else [edit["text"]]
        lines[edit["first"] - 1 : edit["last"]] = text
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    for cure in cures:
        for name, value in cure["values"].items() if cure["kind"] == "variables" else ():
            environ.pop(name, None)
            if value is not None:
                environ[name] = value
    commands = [tuple(cure["words"]) for cure in cures if cure["kind"] == "command"]
    for command in dict.fromkeys(commands):
        done = _run(command, world, scratch, environ | _unfrozen(command))
        assert done.exit_code == 0, done.output


def _unfrozen(command: Sequence[str]) -> dict[str, str]:
    return {"UV_FROZEN": "0"} if tuple(command) == ("uv", "lock") else {}


def _forget_installed(scratch: Scratch) -> None:
    """Take away what the way round has brought, so that the client has to ask again."""
    for path in (scratch.target, scratch.project / ".venv", scratch.home / "cache"):
        shutil.rmtree(path, ignore_errors=True)
