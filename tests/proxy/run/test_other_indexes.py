"""The indexes that a client is configured with: all are found, and the gate's own are let be."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from indexgate import public_index, web_address
from indexgate.config import read_bounded
from indexgate.errors import GateError
from indexgate.pip_settings import Places
from indexgate.run import other_indexes
from indexgate.run.clients import client_of
from indexgate.run.configured import Configured
from indexgate.run.other_indexes import Surroundings
from indexgate.web_address import WebAddress

ELSEWHERE = "https://other.example.test/simple/"
UPSTREAM = "https://index.example.test/simple/"
GATE = "http://127.0.0.1:8503/simple/"
PUBLIC = public_index.address()


def _found(folder: Path, command: str, files: Mapping[str, str], **environ: str) -> set[str]:
    """Return the addresses that would stop the run."""
    return {index.url for index in _others(_configured(folder, command, files, **environ))}


def _configured(
    folder: Path, command: str, files: Mapping[str, str], **environ: str
) -> tuple[Configured, ...]:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    around = Surroundings(
        environ=environ,
        folder=folder / "project",
        config=folder / "config",
        pip=Places(system=(), user=(folder / "config/pip/pip.conf",), site=()),
        read_file=read_bounded,
    )
    (folder / "project").mkdir(exist_ok=True)
    return other_indexes.configured(client_of(command.split()), around)


def _others(found: tuple[Configured, ...]) -> tuple[Configured, ...]:
    covered = (UPSTREAM, web_address.parse(PUBLIC).url)
    return other_indexes.others(found, gate=_is_gate, covered=covered)


def _is_gate(address: WebAddress) -> bool:
    return address.host == "127.0.0.1" and address.port == 8503


SERVER = "https://other.example.test/"
PIP_CONF = f"[global]\nindex-url = {ELSEWHERE}\n"
UV_INDEX = f'[[tool.uv.index]]\nname = "other"\nurl = "{ELSEWHERE}"\n'
SOURCE = f'name = "other"\nurl = "{ELSEWHERE}"\n'


@pytest.mark.parametrize(
    ("command", "files", "environ"),
    [
        ("pip install x", {"config/pip/pip.conf": PIP_CONF}, {}),
        ("pip install x", {"config/pip/pip.conf": PIP_CONF.replace("index-url", "find-links")}, {}),
        ("pip install x", {}, {"PIP_EXTRA_INDEX_URL": ELSEWHERE}),
        ("pip install x", {}, {"PIP_FIND_LINKS": ELSEWHERE}),
        (f"pip install -i {ELSEWHERE} x", {}, {}),
        (f"pip install --extra-index-url={ELSEWHERE} x", {}, {}),
        (f"pip install -f{ELSEWHERE} x", {}, {}),
        ("pip install -r r.txt", {"project/r.txt": f"x\n--index-url {ELSEWHERE}\n"}, {}),
        ("pip install -rr.txt", {"project/r.txt": "-c in/c.txt",
                                 "project/in/c.txt": f"--find-links={ELSEWHERE} # here"}, {}),
        ("uv sync", {"project/pyproject.toml": UV_INDEX}, {}),
        ("uv sync", {"project/uv.toml": f'index-url = "{ELSEWHERE}"'}, {}),
        ("uv sync", {"pyproject.toml": UV_INDEX}, {}),
        ("uv --project ../app sync", {"app/pyproject.toml": UV_INDEX}, {}),
        ("uv sync", {"config/uv/uv.toml": f'[[index]]\nurl = "{ELSEWHERE}"'}, {}),
        ("uv pip install x", {"config/uv/uv.toml": f'pip.extra-index-url = ["{ELSEWHERE}"]'}, {}),
        ("uv sync", {"project/own.toml": f'find-links = ["{ELSEWHERE}"]'},
         {"UV_CONFIG_FILE": "own.toml"}),
        ("uv --config-file own.toml sync", {"project/own.toml": f'index-url = "{ELSEWHERE}"'}, {}),
        ("uv --directory ../a --project b sync", {"a/b/pyproject.toml": UV_INDEX}, {}),
        ("uv sync", {}, {"UV_INDEX": f"name={ELSEWHERE}"}),
        ("uv sync", {}, {"UV_DEFAULT_INDEX": ELSEWHERE}),
        (f"uv sync --index name={ELSEWHERE}", {}, {}),
        ("poetry add x", {"project/pyproject.toml": f"[[tool.poetry.source]]\n{SOURCE}"}, {}),
        ("pdm add x", {"project/pyproject.toml": f"[[tool.pdm.source]]\n{SOURCE}"}, {}),
        ("pdm add x", {"config/pdm/config.toml": f'[pypi.other]\nurl = "{ELSEWHERE}"'}, {}),
        ("pdm add x", {"config/pdm/config.toml": f'[pypi]\nurl = "{ELSEWHERE}"'}, {}),
        ("pipenv install", {"project/Pipfile": f"[[source]]\n{SOURCE}"}, {}),
        ("pipenv install", {"project/Own": f"[[source]]\n{SOURCE}"}, {"PIPENV_PIPFILE": "Own"}),
        ("tox", {}, {"UV_INDEX_URL": ELSEWHERE}),
        ("tox", {}, {"PIP_INDEX_URL": ELSEWHERE}),
    ],
)  # fmt: skip
def test_every_way_to_another_index_is_seen(
    tmp_path: Path, command: str, files: dict[str, str], environ: dict[str, str]
) -> None:
    assert _found(tmp_path, command, files, **environ) == {ELSEWHERE}


@pytest.mark.parametrize(
    "command",
    ["pip install -r pylock.toml", "uv pip sync pylock.toml", "uv pip install -r pylock.toml"],
)
@pytest.mark.parametrize("kind", ["wheels = [{}]", "sdist = {}", "archive = {}"])
def test_files_that_a_pylock_names_are_seen(tmp_path: Path, command: str, kind: str) -> None:
    entry = kind.replace("{}", f'{{ url = "{SERVER}a/x-1-py3-none-any.whl" }}')
    files = {"project/pylock.toml": f'[[packages]]\nname = "x"\n{entry}\n'}
    assert _found(tmp_path, command, files) == {SERVER}
    files = {
        name: text.replace(SERVER, "http://127.0.0.1:8503/files/") for name, text in files.items()
    }
    assert _found(tmp_path, command, files) == set()


POETRY_LOCK = """
[[package]]
name = "x"
version = "1.0"
files = [{{ file = "x-1.0-py3-none-any.whl", hash = "sha256:00" }}]

[package.source]
type = "{kind}"
url = "{url}"
reference = "other"
"""
PDM_LOCK = """
[[package]]
name = "x"
version = "1.0"
files = [{{ {key} = "{where}x-1.0-py3-none-any.whl", hash = "sha256:00" }}]
"""
PROJECT = {"project/pyproject.toml": ""}


@pytest.mark.parametrize("command", ["poetry install", "poetry add x", "python -m poetry sync"])
def test_another_index_that_a_poetry_lock_names_is_seen(tmp_path: Path, command: str) -> None:
    lock = POETRY_LOCK.format(kind="legacy", url=ELSEWHERE)
    assert _found(tmp_path, command, PROJECT | {"project/poetry.lock": lock}) == {ELSEWHERE}


@pytest.mark.parametrize(
    ("command", "place", "environ"),
    [
        ("pdm sync", "project/pdm.lock", {}),
        ("pdm install -L own.lock", "project/own.lock", {}),
        ("pdm install --lockfile=own.lock", "project/own.lock", {}),
        ("pdm install", "project/own.lock", {"PDM_LOCKFILE": "own.lock"}),
    ],
)
def test_files_that_a_pdm_lock_names_by_address_are_seen(
    tmp_path: Path, command: str, place: str, environ: dict[str, str]
) -> None:
    lock = PDM_LOCK.format(key="url", where=SERVER)
    assert _found(tmp_path, command, PROJECT | {place: lock}, **environ) == {SERVER}


def test_a_pylock_that_pdm_is_given_is_read(tmp_path: Path) -> None:
    lock = f'[[packages]]\nname = "x"\nsdist = {{ url = "{SERVER}x-1.tar.gz" }}\n'
    files = PROJECT | {"project/pylock.toml": lock}
    assert _found(tmp_path, "pdm sync -L pylock.toml", files) == {SERVER}


@pytest.mark.parametrize(
    ("command", "name", "lock"),
    [
        ("poetry install", "poetry.lock", POETRY_LOCK.format(kind="legacy", url=GATE)),
        ("poetry install", "poetry.lock", POETRY_LOCK.format(kind="git", url=ELSEWHERE)),
        ("poetry install", "poetry.lock", "package = 3"),
        ("poetry install", "poetry.lock", "[[package]]\nsource = 3"),
        ("poetry lock", "poetry.lock", POETRY_LOCK.format(kind="legacy", url=ELSEWHERE)),
        ("pdm sync", "pdm.lock", PDM_LOCK.format(key="url", where="http://127.0.0.1:8503/f/")),
        ("pdm sync", "pdm.lock", PDM_LOCK.format(key="file", where="")),
        ("pdm sync", "pdm.lock", "[[package]]\nfiles = [3, { url = 3 }]"),
        ("pdm sync", "pdm.lock", "not toml ["),
        ("pdm lock", "pdm.lock", PDM_LOCK.format(key="url", where=SERVER)),
    ],
)
def test_a_lock_that_leads_nowhere_else_stops_nothing_nor_does_locking_anew(
    tmp_path: Path, command: str, name: str, lock: str
) -> None:
    assert _found(tmp_path, command, PROJECT | {f"project/{name}": lock}) == set()


@pytest.mark.parametrize(
    ("command", "files", "environ"),
    [
        ("pip install x", {}, {}),
        ("pip install x", {"config/pip/pip.conf": f"[global]\nindex-url = {UPSTREAM}\n"}, {}),
        ("pip install x", {"config/pip/pip.conf": f"[global]\nindex-url = {GATE}\n"}, {}),
        ("pip install x", {}, {"PIP_EXTRA_INDEX_URL": UPSTREAM.rstrip("/"), "UV_INDEX": ELSEWHERE}),
        ("pip install x -- --index-url x", {}, {}),
        ("pip install -r absent.txt", {}, {}),
        ("uv sync", {}, {"PIP_INDEX_URL": ELSEWHERE}),
        ("uv sync", {"project/pyproject.toml":
                     f'[[tool.uv.index]]\nurl = "{UPSTREAM}"\ndefault = true'}, {}),
        ("uv sync", {"project/pyproject.toml":
                     f'[[tool.uv.index]]\nname = "a"\nurl = "{UPSTREAM}"'}, {}),
        ("poetry add x", {"project/pyproject.toml":
                          f'[[tool.poetry.source]]\nname = "a"\nurl = "{GATE}"'}, {}),
        ("pdm add x", {"config/pdm/config.toml": f'[pypi]\nurl = "{PUBLIC}"'}, {}),
        ("pipenv install", {"project/Pipfile": f'[[source]]\nname = "a"\nurl = "{PUBLIC}"'}, {}),
        ("uv sync", {"project/pyproject.toml": "not toml ["}, {}),
        ("uv --no-config sync", {"project/uv.toml": f'index-url = "{ELSEWHERE}"'}, {}),
    ],
)  # fmt: skip
def test_what_the_gate_stands_for_stops_nothing(
    tmp_path: Path, command: str, files: dict[str, str], environ: dict[str, str]
) -> None:
    assert _found(tmp_path, command, files, **environ) == set()


@pytest.mark.parametrize(
    ("command", "files", "environ"),
    [
        (f"pip install -i {UPSTREAM} x", {}, {}),
        ("uv sync", {"project/pyproject.toml": f'[[tool.uv.index]]\nurl = "{UPSTREAM}"'}, {}),
        ("uv add x", {"project/pyproject.toml":
                      f'[[tool.uv.index]]\nurl = "{UPSTREAM}"\ndefault = true'}, {}),
        ("poetry add x", {"project/pyproject.toml":
                          f'[[tool.poetry.source]]\nname = "a"\nurl = "{UPSTREAM}"'}, {}),
        ("pipenv install", {"project/Pipfile": f'[[source]]\nname = "a"\nurl = "{UPSTREAM}"'}, {}),
    ],
)  # fmt: skip
def test_upstream_itself_stops_where_the_client_would_ask_it_past_the_gate(
    tmp_path: Path, command: str, files: dict[str, str], environ: dict[str, str]
) -> None:
    assert _found(tmp_path, command, files, **environ) == {UPSTREAM}


def test_the_refusal_names_each_index_and_no_password(tmp_path: Path) -> None:
    files = {"config/pip/pip.conf": f"[global]\nextra-index-url = {ELSEWHERE}"}
    environ = {"PIP_INDEX_URL": "https://me:secret@private.example.test/simple"}
    found = _others(_configured(tmp_path, "pip install x", files, **environ))
    with pytest.raises(GateError) as raised:
        other_indexes.refuse(found)
    assert raised.value.exit_code == 2
    message = raised.value.message
    assert f"`{ELSEWHERE}` (pip's `global.extra-index-url` in" in message
    assert "***@private.example.test/simple` (variable `PIP_INDEX_URL`)" in message
    assert "secret" not in message
    assert "--keep-indexes" in raised.value.hint
    assert "a lock: make it anew" in raised.value.hint


def test_nothing_is_refused_when_there_is_no_other_index() -> None:
    other_indexes.refuse(())
