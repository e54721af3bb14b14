"""`lock rewrite`: files there and back, what it would change, and what it finds."""

from pathlib import Path

import pytest

from indexgate import public_index
from indexgate.cli.main import run
from tests.proxy.locks.samples import LOCKS, PYLOCK, UV

UPSTREAM = "https://index.example.test/simple/"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the locks in it, and nobody's settings."""
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("INDEXGATE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("INDEXGATE_UPSTREAM", UPSTREAM)
    monkeypatch.chdir(tmp_path)
    for name, text in LOCKS.items():
        (tmp_path / name).write_bytes(text.encode())
    return tmp_path


def rewrite(*arguments: str) -> int:
    return run(["lock", "rewrite", *arguments])


def test_there_and_back_is_the_same_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["uv.lock", "pdm.lock", "Pipfile.lock", "pylock.toml", "requirements.txt"]
    assert rewrite("--check", *names) == 0
    assert rewrite("--to", "gate", *names) == 0
    assert "rewrote `uv.lock`" in capsys.readouterr().err
    for name in names:
        assert b"http://127.0.0.1:8503/" in (folder / name).read_bytes()
    assert rewrite("--check", *names) == 1
    output = capsys.readouterr()
    assert "uv.lock:17: http://127.0.0.1:8503/simple\n" in output.out
    assert f"hint: indexgate lock rewrite {' '.join(names)}" in output.err
    assert rewrite(*names) == 0
    for name in names:
        assert (folder / name).read_bytes() == LOCKS[name].encode()
    assert rewrite(*names) == 0
    assert "nothing to change in `uv.lock`" in capsys.readouterr().err


def test_a_dry_run_prints_the_change_and_makes_none(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rewrite("--to", "gate", "--dry-run", "pylock.toml") == 0
    output = capsys.readouterr()
    assert '-index = "https://index.example.test/simple"' in output.out
    assert '+index = "http://127.0.0.1:8503/simple"' in output.out
    assert (folder / "pylock.toml").read_text(encoding="utf-8") == PYLOCK


def test_the_gate_may_be_named_by_its_root_or_its_index(folder: Path) -> None:
    for address in ("https://gate.example.test/", "https://gate.example.test/simple/"):
        assert rewrite("--to", "gate", "--gate", address, "uv.lock") == 0
        text = (folder / "uv.lock").read_text(encoding="utf-8")
        assert 'registry = "https://gate.example.test/simple"' in text
        assert rewrite("--gate", address, "uv.lock") == 0
        assert (folder / "uv.lock").read_text(encoding="utf-8") == UV


def test_a_gate_that_was_not_named_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rewrite("--to", "gate", "--gate", "http://127.0.0.1:9999/", "uv.lock") == 0
    assert rewrite("--check", "uv.lock") == 1
    assert rewrite("uv.lock") == 0
    error = capsys.readouterr().err
    assert "`uv.lock` (line 17) still holds `http://127.0.0.1:9999/simple`" in error


def test_the_slash_that_uv_minds_is_told(
    monkeypatch: pytest.MonkeyPatch, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INDEXGATE_UPSTREAM", public_index.address())
    for slash in ("", "/"):
        text = UV.replace('test/simple"', f'test/simple{slash}"').replace(
            "https://index.example.test/", "http://127.0.0.1:8503/"
        )
        (folder / "uv.lock").write_text(text, encoding="utf-8")
        assert rewrite("uv.lock") == 0
        assert ("with a slash at the end" in capsys.readouterr().err) is bool(slash)


def test_with_several_indexes_the_one_must_be_named(
    monkeypatch: pytest.MonkeyPatch, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("INDEXGATE_UPSTREAM")
    tables = "".join(
        f'[[index]]\nname = "{name}"\nurl = "https://{name}.example.test/simple/"\n'
        for name in ("index", "private")
    )
    (folder / "gate.toml").write_text(tables, encoding="utf-8")
    assert rewrite("--config", "gate.toml", "--to", "gate", "uv.lock") == 2
    assert "--upstream URL" in capsys.readouterr().err
    assert (folder / "uv.lock").read_text(encoding="utf-8") == UV


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["gone.lock"], "cannot read `gone.lock`: no such file"),
        (["bom.json"], "`bom.json` (cyclonedx) holds no addresses"),
        (["latin.lock"], "cannot read `latin.lock`: it is not utf-8"),
        (["--gate", "nowhere", "uv.lock"], "is no address of a gate"),
        (["--port", "0", "uv.lock"], "nothing says where the gate is"),
    ],
)
def test_wrong_use_is_told(
    arguments: list[str], words: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "latin.lock").write_bytes(b"\xff")
    assert rewrite(*arguments) == 2
    assert words in capsys.readouterr().err
