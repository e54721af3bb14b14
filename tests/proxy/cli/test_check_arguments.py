"""Requirements, locks and environments are told apart on the command line."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from indexgate.cli import check_arguments
from indexgate.cli.check_arguments import Named
from indexgate.errors import GateError
from indexgate.locks.entry import Lock
from indexgate.requirements.file import Requirements
from tests.proxy.locks.samples import LOCKS, SBOM, UV
from tests.proxy.locks.test_environment import installed


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in LOCKS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(
    *words: str, stdin: str = "", environ: Mapping[str, str] | None = None, **more: object
) -> tuple[Requirements, tuple[Lock, ...]]:
    def read_file(path: str, most: int) -> bytes:
        return (stdin.encode() if path == "-" else Path(path).read_bytes())[:most]

    named = Named(words=words, **more)  # type: ignore[arg-type]
    return check_arguments.read(
        named, read_file=read_file, environ=environ or {}, folder=Path.cwd()
    )


@pytest.mark.parametrize("name", [name for name in LOCKS if name != "requirements.txt"])
@pytest.mark.parametrize("option", [True, False])
def test_a_lock_is_a_lock_as_a_word_and_as_a_requirements_file(
    folder: Path, name: str, option: bool
) -> None:
    requirements, [lock] = read(files=(name,)) if option else read(name)
    assert lock.path == name
    assert requirements.entries == ()


def test_requirements_are_read_as_pip_reads_them(folder: Path) -> None:
    requirements, locks = read("requirements.txt", "plain<2")
    assert [entry.place for entry in requirements.entries] == [
        "command line", "requirements.txt:2", "requirements.txt:5", "requirements.txt:6",
    ]  # fmt: skip
    assert locks == ()


def test_a_lock_under_another_name_is_told_by_its_content_or_by_the_option(folder: Path) -> None:
    (folder / "pins.txt").write_text(UV, encoding="utf-8")
    assert read("pins.txt")[1][0].format == "uv"
    (folder / "things.json").write_text("{}", encoding="utf-8")
    with pytest.raises(GateError, match="is no CycloneDX document"):
        read("things.json", format="cyclonedx")


def test_the_standard_input_may_be_a_lock_or_requirements() -> None:
    assert read("-", stdin=SBOM)[1][0].path == "standard input"
    requirements, locks = read("-", stdin="demo==1.0\n")
    assert [entry.place for entry in requirements.entries] == ["standard input:1"]
    assert locks == ()


def test_a_project_may_be_called_as_a_file_is(folder: Path) -> None:
    (folder / "requests").write_text("x", encoding="utf-8")
    requirements, _ = read("requests", "zope.json")
    assert len(requirements.entries) == 2


@pytest.mark.parametrize("word", ["needs.txt", "other.lock"])
def test_a_file_that_is_not_there_is_not_taken_for_a_project(folder: Path, word: str) -> None:
    with pytest.raises(GateError, match=f"cannot read `{word}`"):
        read(word)


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_gates_own_index_is_no_way_past_it(folder: Path, slash: str) -> None:
    gate = "http://127.0.0.1:8503/simple"
    lines = f"-i {gate}{slash}\n--extra-index-url https://a.test/simple\n-f {gate}{slash}\ndemo\n"
    (folder / "r.txt").write_text(lines, encoding="utf-8")
    requirements, _ = check_arguments.read(
        Named(words=(), files=("r.txt",)),
        read_file=lambda path, most: Path(path).read_bytes()[:most],
        environ={},
        folder=folder,
        roots=("http://127.0.0.1:8503/",),
    )
    ways = requirements.ways_past
    assert [way.split()[0] for way in ways] == ["`--extra-index-url", "`--find-links"]


def test_an_archive_is_a_requirement(folder: Path) -> None:
    (folder / "demo-1.0.tar.gz").write_text("x", encoding="utf-8")
    requirements, locks = read("./demo-1.0.tar.gz")
    assert len(requirements.entries) == 1
    assert locks == ()


def test_the_environment_is_the_one_named_the_active_one_or_the_projects(tmp_path: Path) -> None:
    for name in ("named", "active", ".venv"):
        installed(tmp_path / name / "lib" / "python3.12" / "site-packages", name.strip("."), "1")

    def found(text: str, environ: Mapping[str, str]) -> list[str]:
        named = Named(words=(), environments=(text,))
        _, [lock] = check_arguments.read(
            named, read_file=lambda _p, _n: b"", environ=environ, folder=tmp_path
        )
        return [each.name for each in lock.pinned]

    assert found(str(tmp_path / "named"), {}) == ["named"]
    assert found("-", {"VIRTUAL_ENV": str(tmp_path / "active")}) == ["active"]
    assert found("-", {}) == ["venv"]


def test_without_any_environment_the_option_that_names_one_is_told(tmp_path: Path) -> None:
    named = Named(words=(), environments=("-",))
    with pytest.raises(GateError, match="no environment is active"):
        check_arguments.read(named, read_file=lambda _p, _n: b"", environ={}, folder=tmp_path)
