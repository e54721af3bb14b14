"""What is found on a machine: how grave, where it stands, and what is let be."""

from collections.abc import Mapping

import pytest

from indexgate.doctor.examine import examine
from indexgate.doctor.finding import Advice, Command, Edit, Finding
from indexgate.doctor.kinds import KINDS
from tests.proxy.doctor.machines import GATE, OTHER, PROJECT, machine

UV_GATE = GATE.rstrip("/")
FILE = "https://other.example.test/demo-2.0-py3-none-any.whl"
ZEROS = "0" * 64
UV_LOCK = f"""\
version = 1
[[package]]
name = "demo"
version = "2.0"
source = {{ registry = "{OTHER}" }}
wheels = [
    {{ url = "{FILE}", hash = "sha256:{ZEROS}" }},
]
"""


def _of(found: tuple[Finding, ...]) -> set[tuple[str, str, str]]:
    return {(each.id, each.severity, str(each.place)) for each in found}


@pytest.mark.parametrize(
    ("files", "environ", "expected"),
    [
        # pip: a stronger setting hides a weaker one, which is told all the same
        (
            {"~/pip.conf": f"[global]\nindex-url = {OTHER}\n"}, {"PIP_INDEX_URL": GATE},
            {("pip-not-pointed", "note", "/users/pip.conf:2")},
        ),
        (
            {"~/pip.conf": f"[global]\nindex-url = {OTHER}\n",
             ".venv/pip.conf": f"[global]\nindex-url = {GATE}\n"}, {},
            {("pip-not-pointed", "note", "/users/pip.conf:2")},
        ),
        (
            {"~/pip.conf": f"[download]\n# mine\nindex-url = {OTHER}\n"}, {"PIP_TIMEOUT": "5"},
            {("pip-not-pointed", "error", "/users/pip.conf:3")},
        ),
        (
            {"~/pip.conf": f"[global]\nextra-index-url = {OTHER}\n"},
            {"PIP_EXTRA_INDEX_URL": GATE},
            {("pip-extra-index", "note", "/users/pip.conf:2")},
        ),
        (
            {"~/pip.conf": f"[global]\nextra-index-url = {OTHER}\n"},
            {"PIP_CONFIG_FILE": "/dev/null"}, set(),
        ),
        (
            {"~/pip.conf": "[global]\ntrusted-host = 127.0.0.1\n"}, {},
            {("pip-trusted-host", "warning", "/users/pip.conf:2")},
        ),
        (
            {}, {"PIP_TRUSTED_HOST": "other.example.test"},
            {("pip-trusted-host", "note", "$PIP_TRUSTED_HOST")},
        ),
        ({}, {"PIP_NO_INDEX": "false"}, set()),
        (
            {"~/pip.conf": "no section\n"}, {},
            {("settings-unread", "warning", "/users/pip.conf")},
        ),
        (
            {"~/pip.conf": b"[global]\nindex-url = \xff\n"}, {},
            {("settings-unread", "warning", "/users/pip.conf")},
        ),
        # uv
        (
            {"uv.toml": f'[[index]]\nurl = "{OTHER}"\ndefault = true\n'},
            {"UV_DEFAULT_INDEX": UV_GATE},
            {("uv-not-pointed", "note", "/users/app/uv.toml:2")},
        ),
        (
            {"~/uv.toml": f'[[index]]\nname = "gate"\nurl = "{UV_GATE}"\n', "uv.toml": ""}, {},
            {("uv-not-pointed", "error", "nowhere")},
        ),
        (
            {"pyproject.toml": f'[[tool.uv.index]]\nname = "other"\nurl = "{OTHER}"\n'},
            {"UV_INDEX": f"other={UV_GATE}", "UV_DEFAULT_INDEX": UV_GATE}, set(),
        ),
        (
            {"pyproject.toml": '[tool.uv]\nindex-strategy = "unsafe-best-match"\n'
                               'allow-insecure-host = ["127.0.0.1:8503"]\n'},
            {"UV_DEFAULT_INDEX": UV_GATE},
            {("uv-index-strategy", "warning", "/users/app/pyproject.toml:2"),
             ("uv-insecure-host", "warning", "/users/app/pyproject.toml:3")},
        ),
        (
            {"~/uv.toml": f'[[index]]\nurl = "{OTHER}"\n'}, {"UV_NO_CONFIG": "1"}, set(),
        ),
        ({"uv.toml": "= broken"}, {}, {
            ("settings-unread", "warning", "/users/app/uv.toml"),
            ("uv-not-pointed", "error", "nowhere"),
        }),
        # uv.lock of another index: uv resolves it anew, unless it is frozen
        (
            {"uv.lock": UV_LOCK}, {"UV_DEFAULT_INDEX": UV_GATE},
            {("lock-other-host", "warning", "/users/app/uv.lock:7")},
        ),
        (
            {"uv.lock": UV_LOCK}, {"UV_DEFAULT_INDEX": UV_GATE, "UV_FROZEN": "1"},
            {("lock-other-host", "error", "/users/app/uv.lock:7")},
        ),
        (
            {"uv.lock": UV_LOCK.replace(OTHER, GATE).replace("https://other.example.test/",
                                                            "http://127.0.0.1:8503/files/")},
            {"UV_DEFAULT_INDEX": UV_GATE}, set(),
        ),
        (
            {"pdm.lock": "[[package]", "pylock.dev.toml": "lock-version = 1.0\npackages = 3\n"},
            {"PDM_PYPI_URL": GATE},
            {("lock-unread", "warning", "/users/app/pdm.lock"),
             ("lock-unread", "warning", "/users/app/pylock.dev.toml")},
        ),
        # requirements
        (
            {"requirements/dev.txt": f"a==1\n-i {GATE}\n--trusted-host 127.0.0.1\n"},
            {"PIP_INDEX_URL": GATE},
            {("requirements-trusted-host", "warning", "/users/app/requirements/dev.txt:3")},
        ),
        (
            {"requirements.txt": "-e .\n./wheels/a-1-py3-none-any.whl\n-r missing.txt\n--bogus\n"},
            {"PIP_INDEX_URL": GATE},
            {("direct-path", "note", "/users/app/requirements.txt:1"),
             ("direct-path", "warning", "/users/app/requirements.txt:2"),
             ("requirements-unread", "warning", "/users/app/missing.txt:1"),
             ("requirements-unread", "warning", "/users/app/requirements.txt:4")},
        ),
        (
            {"~/pip.conf": "[global]\nconstraint = ../pins gone\n", "../pins": f"x\n{FILE}\n",
             "more": f"-i {OTHER}\n"},
            {"PIP_CONSTRAINT": "", "UV_OVERRIDE": "more"},
            {("requirements-index", "error", "/users/app/more:1"),
             ("direct-address", "error", "/users/app/../pins:2")},
        ),
        # Poetry
        (
            {"pyproject.toml": "[tool.poetry]\n"}, {"POETRY_PYPI_MIRROR_URL": GATE},
            {("poetry-plugin", "error", "$POETRY_PYPI_MIRROR_URL")},
        ),
        (
            {"pyproject.toml": "[tool.poetry]\n",
             "~/poetry.toml": f'[plugins.pypi_mirror]\nurl = "{OTHER}"\n'}, {},
            {("poetry-source", "error", "/users/poetry.toml:2"),
             ("poetry-not-pointed", "error", "/users/app/pyproject.toml")},
        ),
        (
            {"pyproject.toml": f'[[tool.poetry.source]]\nname = "gate"\nurl = "{OTHER}"\n'}, {},
            {("poetry-source", "error", "/users/app/pyproject.toml:3")},
        ),
        # PDM
        (
            {"pyproject.toml": f'[[tool.pdm.source]]\nname = "gate"\nurl = "{GATE}"\n'
                               "verify_ssl = false\n"}, {"PDM_PYPI_URL": GATE},
            {("pdm-insecure-host", "warning", "/users/app/pyproject.toml:4")},
        ),
        # pipenv
        (
            {"Pipfile": '[packages]\ndemo = "*"\n'}, {},
            {("pipenv-source", "error", "/users/app/Pipfile")},
        ),
        (
            {"Pipfile": f'[[source]]\nurl = "{GATE}"\nverify_ssl = false\nname = "gate"\n'},
            {}, set(),
        ),
        (
            {"Pipfile": '[[source]]\nurl = "${INDEX}"\nverify_ssl = true\nname = "gate"\n'},
            {"INDEX": GATE}, set(),
        ),
        # the environment
        (
            {}, {"HTTP_PROXY": "http://proxy.example.test", "no_proxy": "127.0.0.0/8, .test"},
            set(),
        ),
        (
            {}, {"HTTP_PROXY": "http://proxy.example.test", "no_proxy": "*",
                 "NO_PROXY": "localhost"},
            {("proxy-catches-gate", "error", "$HTTP_PROXY")},
        ),
        ({}, {"HTTPS_PROXY": "http://proxy.example.test"}, set()),
        (
            {"~/.netrc": "machine other.example.test login u password p\nmachine 127.0.0.1\n"},
            {"UV_KEYRING_PROVIDER": "subprocess"},
            {("other-login", "note", "/users/.netrc"),
             ("other-login", "note", "$UV_KEYRING_PROVIDER")},
        ),
    ],
)  # fmt: skip
def test_what_is_found(
    files: Mapping[str, str | bytes], environ: Mapping[str, str], expected: set[tuple[str, ...]]
) -> None:
    assert _of(examine(machine(files, environ))) == expected


def test_every_client_that_leads_to_the_gate_is_let_be() -> None:
    pointed = {
        "~/pip.conf": f"[global]\nindex-url = {GATE}\nextra-index-url = {GATE}\n",
        "~/uv.toml": f'[[index]]\nurl = "{UV_GATE}"\ndefault = true\n',
        "~/pdm.toml": f'[pypi]\nurl = "{GATE}"\n',
        "pyproject.toml": f'[[tool.poetry.source]]\nname = "g"\nurl = "{GATE}"\n[tool.pdm]\n',
        "Pipfile": '[[source]]\nurl = "http://run:x@localhost:8503/simple"\nname = "g"\n',
        "requirements.txt": "demo==1.0\n",
    }
    every = frozenset(["pip", "uv", "poetry", "pdm", "pipenv"])
    assert examine(machine(pointed, programs=every), every) == ()


def test_nobody_is_blamed_for_a_client_that_is_not_there() -> None:
    assert examine(machine()) == ()
    there = examine(machine(programs=frozenset(["pip", "uv", "poetry", "pdm", "pipenv"])))
    assert {each.id for each in there} == {"pip-not-pointed", "uv-not-pointed", "pdm-not-pointed"}
    named = examine(machine(), ["uv"])
    assert [each.id for each in named] == ["uv-not-pointed"]


def test_one_client_alone_is_looked_at_when_it_is_named() -> None:
    environ = {"PIP_INDEX_URL": OTHER, "UV_DEFAULT_INDEX": OTHER, "PDM_PYPI_URL": OTHER}
    found = examine(machine({}, environ), ["pdm"])
    assert [each.id for each in found] == ["pdm-not-pointed"]


def test_the_gravest_come_first() -> None:
    environ = {"PIP_INDEX_URL": OTHER, "PIP_NO_INDEX": "1", "UV_KEYRING_PROVIDER": "x"}
    found = examine(machine({}, environ))
    assert [each.severity for each in found] == ["error", "warning", "note"]


def test_no_password_is_told() -> None:
    secret = "https://reader:hunter2@other.example.test/simple/"
    files = {
        "~/pip.conf": f"[global]\nindex-url = {secret}\nextra-index-url = {secret}\n",
        "pyproject.toml": f'[[tool.uv.index]]\nurl = "{secret}"\n[project]\n'
        f'dependencies = ["demo @ {secret}demo-1.0.tar.gz"]\n'
        f'[tool.uv.sources]\nb = {{ git = "{secret}" }}\n'
        f'[[tool.poetry.source]]\nname = "o"\nurl = "{secret}"\n'
        f'[[tool.pdm.source]]\nname = "o"\nurl = "{secret}"\n',
        "requirements.txt": f"-i {secret}\n-f {secret}\n--trusted-host x {secret}\ngit+{secret}\n",
        "uv.lock": UV_LOCK.replace("https://", "https://reader:hunter2@"),
        "Pipfile": f'[[source]]\nurl = "{secret}"\n[packages]\nb = {{ git = "{secret}" }}\n',
        "~/.netrc": "machine other.example.test login reader password hunter2\n",
    }
    environ = {"UV_INDEX": f"a={secret}", "PIP_PROXY": secret, "http_proxy": secret,
               "UV_FIND_LINKS": secret, "PDM_PYPI_URL": secret}  # fmt: skip
    found = examine(machine(files, environ))
    assert len(found) > 15
    for each in found:
        assert "hunter2" not in f"{each.what} {each.place} {each.cure}"
        assert "hunter2" not in repr(each)


@pytest.mark.parametrize(
    ("files", "environ", "cure"),
    [
        ({}, {"PIP_EXTRA_INDEX_URL": OTHER}, "unset PIP_EXTRA_INDEX_URL"),
        ({}, {"UV_DEFAULT_INDEX": OTHER}, f"export UV_DEFAULT_INDEX={UV_GATE}"),
        (
            {"~/pip.conf": f"[global]\nextra-index-url =\n  {OTHER}\n  {OTHER}\n"},
            {},
            "take out lines 2-4 of /users/pip.conf",
        ),
        (
            {"requirements.txt": f"demo[x] @ {FILE} ; python_version > '3'\n"},
            {},
            'write `demo[x]==2.0; python_version > "3"` in line 1 of /users/app/requirements.txt',
        ),
        (
            {"requirements.txt": f"{FILE} --hash=sha256:{ZEROS}\n"},
            {},
            f"write `demo==2.0 --hash=sha256:{ZEROS}` in line 1 of /users/app/requirements.txt",
        ),
        (
            {"requirements.txt": "git+https://git.example.test/demo\n"},
            {},
            "take out line 1 of /users/app/requirements.txt",
        ),
        (
            {"pyproject.toml": f'[tool.poetry.dependencies]\ndemo = {{ url = "{FILE}" }}\n'},
            {},
            'write `demo = "==2.0"` in line 2 of /users/app/pyproject.toml',
        ),
        ({"uv.lock": UV_LOCK}, {}, "uv lock"),
    ],
)
def test_what_closes_it_is_said_in_one_line(
    files: Mapping[str, str], environ: Mapping[str, str], cure: str
) -> None:
    assert cure in {str(each.cure) for each in examine(machine(files, environ))}


def test_a_lock_of_upstream_is_rewritten_and_any_other_made_anew() -> None:
    (found,) = examine(machine({"uv.lock": UV_LOCK}, {"UV_DEFAULT_INDEX": UV_GATE},
                               upstreams=(OTHER,)))  # fmt: skip
    assert isinstance(found.cure, Command)
    assert str(found.cure) == "indexgate lock rewrite --to gate uv.lock"
    away = machine({"uv.lock": UV_LOCK}, {"UV_DEFAULT_INDEX": "https://gate.example.test/simple"},
                   upstreams=(OTHER,), roots=("https://gate.example.test/",))  # fmt: skip
    (found,) = examine(away)
    assert "--gate https://gate.example.test/" in str(found.cure)


def test_a_gate_elsewhere_may_be_asked_through_a_proxy() -> None:
    away = machine({}, {"https_proxy": "http://proxy.example.test"},
                   roots=("https://gate.example.test/",))  # fmt: skip
    assert examine(away) == ()


def test_what_no_line_closes_is_said_in_words() -> None:
    # One text on two lines: no change of one line takes the address out.
    text = f'[tool.uv]\nindex = [{{ url = """\\\n{OTHER}""" }}]\n'
    found = examine(machine({"pyproject.toml": text}, {"UV_DEFAULT_INDEX": UV_GATE}))
    assert [(each.id, type(each.cure)) for each in found] == [("uv-index", Advice)]


def test_every_finding_is_of_a_kind_that_is_told() -> None:
    assert all(kind.means and kind.client for kind in KINDS.values())


def test_lines_are_put_in_and_keep_the_ends_of_the_file() -> None:
    edit = Edit(path=PROJECT / "x", first=1, last=0, text="a")
    assert edit.applied("b\r\n") == "a\r\nb\r\n"
    assert edit.applied("") == "a\n"
    assert Edit(path=PROJECT / "x", first=2, last=1, text="a").applied("b") == "b\na\n"
