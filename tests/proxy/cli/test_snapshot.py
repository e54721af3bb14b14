"""`snapshot`: from one gate to another by the command line."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate.cli.main import run
from indexgate.index.page_folder import PageFolder
from indexgate.store.database import Store, open_store
from indexgate.store.engines import STORE_FILE
from indexgate.upstream_choice import index_id
from indexgate_policy.assess import UNCHECKED
from indexgate_policy.signals import Signal, Signals
from tests.standins.packages import project, sdist, wheel
from tests.standins.upstream import Upstream

URL = "http://127.0.0.1:9/simple/"
INDEX = index_id(URL)
DEMO = NormalizedName("demo")


def gate(folder: Path, name: str) -> list[str]:
    return ["--upstream", URL, "--upstream-public", "yes", "--state", str(folder / name)]


def opened(folder: Path, name: str) -> Store:
    return open_store(folder / name / STORE_FILE, lambda: datetime.now(UTC))


@pytest.fixture
def key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert run(["snapshot", "keygen", str(tmp_path / "key.pem")]) == 0
    told = capsys.readouterr()
    assert "is private" in told.err
    return told.out.strip()


@pytest.fixture
def folder(tmp_path: Path, key: str, capsys: pytest.CaptureFixture[str]) -> Path:
    """Return the folder of a snapshot of a gate that knows one project."""
    with Upstream(project("demo", wheel("demo", "1.0"))) as upstream:
        here = ["--upstream", upstream.url, "--state", str(tmp_path / "maker")]
        assert run(["refresh", "demo", *here, "--upstream-public", "yes", "--sources", "none",
                    "--source", "project-json"]) == 0  # fmt: skip
        sign = ["--sign-with", str(tmp_path / "key.pem")]
        more = ["--upstream-public", "yes"]
        assert run(["snapshot", "export", str(tmp_path / "s"), *sign, *here, *more]) == 0
    told = capsys.readouterr()
    assert "assessments.parquet: 1 rows" in told.out
    assert key
    return tmp_path / "s"


def test_what_one_gate_knows_another_takes_in(
    folder: Path, tmp_path: Path, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = gate(tmp_path, "laptop")
    assert run(["snapshot", "import", str(folder), "--snapshot-key", key, *theirs]) == 0
    assert "1 projects taken as they are" in capsys.readouterr().out
    assert run(["snapshot", "import", str(folder), "--snapshot-key", key, *theirs]) == 0
    assert "1 as they were" in capsys.readouterr().out
    assert run(["snapshot", "keys", "--snapshot-key", key, *theirs]) == 0
    assert key in capsys.readouterr().out
    store = opened(tmp_path, "laptop")
    found = store.assessments.current(INDEX, DEMO)
    store.close()
    assert found is not None
    imported = Signals(found.inputs).value("imported")
    assert isinstance(imported, str)
    assert imported.startswith("snapshot ")


def test_a_page_at_hand_is_used_where_it_is_assessed_again(
    tmp_path: Path, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with Upstream(project("demo", wheel("demo", "1.0"), sdist("demo", "2.0"))) as upstream:
        here = ["--upstream", upstream.url, "--state", str(tmp_path / "maker")]
        assert run(["refresh", "demo", *here, "--source", "project-json"]) == 0
        index = index_id(upstream.url)
        store = opened(tmp_path, "maker")
        found = store.assessments.current(index, DEMO)
        assert found is not None
        at = datetime.now(UTC) - timedelta(hours=1)
        stays = Signal(
            name="sourcerank",
            value=5,
            source="libraries-io",
            observed_at=at,
            licence="CC-BY-SA-4.0",
        )
        store.assessments.save_many([replace(found, inputs=(*found.inputs, stays))])
        store.close()
        assert PageFolder(tmp_path / "maker" / "pages", index, 1).load(DEMO) is not None
        sign = ["--sign-with", str(tmp_path / "key.pem")]
        assert run(["snapshot", "export", str(tmp_path / "s"), *sign, *here]) == 0
        told = capsys.readouterr().out
        assert "1 projects assessed again without them, 0 of them without their page" in told
        there = ["--upstream", upstream.url, "--state", str(tmp_path / "laptop")]
        assert run(["snapshot", "import", str(tmp_path / "s"), "--snapshot-key", key, *there]) == 0
        store = opened(tmp_path, "laptop")
        got = store.assessments.current(index, DEMO)
        store.close()
    assert got is not None
    names = {one.name for one in got.inputs}
    assert "sourcerank" not in names
    unchecked = Signals(got.inputs).value(UNCHECKED)
    assert "no page" not in str(unchecked)


def test_verify_says_who_signed_what_and_fails_for_others(
    folder: Path, tmp_path: Path, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["snapshot", "verify", str(folder), "--snapshot-key", key]) == 0
    out = capsys.readouterr().out
    assert "project-json: " in out
    assert "licence CC-BY-4.0" in out
    assert run(["snapshot", "verify", str(folder)]) == 2
    assert "snapshot-no-key" in capsys.readouterr().err
    run(["snapshot", "keygen", str(tmp_path / "other.pem")])
    another = capsys.readouterr().out.strip()
    assert run(["snapshot", "verify", str(folder), "--snapshot-key", another]) == 2
    assert "snapshot-wrong-key" in capsys.readouterr().err


def test_the_key_may_be_a_variable(
    folder: Path, key: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INDEXGATE_SNAPSHOT_KEY", key)
    assert run(["snapshot", "verify", str(folder)]) == 0
    assert "signed with the key" in capsys.readouterr().out


def test_what_was_tampered_with_is_refused_and_nothing_is_taken_in(
    folder: Path, tmp_path: Path, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "assessments.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    theirs = gate(tmp_path, "laptop")
    assert run(["snapshot", "import", str(folder), "--snapshot-key", key, *theirs]) == 2
    told = capsys.readouterr().err
    assert "snapshot-tampered" in told
    assert "assessments.parquet" in told
    store = opened(tmp_path, "laptop")
    assert store.assessments.current(INDEX, DEMO) is None
    store.close()


def test_a_private_index_is_nobody_elses(
    folder: Path, tmp_path: Path, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = ["--upstream", URL, "--state", str(tmp_path / "laptop")]
    assert run(["snapshot", "import", str(folder), "--snapshot-key", key, *theirs]) == 2
    assert "snapshot-other-index" in capsys.readouterr().err


def test_diff_prints_what_is_different(
    folder: Path, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    same = ["snapshot", "diff", str(folder), str(folder), "--snapshot-key", key]
    assert run(same) == 0
    assert "added: 0" in capsys.readouterr().out
    assert run([*same, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["added"] == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["export", "s"], "Missing option"),
        (["export", "s", "--sign-with", "k", "--lasts", "soon"], "no time that a snapshot"),
        (["import", "nowhere", "--snapshot-key", "ed25519:A"], "there is no snapshot"),
        (["keys", "--of", "nowhere"], "no such file"),
    ],
)
def test_what_cannot_be_meant_is_an_error(
    given: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = [] if given[0] == "keys" else ["--state", str(tmp_path / "state")]
    assert run(["snapshot", *given, *more]) == 2
    assert words in capsys.readouterr().err
