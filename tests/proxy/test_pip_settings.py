"""Pip's configuration is found as pip finds it."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate import pip_settings
from indexgate.pip_settings import Places
from indexgate.web_address import Credentials

SYSTEM, ETC = Path("/xdg/pip/pip.conf"), Path("/etc/pip.conf")
LEGACY, USER = Path("/home/.pip/pip.conf"), Path("/home/.config/pip/pip.conf")
SITE, OWN = Path("/venv/pip.conf"), Path("/own.conf")
PLACES = Places(system=(SYSTEM, ETC), user=(LEGACY, USER), site=(SITE,))


def reading(files: Mapping[Path, str | bytes]) -> Callable[[Path], bytes]:
    def read(path: Path) -> bytes:
        if path not in files:
            raise FileNotFoundError(2, "No such file or directory", str(path))
        content = files[path]
        return content if isinstance(content, bytes) else content.encode()

    return read


def index_in(name: str) -> str:
    return f"[global]\nindex-url = https://{name}.test/simple\n"


def read(
    files: Mapping[Path, str | bytes], environ: Mapping[str, str] | None = None
) -> pip_settings.PipSettings:
    return pip_settings.read(environ or {}, PLACES, reading(files))


def test_without_configuration_nothing_is_set() -> None:
    assert read({}) == pip_settings.PipSettings()


def test_each_file_beats_those_before_it() -> None:
    files: dict[Path, str] = {}
    for place in (SYSTEM, ETC, LEGACY, USER, SITE):
        files[place] = index_in(place.parent.name.strip("."))
        found = read(files).index_url
        assert found is not None
        assert found.value == f"https://{place.parent.name.strip('.')}.test/simple"
        assert found.origin == f"pip's `global.index-url` in `{place}`"


def test_the_variable_beats_every_file_and_an_empty_one_does_not() -> None:
    files = {SITE: index_in("site")}
    found = read(files, {"PIP_INDEX_URL": "https://env.test/"}).index_url
    assert found is not None
    assert (found.value, found.origin) == ("https://env.test/", "variable `PIP_INDEX_URL`")
    found = read(files, {"PIP_INDEX_URL": ""}).index_url
    assert found is not None
    assert found.value == "https://site.test/simple"


def test_the_install_section_beats_the_global_one_of_a_stronger_file() -> None:
    install = "[install]\nindex-url = https://install.test/\n"
    found = read({SYSTEM: install, SITE: index_in("site")}).index_url
    assert found is not None
    assert found.value == "https://install.test/"


def test_other_sections_do_not_count() -> None:
    assert read({USER: "[download]\nindex-url = https://a.test/\n"}).index_url is None


def test_pip_config_file_stands_above_all_and_replaces_the_users_files() -> None:
    files = {
        SYSTEM: "[global]\nproxy = http://proxy.test:3128\n",
        USER: "[global]\ncert = /user.pem\n",
        SITE: index_in("site"),
        OWN: index_in("own"),
    }
    settings = read(files, {"PIP_CONFIG_FILE": str(OWN)})
    assert settings.index_url is not None
    assert settings.index_url.value == "https://own.test/simple"
    assert settings.proxy is not None
    assert settings.cert is None


def test_a_pip_config_file_that_is_missing_leaves_the_users_files() -> None:
    assert read({USER: index_in("user")}, {"PIP_CONFIG_FILE": "/gone"}).index_url is not None


def test_the_null_device_leaves_out_every_file_but_no_variable() -> None:
    environ = {"PIP_CONFIG_FILE": os.devnull, "PIP_PROXY": "http://proxy.test"}
    settings = read({SITE: index_in("site"), SYSTEM: index_in("x")}, environ)
    assert settings.index_url is None
    assert settings.proxy is not None


def test_every_key_is_read_in_all_the_spellings_that_pip_takes() -> None:
    settings = read(
        {USER: "[global]\nINDEX_URL = a\nclient-cert = c\n--cert = d\ndefault-timeout = 5\n"},
        {"PIP_PYPI_URL": "b", "PIP_PROXY": "p"},
    )
    values = [
        found.value if found else None
        for found in (
            settings.index_url,
            settings.client_cert,
            settings.cert,
            settings.timeout,
            settings.proxy,
        )
    ]
    assert values == ["b", "c", "d", "5", "p"]


def test_extra_indexes_are_told_one_by_one() -> None:
    files = {USER: "[global]\nextra-index-url =\n    https://one.test/\n    https://two.test/\n"}
    extras = read(files).extra_index_urls
    assert [extra.value for extra in extras] == ["https://one.test/", "https://two.test/"]


def test_credentials_do_not_show_when_printed() -> None:
    settings = read({}, {"PIP_INDEX_URL": "https://me:hunter2@a.test/"})
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize("content", [b"index-url = x", b"[global\n", b"[a]\n[a]\n", b"\xff\xfe"])
def test_a_file_that_pip_could_not_read_is_named_and_the_others_hold(content: bytes) -> None:
    settings = read({SYSTEM: index_in("xdg"), USER: content})
    assert settings.index_url is not None
    assert len(settings.notices) == 1
    assert str(USER) in settings.notices[0]


def test_a_file_that_must_not_be_read_is_named() -> None:
    def read_file(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    settings = pip_settings.read({}, Places(system=(SYSTEM,), user=(), site=()), read_file)
    assert settings.notices == (f"pip's `{SYSTEM}` cannot be read: permission denied",)


@given(st.binary(max_size=120))
def test_no_file_stops_the_reading(content: bytes) -> None:
    read({USER: content})


def test_the_places_are_those_that_pip_itself_names(tmp_path: Path) -> None:
    environ = {**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "xdg")}
    for name in [name for name in environ if name.startswith("PIP_")]:
        del environ[name]
    script = (
        "from indexgate.pip_settings import places; w = places()\n"
        "print(*w.system, *w.user, *w.site, sep='\\n')"
    )

    def output(*arguments: str) -> str:
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, env=environ, capture_output=True, text=True, check=True
        ).stdout

    asked = output("-c", script).splitlines()
    told = [
        line.strip().partition(", exists:")[0]
        for line in output("-m", "pip", "config", "debug").splitlines()
        if ", exists:" in line
    ]
    assert asked
    assert sorted(asked) == sorted(told)


@pytest.fixture
def netrc_file(tmp_path: Path) -> Path:
    path = tmp_path / "netrc"
    path.write_text("machine a.test login me password pw\ndefault login x password y\n")
    path.chmod(0o600)
    return path


def test_netrc_gives_the_credentials_of_exactly_the_asked_host(netrc_file: Path) -> None:
    login = pip_settings.netrc_login("a.test", netrc_file)
    assert login == Credentials(user="me", password="pw")
    assert pip_settings.netrc_login("b.test", netrc_file) is None


def test_a_netrc_file_that_is_missing_or_broken_gives_none(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("machine")
    assert pip_settings.netrc_login("a.test", broken) is None
    assert pip_settings.netrc_login("a.test", tmp_path / "gone") is None


def test_the_netrc_file_is_the_one_the_variable_names_or_in_the_home_folder(tmp_path: Path) -> None:
    assert pip_settings.netrc_path({"NETRC": "/n"}, tmp_path) == Path("/n")
    assert pip_settings.netrc_path({}, tmp_path) == tmp_path / ".netrc"
    (tmp_path / "_netrc").touch()
    assert pip_settings.netrc_path({}, tmp_path) == tmp_path / "_netrc"
