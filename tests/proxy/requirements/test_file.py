"""Files that name one another, what they bound, and where they lead past the gate."""

from pathlib import Path

import pytest

from indexgate.errors import GateError
from indexgate.requirements import file as of_files
from indexgate.requirements.bounds import Bounds, in_force
from indexgate.requirements.entries import Elsewhere, Wanted
from indexgate.requirements.file import Requirements, read_requirements

PY311 = {"python_version": "3.11", "python_full_version": "3.11.7", "sys_platform": "linux"}
A = "sha256:" + "a" * 64
B = "sha256:" + "b" * 64


def read(
    folder: Path, files: dict[str, str], *lines: str, constraints: tuple[str, ...] = ()
) -> Requirements:
    """Read `r.txt` of *files* (and the lines), which are written to *folder*."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def read_file(path: str, most: int) -> bytes:
        if path == "-":
            return b"piped==1\n-r nothere.txt"[:8]
        return Path(path).read_bytes()[:most]

    return read_requirements(
        lines,
        [str(folder / "r.txt")] if "r.txt" in files else [],
        [str(folder / name) for name in constraints],
        read_file=read_file,
        environ={"PIN": "3"},
    )


def asked(found: Requirements) -> list[str]:
    return [str(e.requirement) if isinstance(e, Wanted) else e.text for e in found.entries]


def bounds_of(found: Requirements) -> dict[str, Bounds]:
    return {str(name): bounds for name, bounds in in_force(found, PY311).bounds.items()}


def test_files_are_read_where_they_are_named_relative_to_the_one_that_names_them(
    tmp_path: Path,
) -> None:
    found = read(
        tmp_path,
        {
            "r.txt": "a==1\n-r sub/more.txt\nc==${PIN}\n",
            "sub/more.txt": "-r ../base.txt\nb==1",
            "base.txt": "base\n",
        },
        "first==1",
    )
    assert asked(found) == ["first==1", "a==1", "base", "b==1", "c==3"]
    places = [Path(entry.place).name for entry in found.entries]
    assert places == ["command line", "r.txt:1", "base.txt:1", "more.txt:2", "r.txt:3"]


def test_a_link_is_relative_to_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "real.txt").write_text("-r near.txt", encoding="utf-8")
    (tmp_path / "r.txt").symlink_to(tmp_path / "far" / "real.txt")
    found = read(tmp_path, {"near.txt": "a==1"})
    assert asked(found) == []
    found = read_requirements(
        [],
        [str(tmp_path / "r.txt")],
        [],
        read_file=lambda path, _: Path(path).read_bytes(),
        environ={},
    )
    assert asked(found) == ["a==1"]


def test_one_file_may_be_named_twice_but_not_by_itself(tmp_path: Path) -> None:
    twice = {"r.txt": "-r a.txt\n-r b.txt", "a.txt": "-r c.txt", "b.txt": "-r c.txt", "c.txt": "c"}
    assert asked(read(tmp_path, twice)) == ["c", "c"]
    for loop in ({"r.txt": "-r ./r.txt"}, {"r.txt": "-c x/../a.txt", "a.txt": "-r r.txt"}):
        with pytest.raises(GateError) as raised:
            read(tmp_path, loop)
        assert raised.value.reference == "requirements-loop"


def test_files_are_bounded_in_depth_number_and_length(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = {"r.txt": "-r 0.txt"} | {f"{n}.txt": f"-r {n + 1}.txt" for n in range(60)}
    # Each names the next twice: 2 ** 20 readings, were they not bounded.
    wide = {"r.txt": "-r 0.txt"} | {f"{n}.txt": f"-r {n + 1}.txt\n" * 2 for n in range(20)}
    for files in (deep, wide | {"20.txt": ""}):
        with pytest.raises(GateError) as raised:
            read(tmp_path, files)
        assert raised.value.reference == "requirements-size"
    monkeypatch.setattr(of_files, "MOST_BYTES", 20)
    assert asked(read(tmp_path, {"r.txt": "-r b.txt", "b.txt": "a==1"})) == ["a==1"]
    with pytest.raises(GateError) as raised:
        read(tmp_path, {"r.txt": "-r b.txt", "b.txt": "# 0123456789\n"})
    assert raised.value.reference == "requirements-size"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(GateError) as raised:
        read(tmp_path, {"r.txt": "-r gone.txt"})
    assert raised.value.reference == "requirements-file"
    assert "gone.txt" in raised.value.message
    assert "no such file" in raised.value.message


def test_lists_at_an_address_are_not_fetched_and_that_is_said(tmp_path: Path) -> None:
    text = "-r https://me:hunter2@a.test/r.txt\n-c https://a.test/c.txt"
    found = read(tmp_path, {"r.txt": text})
    [entry] = found.entries
    assert isinstance(entry, Elsewhere)
    assert "hunter2" not in entry.text
    [told] = found.ways_past
    assert "`https://a.test/c.txt`" in told


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--index-url https://me:hunter2@a.test/simple", "past the gate"),
        ("-i https://a.test/simple", "--index-url https://a.test/simple"),
        ("--extra-index-url=https://a.test/simple", "past the gate"),
        ("--find-links ./wheels", "past the gate"),
        ("--no-index", "no index"),
    ],
)
def test_lines_that_lead_past_the_gate_are_named(tmp_path: Path, line: str, words: str) -> None:
    [told] = read(tmp_path, {"r.txt": f"a==1\n{line}\n"}).ways_past
    assert words in told
    assert "r.txt:2" in told
    assert "hunter2" not in told


def test_a_choice_among_files_is_noted_and_leads_nowhere(tmp_path: Path) -> None:
    found = read(tmp_path, {"r.txt": "a==1\n--no-binary :all:\n"})
    assert found.ways_past == ()
    [told] = found.notes
    assert told.startswith("`--no-binary :all:` (")
    assert "r.txt:2) is not looked at" in told


def test_lines_of_one_project_bound_one_another(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        {
            "r.txt": f"Demo>=1 --hash={A} --hash={B}\n-c c.txt\n--pre\nother==1\n",
            "c.txt": f"demo<2 --hash={A}\nunused==1\nother==2; python_version < '3'",
            "more.txt": "other!=3",
        },
        constraints=("more.txt",),
    )
    bounds = bounds_of(found)
    assert str(bounds["demo"].specifier) == "<2,>=1"
    assert bounds["demo"].hashes == frozenset([A])
    assert not bounds["demo"].pinned
    assert bounds["demo"].prereleases
    assert str(bounds["other"].specifier) == "!=3,==1"
    assert bounds["other"].pinned
    assert asked(found) == [asked(found)[0], "other==1"]


def test_two_lines_that_share_no_hash_leave_none(tmp_path: Path) -> None:
    found = read(tmp_path, {"r.txt": f"demo --hash={A}\ndemo --hash={B}"})
    assert bounds_of(found)["demo"].hashes == frozenset()


@pytest.mark.parametrize(
    ("specifier", "pinned"),
    [("==1", True), ("===1", True), ("==1.*", False), (">=1", False), ("~=1.0,==1.2", True)],
)
def test_a_pin_names_a_version(tmp_path: Path, specifier: str, pinned: bool) -> None:
    found = read(tmp_path, {}, f"demo{specifier}")
    assert bounds_of(found)["demo"].pinned is pinned


def test_markers_are_of_the_given_interpreter(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        {},
        "a==1; python_version < '3.10'",
        "b==1; python_version >= '3.10' and sys_platform == 'linux'",
        "c==1; extra == 'x'",
        "d @ https://a.test/d ; python_version < '3'",
    )
    force = in_force(found, PY311)
    assert force.skipped == {0, 2, 3}
    assert set(force.bounds) == {"b"}


def test_a_constraint_can_take_a_project_elsewhere(tmp_path: Path) -> None:
    found = read(tmp_path, {"r.txt": "-c c.txt\na", "c.txt": "a @ https://a.test/a"})
    assert set(in_force(found, PY311).elsewhere) == {"a"}


def test_a_constraint_with_extras_is_declined_as_pip_does(tmp_path: Path) -> None:
    with pytest.raises(GateError) as raised:
        read(tmp_path, {"r.txt": "-c c.txt", "c.txt": "a[x]==1"})
    assert "extras" in raised.value.message


def test_requirements_named_by_constraints_are_required(tmp_path: Path) -> None:
    """As pip has it: what `-r` reads is required, also when a constraints file says it."""
    found = read(tmp_path, {"r.txt": "-c c.txt", "c.txt": "-r b.txt", "b.txt": "b==1"})
    assert asked(found) == ["b==1"]
