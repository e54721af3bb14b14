"""Settings: precedence, origins, and what a wrong one is answered with."""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate import config
from indexgate.cli import reference
from indexgate.config import Given, Settings
from indexgate.errors import GateError
from indexgate.settings_table import TABLE, Setting

DOCS = Path(__file__).parents[2] / "docs" / "reference"
FILE = Path("etc/gate.toml")


def holding(content: bytes) -> Callable[[Path], bytes]:
    def read(path: Path) -> bytes:
        if path != FILE:
            raise FileNotFoundError(2, "No such file or directory", str(path))
        return content

    return read


def load(
    flags: Mapping[str, Given] | None = None,
    environ: Mapping[str, str] | None = None,
    file: str | bytes | None = None,
) -> Settings:
    content = file.encode() if isinstance(file, str) else file
    flags = {**(flags or {}), **({"config": str(FILE)} if content is not None else {})}
    return config.load(
        flags, environ or {}, holding(content or b""), default_state=Path("home/state")
    )


def failure(
    flags: Mapping[str, Given] | None = None,
    environ: Mapping[str, str] | None = None,
    file: str | bytes | None = None,
) -> GateError:
    with pytest.raises(GateError) as raised:
        load(flags, environ, file)
    return raised.value


def test_without_anything_the_defaults_hold() -> None:
    settings = load()
    assert (settings.host, settings.port, settings.policy) == ("127.0.0.1", 8503, "balanced")
    assert settings.page_ttl == timedelta(minutes=10)
    assert settings.cache_size == 5_000_000_000
    assert settings.upstream is None
    assert settings.osv_url
    assert settings.state == Path("home/state")
    assert settings.allow_host == ()
    assert settings.offline is False
    assert {origin.place for origin in settings.origins.values()} == {"default"}
    assert settings.notices == ()


@pytest.mark.parametrize(
    ("flag", "variable", "key", "port", "origin"),
    [
        ("1", "2", "3", 1, "flag `--port`"),
        (None, "2", "3", 2, "variable `INDEXGATE_PORT`"),
        (None, None, "3", 3, f"key `port` in `{FILE}`"),
        (None, "", "3", 3, f"key `port` in `{FILE}`"),
        (None, None, None, 8503, "default of `port`"),
    ],
)
def test_a_flag_beats_a_variable_beats_the_file_beats_the_default(
    flag: str | None, variable: str | None, key: str | None, port: int, origin: str
) -> None:
    environ = {} if variable is None else {"INDEXGATE_PORT": variable}
    settings = load({"port": flag}, environ, "" if key is None else f"port = {key}")
    assert settings.port == port
    assert str(settings.origins["port"]) == origin


def test_every_setting_is_a_field_and_every_field_a_setting() -> None:
    names = [setting.name for setting in TABLE]
    others = ["origins", "notices", "indexes", "teams"]
    assert [field.name for field in fields(Settings)] == [*names, *others]


def test_every_default_is_a_value_that_the_setting_allows() -> None:
    for setting in TABLE:
        if setting.default is not None:
            setting.kind.read(setting.default)
        else:
            assert setting.default_shown or setting.many


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("page_ttl", "0", timedelta(0)),
        ("page_ttl", "90", timedelta(seconds=90)),
        ("page_ttl", "1.5h", timedelta(minutes=90)),
        ("max_stale", "2 d", timedelta(days=2)),
        ("upstream_timeout", "250ms", timedelta(seconds=0.25)),
        ("cache_size", "1024", 1024),
        ("cache_size", "5GB", 5_000_000_000),
        ("page_memory", "64MiB", 64 * 1024 * 1024),
        ("host", "[::1]", "::1"),
        ("port", "0", 0),
        ("presentation", "HIDE", "hide"),
        ("offline", "yes", True),
        ("offline", "0", False),
        ("allow_host", "a.test, B.test:80", ("a.test", "b.test:80")),
        ("osv_url", "", None),
        ("sources", "auto, GitHub github", ("auto", "github")),
        ("sources", "none", ("none",)),
        ("private_names", "Acme_*,internal.tool", ("acme-*", "internal-tool")),
        ("bigquery_budget", "1TiB", 1024**4),
        ("public_url", "HTTPS://G.test:443/pypi", "https://g.test/pypi/"),
    ],
)
def test_a_variable_is_read_as_its_kind(name: str, text: str, value: object) -> None:
    settings = load(environ={f"INDEXGATE_{name.upper()}": text})
    assert getattr(settings, name) == value
    assert settings.origins[name].place == "variable"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("port", "65536"), ("port", "-1"), ("port", "http"), ("port", "٣"),
        ("host", "http://a.test"), ("host", "a b"), ("host", ""),
        ("page_ttl", "soon"), ("page_ttl", "-5"), ("page_ttl", "9" * 40), ("page_ttl", "11y"),
        ("page_ttl", "900000000000000w"), ("upstream_timeout", "0"), ("upstream_timeout", "1d"),
        ("cache_size", "5 apples"), ("cache_size", "-1"), ("cache_size", "1e9"),
        ("presentation", "shout"), ("upstream_public", "maybe"), ("log_format", "xml"),
        ("upstream", "ftp://a.test/"), ("upstream", "a.test/simple"), ("upstream", "https://"),
        ("upstream", "https://a.test:port/"), ("upstream", "https://a b.test/"),
        ("upstream", "https://a.test/?q=1"), ("upstream", "https://[::1/"), ("upstream", ""),
        ("public_url", "javascript:alert(1)"), ("public_url", "https://me:pw@a.test/"),
        ("allow_host", "https://a.test"),
        ("policy", "a\nb"), ("state", "a\0b"),
        ("sources", "deps-dov"), ("sources", "none,github"), ("sources", ","),
        ("sources", "project-json"), ("private_names", "a b"), ("private_names", "/etc"),
    ],
)  # fmt: skip
def test_a_wrong_value_names_the_flag_and_what_is_allowed(name: str, text: str) -> None:
    setting = next(setting for setting in TABLE if setting.name == name)
    error = failure({name: (text,) if setting.many else text})
    assert error.reference == "setting-invalid"
    assert f"flag `{setting.flag}`" in error.message
    assert setting.kind.allowed in error.hint
    assert error.message.isprintable()
    assert not error.message.endswith(".")


def test_a_wrong_value_names_the_variable_or_the_key_it_came_from() -> None:
    assert "variable `INDEXGATE_PORT` is `x`" in failure(environ={"INDEXGATE_PORT": "x"}).message
    assert f"key `port` in `{FILE}` is `70000`" in failure(file="port = 70000").message


def test_a_password_in_a_wrong_address_is_not_shown() -> None:
    for text in ("ftp://me:hunter2@a.test/", "https://me:hunter2@/", "https://me:hun/ter2@a.test/"):
        error = failure({"upstream": text})
        assert "ter2" not in str(error)
        assert "***@" in str(error)


def test_settings_do_not_show_credentials_when_printed() -> None:
    assert "hunter2" not in repr(load({"upstream": "https://me:hunter2@a.test/"}))


SECRETS = [setting for setting in TABLE if setting.secret]


@pytest.mark.parametrize("setting", SECRETS, ids=lambda setting: setting.name)
def test_a_key_comes_from_a_variable_or_the_file_and_is_shown_nowhere(setting: Setting) -> None:
    for settings in (
        load(environ={setting.variable: "hunter2"}),
        load(file=f'{setting.name} = "hunter2"'),
    ):
        assert getattr(settings, setting.name) == "hunter2"
        assert "hunter2" not in repr(settings)
    error = failure(environ={setting.variable: "hunter2 hunter2"})
    assert "hunter2" not in f"{error} {error.__cause__!r} {error.__context__!r}"
    assert setting.variable in error.message


def test_a_source_that_is_nearly_right_gets_the_right_one_named() -> None:
    message = failure(environ={"INDEXGATE_SOURCES": "deps-dov"}).message
    assert "`deps-dov` is none of them; did you mean `deps-dev`?" in message


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("prot = 1", "`prot` in `etc/gate.toml` is not a setting"),
        ("config = 'a.toml'", "`config` in `etc/gate.toml` is not a setting"),
        ("port = true", "key `port` in `etc/gate.toml` is a TOML boolean"),
        ("port = 1.5", "is a TOML float"),
        ("[port]\na = 1", "is a TOML table"),
        ("host = ['a']", "is a TOML array"),
        ("allow_host = ['a', 1]", "is a TOML array"),
        ("offline = 1", "is a TOML integer"),
        ("host = ''", "is empty"),
        ("port = ", "is not TOML"),
        ("a = " + "[" * 20_000, "`etc/gate.toml` is"),
        (b"host = '\xff'", "is not UTF-8 text (byte 8)"),
        (b"\x00\x01" * 1_000_000, "is larger than 256 KB"),
    ],
)
def test_a_broken_file_is_refused_with_its_name(file: str | bytes, words: str) -> None:
    error = failure(file=file)
    assert words in error.message
    assert str(FILE) in error.message


def test_a_key_that_is_nearly_right_gets_the_right_one_as_a_hint() -> None:
    assert failure(file="page-ttl = 3").hint == "Did you mean `page_ttl`?"


def test_a_file_that_is_missing_is_an_error() -> None:
    error = failure({"config": "elsewhere.toml"})
    assert error.message == "cannot read `elsewhere.toml`: no such file or directory"


def test_an_empty_file_is_no_error() -> None:
    assert load(file="").port == 8503


def test_values_in_the_file_keep_their_toml_types() -> None:
    settings = load(file='port = 1\npage_ttl = 2.5\noffline = true\nallow_host = ["a", "b"]')
    assert (settings.port, settings.offline, settings.allow_host) == (1, True, ("a", "b"))
    assert settings.page_ttl == timedelta(seconds=2.5)


def test_paths_in_the_file_are_relative_to_the_file() -> None:
    settings = load(file='state = "s"\npolicy = "own.toml"\ntls_cert = "/c.pem"\ntls_key = "k.pem"')
    assert settings.state == FILE.parent / "s"
    assert settings.policy == str(FILE.parent / "own.toml")
    assert settings.tls_cert == Path("/c.pem")
    assert load(file='policy = "strict"').policy == "strict"


def test_the_file_can_be_named_by_a_variable() -> None:
    settings = config.load(
        {}, {"INDEXGATE_CONFIG": str(FILE)}, holding(b"port = 9"), default_state=Path()
    )
    assert settings.port == 9


def test_an_unknown_variable_is_named_with_the_nearest_one() -> None:
    notices = load(environ={"INDEXGATE_PAGE_TLL": "3", "OTHER": "1"}).notices
    (notice,) = notices
    assert "variable `INDEXGATE_PAGE_TLL` is not a setting and is ignored" in notice
    assert "Did you mean `INDEXGATE_PAGE_TTL`?" in notice


@pytest.mark.parametrize(("given", "missing"), [("tls_cert", "tls_key"), ("tls_key", "tls_cert")])
def test_a_certificate_without_its_key_is_refused(given: str, missing: str) -> None:
    error = failure({given: "a.pem"})
    assert given.replace("_", "-") in error.message
    assert f"`{missing}` is not" in error.message


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_file_makes_anything_but_settings_or_an_explained_error(content: bytes) -> None:
    with contextlib.suppress(GateError):
        load(file=content)


@given(st.sampled_from([setting.name for setting in TABLE]), st.text(max_size=60))
def test_no_flag_makes_anything_but_settings_or_an_explained_error(name: str, text: str) -> None:
    many = {setting.name: setting.many for setting in TABLE}[name]
    caught: list[GateError] = []
    try:
        load({name: (text,) if many else text})
    except GateError as error:
        caught.append(error)
    assert all(error.message.isprintable() for error in caught)


def test_the_reference_page_is_what_the_table_says() -> None:
    page = (DOCS / "settings.md").read_text(encoding="utf-8")
    assert page == reference.settings_page()
