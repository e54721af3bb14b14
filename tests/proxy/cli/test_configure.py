"""`configure`: what it writes, what it tells, and where it would rather not."""

from pathlib import Path

import pytest

from indexgate import pip_settings, public_index
from indexgate.cli.main import run
from indexgate.pip_settings import Places

MIRROR = "https://mirror.example.test/simple/"
GATE = "http://127.0.0.1:8599/simple/"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without settings, in the folder of a project; nobody listens on the gate's port."""
    home = tmp_path / "home"
    project = tmp_path / "project"
    for folder in (home, project):
        folder.mkdir()
    for name in ("PIP_CONFIG_FILE", "PIP_INDEX_URL", "PIP_FIND_LINKS", "VIRTUAL_ENV"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "POETRY_CONFIG_DIR": str(home / "config" / "poetry"),
        "INDEXGATE_STATE": str(tmp_path / "state"),
        "INDEXGATE_PORT": "8599",
        "PATH": "",
    }.items():
        monkeypatch.setenv(name, value)
    pips = Places(system=(), user=(home / "config" / "pip" / "pip.conf",), site=())
    monkeypatch.setattr(pip_settings, "places", lambda: pips)
    monkeypatch.chdir(project)
    return home


def pip_conf(home: Path, text: str) -> Path:
    path = home / "config" / "pip" / "pip.conf"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def uv_toml(home: Path, url: str) -> Path:
    path = home / "config" / "uv" / "uv.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'[[index]]\nurl = "{url}"\ndefault = true\n', encoding="utf-8")
    return path


def configure(*words: str) -> int:
    return run(["configure", *words])


def test_the_change_is_shown_and_made_and_undone(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = pip_conf(home, f"[global]\nindex-url = {MIRROR}\n")
    assert configure("pip") == 0
    told = capsys.readouterr()
    assert f"-index-url = {MIRROR}\n+index-url = {GATE}\n" in told.out
    assert "To undo that: indexgate configure pip --undo" in told.err
    assert "no gate of yours runs on port 8599" in told.err
    assert path.read_text(encoding="utf-8") == f"[global]\nindex-url = {GATE}\n"
    assert (tmp_path / "state" / "upstream").read_text(encoding="utf-8") == f"{MIRROR}\n"
    assert configure("pip", "--undo") == 0
    assert "byte for byte" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == f"[global]\nindex-url = {MIRROR}\n"
    assert configure("pip", "--undo") == 0
    assert "Nothing to undo" in capsys.readouterr().err


def test_a_dry_run_shows_the_change_and_leaves_no_trace(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert configure("uv", "--dry-run") == 0
    assert '+url = "http://127.0.0.1:8599/simple"' in capsys.readouterr().out
    assert not (home / "config").exists()
    assert not (tmp_path / "state").exists()
    assert configure("uv") == 0
    written = (home / "config" / "uv" / "uv.toml").read_text(encoding="utf-8")
    capsys.readouterr()
    assert configure("uv", "--undo", "--dry-run") == 0
    assert '-url = "http://127.0.0.1:8599/simple"' in capsys.readouterr().out
    assert (home / "config" / "uv" / "uv.toml").read_text(encoding="utf-8") == written


def test_the_index_of_any_client_is_kept_where_nobody_chose_another(
    home: Path, tmp_path: Path
) -> None:
    uv_toml(home, MIRROR)
    assert configure("uv") == 0
    assert (tmp_path / "state" / "upstream").read_text(encoding="utf-8") == f"{MIRROR}\n"


def test_an_index_that_the_gate_does_not_stand_for_is_not_given_up_unasked(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pip_conf(home, f"[global]\nindex-url = {MIRROR}\n")
    path = uv_toml(home, "https://other.example.test/simple")
    was = path.read_bytes()
    assert configure("uv") == 2
    told = capsys.readouterr().err
    assert "configure-other-index" in told
    assert "`https://other.example.test/simple/`" in told
    assert MIRROR in told
    assert path.read_bytes() == was
    assert not (tmp_path / "state").exists()
    assert configure("uv", "--replace-index") == 0
    assert "8599" in path.read_text(encoding="utf-8")


def test_the_public_index_may_always_give_way(home: Path, tmp_path: Path) -> None:
    uv_toml(home, public_index.address())
    assert configure("uv") == 0
    assert not (tmp_path / "state" / "upstream").exists()


def test_a_gate_elsewhere_is_named_and_nothing_is_kept_for_it(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = pip_conf(home, f"[global]\nindex-url = {MIRROR}\n")
    for url in ("http://gate.example.test:8503", "http://gate.example.test:8503/simple/"):
        assert configure("pip", "--url", url) == 0
    assert "index-url = http://gate.example.test:8503/simple/\n" in path.read_text(encoding="utf-8")
    told = capsys.readouterr().err
    assert "--trusted-host gate.example.test" in told
    assert "no gate of yours" not in told
    assert not (tmp_path / "state" / "upstream").exists()
    assert configure("pip", "--url", "https://me:pa55@gate.example.test/") == 2
    told = capsys.readouterr().err
    assert "configure-credentials" in told
    assert "pa55" not in told


def test_ways_past_the_gate_are_told(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pip_conf(home, "[global]\nextra-index-url = https://me:pa55@extra.example.test/\n")
    monkeypatch.setenv("PIP_INDEX_URL", MIRROR)
    monkeypatch.setenv("INDEXGATE_UPSTREAM", MIRROR)
    assert configure("pip") == 0
    told = capsys.readouterr()
    assert "variable `PIP_INDEX_URL` is set and stands above" in told.err
    assert "`https://***@extra.example.test/`" in told.err
    assert "is asked past the gate" in told.err
    assert "pa55" not in told.err + told.out


def test_the_settings_of_an_environment_stand_above_the_users_and_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = tmp_path / "environment"
    environment.mkdir()
    (environment / "pip.conf").write_text(f"[global]\nindex-url = {MIRROR}\n", encoding="utf-8")
    monkeypatch.setenv("VIRTUAL_ENV", str(environment))
    assert configure("pip") == 0
    assert f"`{MIRROR}` (pip's `global.index-url` in `{environment}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("spared", "told"), [("", True), ("localhost,127.0.0.1", False), ("*", False)]
)
def test_a_proxy_that_would_be_asked_for_the_gate_is_told(
    spared: str, told: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("no_proxy", spared)
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example.test:3128")
    assert configure("pip") == 0
    assert ("export no_proxy=127.0.0.1,localhost" in capsys.readouterr().err) is told


@pytest.mark.parametrize(
    ("client", "file", "text"),
    [
        ("uv", "pyproject.toml", "[project]\nname = 'a'\n"),
        ("poetry", "pyproject.toml", "[tool.poetry]\n"),
        ("pdm", "pdm.toml", None),
        ("pipenv", "Pipfile", f'[[source]]\nurl = "{MIRROR}"\nname = "a"\n'),
        ("pip", ".venv/pip.conf", None),
    ],
)
def test_a_project_is_configured_from_any_folder_of_it_and_undone_there(
    client: str, file: str, text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    (project / "pyproject.toml").write_text("[project]\nname = 'a'\n", encoding="utf-8")
    if client == "pip":
        (project / ".venv").mkdir()
        (project / ".venv" / "pyvenv.cfg").touch()
    if text is not None:
        (project / file).write_text(text, encoding="utf-8")
    if client != "pip":
        (project / "src").mkdir()
        monkeypatch.chdir(project / "src")
    assert configure(client, "--project") == 0
    assert "8599" in (project / file).read_text(encoding="utf-8")
    assert configure(client, "--undo") == 0
    if text is None:
        assert not (project / file).exists()
    else:
        assert (project / file).read_text(encoding="utf-8") == text


def test_the_undo_names_the_locks_that_were_made_through_the_gate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = tmp_path / "project"
    (project / "pdm.lock").write_text("[[package]]\n", encoding="utf-8")
    (project / "uv.lock").write_text(f'registry = "{GATE}"\n', encoding="utf-8")
    assert configure("uv") == 0
    capsys.readouterr()
    assert configure("uv", "--undo") == 0
    told = capsys.readouterr().err
    assert "`uv.lock` has the gate's addresses" in told
    assert "`indexgate lock rewrite uv.lock`" in told
    assert "pdm.lock" not in told


def test_the_undo_elsewhere_names_the_project_and_touches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "project" / "pyproject.toml"
    path.write_text("[tool.poetry]\n", encoding="utf-8")
    assert configure("poetry") == 0
    written = path.read_bytes()
    monkeypatch.chdir(tmp_path)
    assert configure("poetry", "--undo") == 0
    assert f"it was in `{path}`" in capsys.readouterr().err
    assert path.read_bytes() == written


def test_an_address_that_others_wrote_otherwise_is_left_and_the_exit_code_says_so(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = pip_conf(home, "[global]\n")
    assert configure("pip") == 0
    path.write_text(f"[global]\nindex-url =\n  {GATE}\n", encoding="utf-8")
    capsys.readouterr()
    assert configure("pip", "--undo") == 1
    assert "gate's address in line 3" in capsys.readouterr().err
    assert configure("pip", "--undo") == 1
    path.write_text("[global]\n", encoding="utf-8")
    assert configure("pip", "--undo") == 0


@pytest.mark.parametrize(
    ("words", "reference"),
    [
        (["pipenv", "--user"], "configure-unread"),
        (["pipenv"], "configure-no-project"),
        (["poetry"], "configure-no-project"),
        (["pip", "--project"], "configure-no-project"),
        (["pip", "--url", "gate"], "gate-address"),
        (["pip", "--port", "0"], "gate-address"),
    ],
)
def test_what_cannot_be_configured_is_said(
    words: list[str], reference: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert configure(*words) == 2
    assert f"error: {reference}\n" in capsys.readouterr().err


def test_what_is_written_in_one_line_is_to_be_changed_by_hand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "project" / "uv.toml").write_text("index = []\n", encoding="utf-8")
    assert configure("uv", "--project") == 2
    told = capsys.readouterr().err
    assert "configure-by-hand" in told
    assert '`url = "http://127.0.0.1:8599/simple"` and `default = true`' in told


def test_poetry_without_the_plugin_reads_no_setting_of_the_user(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = home / "bin" / "poetry"
    program.parent.mkdir()
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    assert configure("poetry", "--user") == 2
    assert "poetry self add poetry-plugin-pypi-mirror" in capsys.readouterr().err
