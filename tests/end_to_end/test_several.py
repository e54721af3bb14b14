"""A company's index and a public one behind one gate: installing, explaining, running."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.end_to_end.clients import NEWEST, NEWEST_PIP, Installer, Scratch
from tests.end_to_end.gate import Gate, free_port, serving
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

pytestmark = pytest.mark.end_to_end

TABLES = """\
osv_url = ""

[[index]]
name = "acme"
url = "{acme}"
login_variable = "ACME_LOGIN"
namespaces = ["acme-*"]

[[index]]
name = "public"
url = "{public}"
"""


@dataclass(frozen=True)
class Two:
    """Two indexes, and the settings file that names them in this order."""

    acme: Upstream
    public: Upstream
    config: Path


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    """In the public one somebody has taken names of the company's, with high versions."""
    lib = project("acme-lib", wheel("acme-lib", "1.0", requires=["demo"]))
    tool = project("tool", wheel("tool", "1.0"))
    taken = (project(name, wheel(name, "99.0")) for name in ("acme-lib", "tool"))
    demo = project("demo", wheel("demo", "1.0"))
    with Upstream(lib, tool) as acme, Upstream(*taken, demo) as public:
        config = tmp_path / "gate.toml"
        config.write_text(TABLES.format(acme=acme.url, public=public.url), encoding="utf-8")
        yield Two(acme, public, config)


@contextmanager
def behind(config: Path, policy: Path, scratch: Scratch, state: Path) -> Iterator[Gate]:
    with serving(
        state=state,
        policy=policy,
        upstream=None,
        environment=scratch.environment() | {"ACME_LOGIN": "reader:s3cret"},
        options=("--config", str(config)),
    ) as gate:
        yield gate


@pytest.mark.parametrize("client", NEWEST, ids=lambda client: str(client.name))
def test_a_private_project_and_its_public_dependency_come_from_one_address(
    client: Installer,
    two: Two,
    allowing: Path,
    tmp_path: Path,
) -> None:
    first, second = Scratch(tmp_path / "first"), Scratch(tmp_path / "second")
    with behind(two.config, allowing, first, tmp_path / "state") as gate:
        outcome = client.install(first, gate.url, "acme-lib", "tool")
        assert outcome.exit_code == 0, outcome.output
        with two.acme.down(), two.public.down():
            again = client.install(second, gate.url, "acme-lib", "tool")
        assert again.exit_code == 0, again.output
        output = gate.output
    wanted = {"acme-lib": "1.0", "tool": "1.0", "demo": "1.0"}
    assert first.installed() == second.installed() == wanted
    assert {entry.path.split("/")[2] for entry in two.public.asked("/simple/*")} == {"demo"}
    assert "acme" not in str([entry.path for entry in two.public.log])
    assert "s3cret" not in output
    logins = {entry.headers.get("Authorization") for entry in two.acme.log}
    assert logins == {"Basic cmVhZGVyOnMzY3JldA=="}
    assert not any("Authorization" in entry.headers for entry in two.public.log)


@pytest.mark.parametrize("client", NEWEST, ids=lambda client: str(client.name))
def test_while_the_private_index_fails_nothing_unknown_is_installed_from_the_public_one(
    client: Installer,
    two: Two,
    allowing: Path,
    scratch: Scratch,
    tmp_path: Path,
) -> None:
    with behind(two.config, allowing, scratch, tmp_path / "state") as gate, two.acme.down():
        outcome = client.install(scratch, gate.url, "tool")
    assert outcome.exit_code != 0, outcome.output
    assert outcome.says("acme"), outcome.output
    assert outcome.says("upstream"), outcome.output
    assert scratch.installed() == {}
    assert two.public.log == []


def test_explain_tells_which_index_a_name_comes_from_and_why(
    two: Two, allowing: Path, scratch: Scratch, tmp_path: Path
) -> None:
    def explained(name: str) -> dict[str, object]:
        command = (sys.executable, "-m", "indexgate", "explain", name, "--json")
        settings = ("--config", two.config, "--policy", allowing, "--state", tmp_path / "state")
        outcome = scratch.run(*command, *settings, ACME_LOGIN="reader:s3cret")
        assert outcome.exit_code == 0, outcome.output
        return dict(json.loads(outcome.output[outcome.output.index("{") :]))

    home = explained("acme-lib")
    assert home["index_name"] == "acme"
    assert home["index_why"] == "the name is in its namespace `acme-*`"
    assert explained("tool")["index_why"] == "it is the first of 2 that are asked, and has it"
    later = explained("demo")
    assert later["index_name"] == "public"
    assert later["index_why"] == "it is the first of 2 that has it; `acme` has no such project"
    nobody = scratch.run(
        *(sys.executable, "-m", "indexgate", "explain", "nobody", "--config", two.config),
        *("--policy", allowing, "--state", tmp_path / "state"),
        ACME_LOGIN="reader:s3cret",
    )
    assert nobody.exit_code == 2
    assert nobody.says("have no project `nobody`"), nobody.output


def test_run_goes_on_for_a_client_whose_indexes_are_all_upstreams(
    two: Two,
    allowing: Path,
    scratch: Scratch,
    tmp_path: Path,
) -> None:
    install = (NEWEST_PIP.python, "-m", "pip", "install", "--target", scratch.target, "acme-lib")

    def run(extra: str) -> tuple[int, str]:
        outcome = scratch.run(
            *(
                sys.executable,
                "-m",
                "indexgate",
                "run",
                "--config",
                two.config,
                "--policy",
                allowing,
            ),
            *("--state", tmp_path / "state", "--port", str(free_port()), "--", *install),
            ACME_LOGIN="reader:s3cret",
            PIP_INDEX_URL=two.public.url,
            PIP_EXTRA_INDEX_URL=extra,
        )
        return outcome.exit_code, outcome.output

    code, output = run(two.acme.url)
    assert code == 0, output
    assert scratch.installed() == {"acme-lib": "1.0", "demo": "1.0"}
    code, output = run("http://127.0.0.1:9/simple/")
    assert code == 2, output
    assert "http://127.0.0.1:9/simple/" in output
