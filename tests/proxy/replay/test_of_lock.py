"""The history of a lock replayed, with a real git and a loopback index."""

import asyncio
import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from indexgate import public_index
from indexgate.cli.main import run
from indexgate.errors import GateError
from indexgate.replay.lock_history import pinned, versions
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
HEAD = "# what the project needs, pinned by hand\n" * 5  # so that git takes the move for one
EVER = datetime(1970, 1, 1, tzinfo=UTC)
YOUNG = """\
version = 1
[[rule]]
id = "young"
action = "refuse"
when = { release_age = { below = "7d" } }
unknown = "refuse"
[[rule]]
id = "few"
action = "refuse"
when = { owners = { below = 2 } }
unknown = "refuse"
"""


def git(folder: Path, *arguments: str, at: datetime = NOW) -> None:
    environment = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_SYSTEM": "/dev/null",
        **{f"GIT_{who}_NAME": "a" for who in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{who}_EMAIL": "a@example.test" for who in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{who}_DATE": at.isoformat() for who in ("AUTHOR", "COMMITTER")},
    }
    subprocess.run(["git", *arguments], cwd=folder, env=environment, check=True, text=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a lock whose history is three versions, the first under another name."""
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q")
    steps = [
        ("reqs.txt", "demo==1.0\n", 30),
        ("reqs.txt", "demo==1.0\nother==1.0\n", 20),
        ("requirements.txt", "demo==1.0\nother==1.0\nelse==1.0 ; sys_platform == 'win32'\n", 10),
    ]
    for name, content, days in steps:
        if name != "reqs.txt":
            git(folder, "mv", "reqs.txt", name)
        (folder / name).write_text(HEAD + content, encoding="utf-8")
        git(folder, "add", name)
        git(folder, "commit", "-q", "-m", "lock", at=NOW - days * DAY)
    return folder / "requirements.txt"


def test_versions_come_oldest_first_also_under_earlier_names(repository: Path) -> None:
    found = versions(repository, EVER)
    assert [one.path for one in found] == ["reqs.txt", "reqs.txt", "requirements.txt"]
    assert [one.at for one in found] == [NOW - days * DAY for days in (30, 20, 10)]
    assert [len(pinned(repository, one)) for one in found] == [1, 2, 3]


def test_the_version_in_force_at_the_begin_counts(repository: Path) -> None:
    found = versions(repository, NOW - 15 * DAY)
    assert [one.at for one in found] == [NOW - 20 * DAY, NOW - 10 * DAY]


def test_of_two_commits_in_one_second_the_later_was_in_force(repository: Path) -> None:
    for version in ("1.0", "2.0"):
        repository.write_text(HEAD + f"demo=={version}\n", encoding="utf-8")
        git(repository.parent, "commit", "-q", "-a", "-m", "lock", at=NOW - 5 * DAY)
    [in_force] = versions(repository, NOW - DAY)
    assert [one.version for one in pinned(repository, in_force)] == ["2.0"]


def test_a_lock_in_a_folder_of_the_repository_is_found(repository: Path) -> None:
    inner = repository.parent / "inner"
    inner.mkdir()
    (inner / "uv.lock").write_text("version = 1\n", encoding="utf-8")
    git(inner, "add", "uv.lock")
    git(inner, "commit", "-q", "-m", "lock")
    [one] = versions(inner / "uv.lock", EVER)
    assert one.path == "inner/uv.lock"
    assert pinned(inner / "uv.lock", one) == ()


def test_a_lock_that_git_does_not_know_is_told(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(GateError, match="no commit"):
        versions(repository.with_name("other.lock"), EVER)
    outside = tmp_path / "outside"
    outside.mkdir()
    with pytest.raises(GateError, match="lock-history"):
        versions(outside / "uv.lock", EVER)
    with pytest.raises(GateError, match="no folder"):
        versions(tmp_path / "nowhere" / "uv.lock", EVER)


async def test_each_version_is_judged_as_of_its_commit(
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    draft = tmp_path / "draft.toml"
    draft.write_text(YOUNG, encoding="utf-8")
    # demo was two days old at the first commit, twelve at the second; other seven and a half.
    packages = [
        project("demo", wheel("demo", "1.0", upload_time=NOW - 32 * DAY)),
        project("other", wheel("other", "1.0", upload_time=NOW - 20 * DAY - 5 * DAY)),
    ]
    async with Upstream(*packages) as upstream:
        arguments = [
            *("replay", str(draft), "--lock", str(repository), "--json"),
            *("--upstream", upstream.url, "--state", str(tmp_path / "state")),
            *("--policy", "observe"),
        ]
        assert await asyncio.to_thread(run, arguments) == 0
    output = capsys.readouterr()
    told = json.loads(output.out)
    assert (told["source"], told["asks"], told["projects"]) == ("lock", 6, 3)
    rules = {rule["rule"]: rule for rule in told["draft"]["figures"]["rules"]}
    # demo at the first commit, other at the second; of `else` nobody knows anything.
    assert rules["young"]["refused"] == 2
    assert rules["young"]["not_judged"] == 1
    assert rules["few"]["not_judged"] == 6
    assert told["draft"]["figures"]["not_judged"] == 4
    assert told["in_force"]["figures"]["refused"] == 0
    assert "else: the index has no such project" in output.err


@pytest.mark.parametrize(("public", "asks"), [("yes", 1), ("no", 0)])
async def test_pins_of_the_public_index_are_asked_of_a_mirror_of_it(  # noqa: PLR0917
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    public: str,
    asks: int,
) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    lock = repository.with_name("uv.lock")
    registry = public_index.address().rstrip("/")
    source = f'source = {{ registry = "{registry}" }}'
    lock.write_text(f'[[package]]\nname = "demo"\nversion = "1.0"\n{source}\n', encoding="utf-8")
    git(lock.parent, "add", lock.name)
    git(lock.parent, "commit", "-q", "-m", "lock")
    async with Upstream(project("demo", wheel("demo", "1.0"))) as upstream:
        arguments = [
            *("replay", "observe", "--lock", str(lock), "--json", "--policy", "observe"),
            *("--upstream", upstream.url, "--upstream-public", public, "--offline"),
            *("--state", str(tmp_path / "state")),
        ]
        assert await asyncio.to_thread(run, arguments) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["asks"] == asks
    assert ("1 pins are of other indexes and left out" in told["notes"]) is not bool(asks)
