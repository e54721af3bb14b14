"""A change and its undo: the same bytes again, and where others wrote since, only our lines."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexgate.configure import change as changes
from indexgate.configure import edits, records
from indexgate.configure.change import Change
from indexgate.configure.edits import Form
from indexgate.configure.hunks import NotByLines
from indexgate.configure.records import Record
from indexgate.errors import GateError

GATE = "http://127.0.0.1:8503/simple/"
OTHER = "https://gate.example.test/simple/"
MIRROR = "https://mirror.example.test/simple"
PRIMARY = f'[[tool.poetry.source]]\nname = "b"\nurl = "{MIRROR}"\npriority = "primary"\n'

SAMPLES: list[tuple[str, Form, str]] = [
    ("empty", "pip", ""),
    ("comments", "pip", f"# a\n[global]\n; b\nindex-url = {MIRROR}\ntimeout=60\n"),
    ("underscore, colon", "pip", f"[global]\nindex_url: {MIRROR}\n"),
    ("on lines of its own", "pip", f"[global]\nindex-url =\n    {MIRROR}\n[list]\nformat = json\n"),
    ("of install", "pip", f"[install]\nindex-url={MIRROR}\n\n[global]\nno-cache-dir = true"),
    ("no key", "pip", "[global]\ntimeout = 60\n"),
    ("no section", "pip", "[freeze]\ntimeout = 60"),
    ("line ends", "pip", f"[global]\r\nindex-url = {MIRROR}\r\n"),
    ("line ends, no key", "pip", "[list]\r\nformat = json"),
    ("mark", "pip", "\ufeff[global]\ntimeout = 60\n"),
    ("empty", "uv", ""),
    ("default", "uv", f"[[index]]\nurl = '{MIRROR}' # b\ndefault = true\n"),
    ("others", "uv", f'# a\n[[index]]\nname = "x"\nurl = "{MIRROR}"\n[pip]\nstrict = true'),
    ("old", "uv", f'index-url = "{MIRROR}"\nno-build = true\n'),
    ("old, pip", "uv", f'[pip]\nindex-url = "{MIRROR}"\r\n'),
    ("project", "uv-project", '[project]\nname = "a"\ndependencies = [\n  "b", # [c]\n]\n'),
    ("long text", "uv-project", 'd = """\n[[tool.uv.index]]\nurl = "x"\n"""\r\n[tool.uv]\n'),
    ("default", "uv-project", f'[[tool.uv.index]]\ndefault=true\nurl="{MIRROR}"\n[x]\ny=1\n'),
    ("no source", "poetry-project", '[tool.poetry]\nname = "a"'),
    ("source", "poetry-project", f"[[tool.poetry.source]]\nname = 'a'\nurl = '{MIRROR}'\n"),
    (
        "after others",
        "poetry-project",
        f'[[tool.poetry.source]]\nname = "a"\nurl = "{OTHER}"\npriority = "explicit"\n{PRIMARY}',
    ),
    ("empty", "poetry", ""),
    ("other tables", "poetry", "[virtualenvs]\nin-project = true\n"),
    ("empty", "pdm", "\n"),
    ("key", "pdm", f'[pypi]\nverify_ssl = true\nurl = "{MIRROR}"\n'),
    ("no key", "pdm", "[pypi]\nverify_ssl = true\n"),
    ("source", "pdm-project", f'[[tool.pdm.source]]\nurl = "{MIRROR}"\nname = "pypi"\n'),
    ("source", "pipenv", f'[[source]]\nurl = "{MIRROR}"\nname = "a"\n[packages]\nb = "*"\n'),
    ("no source", "pipenv", '[packages]\nb = "*"'),
]


def configure(state: Path, path: Path, form: Form, url: str = GATE) -> Change:
    known = records.find(state, path)
    wanted = Record(
        client="pip",
        scope="user",
        form=form,
        path=str(path),
        url=url,
        before=None,
        after="",
        hunks=(),
    )
    change = changes.make(
        wanted, lambda text: edits.edit(form, text, url), edits.value_reader(form), known
    )
    changes.carry_out(change, state, known)
    return change


def undo(state: Path, path: Path, form: Form) -> Change:
    known = records.find(state, path)
    assert known is not None
    change = changes.undo(known, edits.value_reader(form))
    changes.carry_out(change, state, known)
    return change


@pytest.mark.parametrize(
    ("form", "text"), [row[1:] for row in SAMPLES], ids=[f"{form}: {n}" for n, form, _ in SAMPLES]
)
def test_the_undo_gives_the_same_bytes(form: Form, text: str, tmp_path: Path) -> None:
    path, state = tmp_path / "file", tmp_path / "state"
    path.write_bytes(text.encode())
    change = configure(state, path, form)
    assert GATE in path.read_text(encoding="utf-8")
    assert MIRROR not in path.read_text(encoding="utf-8") or not change.replaced
    assert change.replaced in ((), (MIRROR,))
    assert undo(state, path, form).exact
    assert path.read_bytes() == text.encode()
    assert not (state / "configured").exists()


@pytest.mark.parametrize("form", sorted({row[1] for row in SAMPLES}))
def test_a_file_that_was_not_there_is_removed_with_its_folders(form: Form, tmp_path: Path) -> None:
    path, state = tmp_path / "a" / "b" / "file", tmp_path / "state"
    configure(state, path, form)
    configure(state, path, form, OTHER)
    assert OTHER in path.read_text(encoding="utf-8")
    undo(state, path, form)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("form", "text"), [row[1:] for row in SAMPLES], ids=[f"{form}: {n}" for n, form, _ in SAMPLES]
)
def test_configured_for_another_gate_it_is_still_undone_to_what_was_first(
    form: Form, text: str, tmp_path: Path
) -> None:
    path, state = tmp_path / "file", tmp_path / "state"
    path.write_bytes(text.encode())
    configure(state, path, form)
    assert configure(state, path, form).changes is False
    configure(state, path, form, OTHER)
    assert GATE not in path.read_text(encoding="utf-8")
    undo(state, path, form)
    assert path.read_bytes() == text.encode()


@pytest.mark.parametrize(
    ("form", "was", "others", "then"),
    [
        (  # `pip config set` writes the whole file anew, without comments
            "pip",
            f"# a\n[global]\nindex-url={MIRROR}\n",
            lambda text: "[global]\n" + f"index-url = {GATE}\n" + "timeout = 60\n\n",
            f"[global]\nindex-url={MIRROR}\ntimeout = 60\n\n",
        ),
        (  # a key under the heading that we made: the heading stays
            "pip",
            None,
            lambda text: text + "timeout = 60\n",
            "[global]\ntimeout = 60\n",
        ),
        ("uv", None, lambda text: "no-build = true\n\n" + text, "no-build = true\n\n"),
        (
            "uv",
            "# a",
            lambda text: text + '[[index]]\nurl = "x"\n',
            '# a\n[[index]]\nurl = "x"\n',
        ),
        (  # another index before ours with the same lines but one
            "uv",
            f'[[index]]\nurl = "{MIRROR}"\ndefault = true\n',
            lambda text: '[[index]]\nname = "x"\nurl = "x"\n' + text,
            f'[[index]]\nname = "x"\nurl = "x"\n[[index]]\nurl = "{MIRROR}"\ndefault = true\n',
        ),
        (
            "poetry-project",
            '[tool.poetry]\nname = "a"\n',
            lambda text: text.replace('"a"', '"a"\nversion = "1"') + "\n[tool.x]\ny = 1\n",
            '[tool.poetry]\nname = "a"\nversion = "1"\n\n[tool.x]\ny = 1\n',
        ),
        ("pdm", None, lambda text: text + "verify_ssl = false\n", "[pypi]\nverify_ssl = false\n"),
    ],
)
def test_what_others_wrote_since_stays(
    form: Form, was: str | None, others: Callable[[str], str], then: str, tmp_path: Path
) -> None:
    path, state = tmp_path / "file", tmp_path / "state"
    if was is not None:
        path.write_bytes(was.encode())
    configure(state, path, form)
    path.write_bytes(others(path.read_bytes().decode()).encode())
    change = undo(state, path, form)
    assert path.read_bytes().decode() == then
    assert (change.exact, change.left) == (False, 0)


def test_lines_that_are_gone_are_left_and_counted(tmp_path: Path) -> None:
    path, state = tmp_path / "file", tmp_path / "state"
    configure(state, path, "pip")
    path.write_text("[global]\nindex-url = https://x.example.test/\n", encoding="utf-8")
    change = undo(state, path, "pip")
    assert (change.left, change.changes) == (1, False)


def test_a_link_stays_a_link_and_the_mode_stays(tmp_path: Path) -> None:
    target, link, state = tmp_path / "dotfiles", tmp_path / "link", tmp_path / "state"
    target.write_text("[global]\n", encoding="utf-8")
    target.chmod(0o640)
    link.symlink_to(target)
    configure(state, link.resolve(), "pip")
    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    undo(state, link.resolve(), "pip")
    assert target.read_text(encoding="utf-8") == "[global]\n"


def test_a_read_only_file_is_left_alone_and_nothing_is_recorded(tmp_path: Path) -> None:
    path, state = tmp_path / "file", tmp_path / "state"
    path.write_text("[global]\n", encoding="utf-8")
    path.chmod(0o444)
    with pytest.raises(GateError, match="is read-only"):
        configure(state, path, "pip")
    assert path.read_text(encoding="utf-8") == "[global]\n"
    assert list(records.every(state)) == []
    assert not (state / "configured").exists()


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("uv", "index = []\n"),
        ("uv", 'index = [{ url = "x", default = true }]\n'),
        ("uv-project", f'tool.uv.index-url = "{MIRROR}"\n'),
        ("pdm", 'pypi = { verify_ssl = true, url = "x" }\n'),
        ("poetry-project", '[[tool.poetry.source]]\nname = "PyPI"\n'),
        ("pipenv", '[[source]]\nname = "a"\n'),
    ],
)
def test_what_cannot_be_changed_by_lines_is_not_changed(
    form: Form, text: str, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(NotByLines):
        configure(tmp_path / "state", path, form)
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("form", "content"),
    [("pip", b"index-url = x\n"), ("pip", b"[global]\nx = \xff\n"), ("uv", b"x = [\n")],
)
def test_a_file_that_its_installer_cannot_read_is_named(
    form: Form, content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(GateError, match="configure-unreadable"):
        configure(tmp_path / "state", path, form)
    assert path.read_bytes() == content


def test_a_login_is_neither_kept_nor_shown(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("[global]\nindex-url = https://me:pa55@x.example.test/\n", encoding="utf-8")
    with pytest.raises(GateError, match="configure-credentials") as raised:
        configure(tmp_path / "state", path, "pip")
    assert "pa55" not in str(raised.value)
    assert not (tmp_path / "state").exists()


LINES = st.sampled_from(
    [
        *("", "# index-url = x", "[global]", "[install]", "timeout = 60", "  more", "; [global]"),
        *(f"index-url = {MIRROR}", f"index_url:{MIRROR}", "extra-index-url = https://x.test/"),
        *("[[index]]", "[pip]", "[pypi]", f'url = "{MIRROR}"', "default = true", 'name = "a"'),
        *('text = """', '"""', "list = [", '  "[[index]]",', "]", f"index-url = '{MIRROR}'"),
        *("[[source]]", "[[tool.poetry.source]]", "[tool.poetry]", "[tool.uv]", 'priority = "x"'),
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(
    form=st.sampled_from(sorted({row[1] for row in SAMPLES})),
    written=st.lists(LINES, max_size=12),
    end=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
)
def test_any_file_is_changed_in_that_address_alone_and_undone(
    form: Form, written: list[str], end: str, last: bool, tmp_path: Path
) -> None:
    path, state = tmp_path / "file", tmp_path / "state"
    text = end.join(written) + (end if last else "")
    path.write_bytes(text.encode())
    try:
        configure(state, path, form)
    except (NotByLines, GateError):
        assert path.read_bytes() == text.encode()
        return
    now = path.read_bytes().decode()
    values = edits.value_reader(form)
    changed = values(now) - values(text)
    assert any(GATE in value for _, value in changed)
    assert all(
        GATE in value or value in ("true", '"gate"', '"primary"', '"pypi"') for _, value in changed
    )
    undo(state, path, form)
    assert path.read_bytes() == text.encode()
