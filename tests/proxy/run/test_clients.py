"""Which client a command line is, and the variables that it is given."""

import pytest

from indexgate.run.clients import client_of, variables

GATE = "http://run-0123456789abcdef:x@127.0.0.1:8503/simple/"
BARE = GATE.rstrip("/")


@pytest.mark.parametrize(
    ("command", "name", "subcommand"),
    [
        ("pip install x", "pip", "install"),
        ("/some/where/pip3.12 -v install x", "pip", "install"),
        ("python -m pip install x", "pip", "install"),
        ("/venv/bin/python3.11 -I -m pip install x", "pip", "install"),
        ("python -m uv sync", "uv", "sync"),
        ("python build.py -m pip", "other", "build.py"),
        ("uv --directory place add x", "uv", "add"),
        ("uv --project=place add x", "uv", "add"),
        ("uvx ruff", "uv", "tool"),
        ("UV.EXE sync", "uv", "sync"),
        ("poetry add x", "poetry", "add"),
        ("pdm add x", "pdm", "add"),
        ("pipenv install x", "pipenv", "install"),
        ("tox run", "other", "run"),
        ("pip", "pip", None),
    ],
)
def test_a_command_is_known_by_its_name(command: str, name: str, subcommand: str | None) -> None:
    client = client_of(command.split())
    assert (client.name, client.subcommand) == (name, subcommand)


@pytest.mark.parametrize(
    ("command", "in_project"),
    [("uv sync", True), ("uv pip install x", False), ("uvx ruff", False), ("pip install x", False)],
)
def test_only_the_project_commands_of_uv_use_its_lock(command: str, in_project: bool) -> None:
    assert client_of(command.split()).in_project is in_project


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (
            "pip install x",
            {"PIP_INDEX_URL": GATE, "PIP_EXTRA_INDEX_URL": GATE, "PIP_FIND_LINKS": None},
        ),
        ("uv sync", {"UV_DEFAULT_INDEX": BARE, "UV_INDEX": None, "UV_EXTRA_INDEX_URL": None}),
        ("uv add x", {"UV_INDEX_URL": BARE, "UV_DEFAULT_INDEX": None, "UV_INDEX": None}),
        ("poetry add x", {"POETRY_PYPI_MIRROR_URL": GATE}),
        ("pdm add x", {"PDM_PYPI_URL": GATE}),
        ("pipenv sync", {"PIPENV_PYPI_MIRROR": GATE, "PIP_INDEX_URL": None}),
        ("tox", {"PIP_INDEX_URL": GATE, "UV_DEFAULT_INDEX": BARE}),
    ],
)
def test_each_client_gets_its_own_variables(command: str, expected: dict[str, str | None]) -> None:
    changes = variables(client_of(command.split()), GATE, {}, keep_indexes=False)
    assert expected.items() <= changes.items()
    assert changes["no_proxy"] == changes["NO_PROXY"] == "127.0.0.1,localhost"


def test_no_client_gets_the_variables_of_another() -> None:
    changes = variables(client_of(["pdm", "add"]), GATE, {}, keep_indexes=False)
    assert changes.keys() == {"no_proxy", "NO_PROXY", "PDM_PYPI_URL"}


@pytest.mark.parametrize("command", ["pip install x", "uv sync", "tox"])
def test_kept_indexes_are_left_where_they_are(command: str) -> None:
    changes = variables(client_of(command.split()), GATE, {}, keep_indexes=True)
    theirs = {"PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "UV_INDEX", "UV_EXTRA_INDEX_URL"}
    assert not theirs & changes.keys()
    assert GATE.rstrip("/") in {(value or "").rstrip("/") for value in changes.values()}


def test_both_spellings_of_no_proxy_keep_what_was_in_either() -> None:
    given = {"no_proxy": "a.test, b.test", "NO_PROXY": "b.test,localhost"}
    changes = variables(client_of(["pip"]), GATE, given, keep_indexes=False)
    assert changes["no_proxy"] == changes["NO_PROXY"] == "a.test,b.test,localhost,127.0.0.1"


def test_the_address_for_uv_ends_as_the_lock_has_it() -> None:
    changes = variables(client_of(["uv", "sync"]), GATE, {}, keep_indexes=False, slash=True)
    assert changes["UV_DEFAULT_INDEX"] == GATE


def test_an_index_of_the_project_that_is_upstream_is_asked_at_the_gate() -> None:
    changes = variables(client_of(["uv", "sync"]), GATE, {}, keep_indexes=False, named=["a", "b"])
    assert changes["UV_INDEX"] == f"a={BARE} b={BARE}"
