"""Several indexes in a settings file: what a table says, and what tables may not say together."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate import config, index_tables, upstream_choice
from indexgate.config import Given, Settings
from indexgate.errors import GateError
from indexgate.index_tables import TABLE
from indexgate.pip_settings import Found, PipSettings
from indexgate.upstream_choice import UpstreamChoice
from indexgate.web_address import Credentials

FILE = Path("etc/gate.toml")
PUBLIC = "https://public.example.test/simple/"
TWO = """\
port = 9000

[[index]]
name = "Acme"
url = "https://me:s3cret@index.acme.example.test/simple"
namespaces = ["acme-*", "Internal_Tools"]
timeout = "3s"
ca = "acme.pem"
client_cert = "me.pem"

[[index]]
name = "pypi"
url = "pypi"
"""


def load(
    file: str, environ: Mapping[str, str] | None = None, flags: Mapping[str, Given] | None = None
) -> Settings:
    given = {"config": str(FILE), **(flags or {})}
    return config.load(
        given, environ or {}, lambda _path: file.encode(), default_state=Path("home/state")
    )


def chosen(
    file: str,
    *,
    pip: PipSettings | None = None,
    logins: Mapping[str, Credentials] | None = None,
    environ: Mapping[str, str] | None = None,
) -> UpstreamChoice:
    return upstream_choice.choose(
        load(file, environ),
        kept="https://kept.example.test/simple/",
        pip=pip or PipSettings(),
        login=(logins or {}).get,
        public_index=PUBLIC,
    )


def refused(
    file: str, environ: Mapping[str, str] | None = None, flags: Mapping[str, Given] | None = None
) -> GateError:
    with pytest.raises(GateError) as raised:
        load(file, environ, flags)
    return raised.value


def table(**keys: str) -> str:
    return "[[index]]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())


def test_tables_become_indexes_in_the_order_of_the_file() -> None:
    acme, public = chosen(TWO).all
    assert (acme.name, public.name) == ("acme", "pypi")
    assert acme.url == "https://index.acme.example.test/simple/"
    assert acme.credentials == Credentials(user="me", password="s3cret")
    assert acme.namespaces == ("acme-*", "internal-tools")
    assert (acme.timeout, public.timeout) == (timedelta(seconds=3), None)
    assert (acme.ca, acme.client_cert) == (Path("etc/acme.pem"), Path("etc/me.pem"))
    assert (acme.public, public.public) == (False, True)
    assert public.url == PUBLIC
    assert public.credentials is None
    assert acme.index_id != public.index_id
    assert acme.origin == f"key `url` of `[[index]]` `Acme` in `{FILE}`"


def test_the_gates_own_work_is_about_the_first_public_index() -> None:
    choice = chosen(TWO)
    assert choice.main.name == "pypi"
    assert choice.private_namespaces == ("acme-*", "internal-tools")
    alone = chosen(table(name='"acme"', url='"https://acme.example.test/"'))
    assert alone.main is alone
    assert alone.public_one is None


def test_namespaces_of_a_public_index_are_no_secret() -> None:
    choice = chosen(TWO.replace('name = "Acme"', 'name = "acme"\npublic = "yes"'))
    assert choice.private_namespaces == ()
    assert choice.named_public


def test_without_tables_there_is_one_upstream_without_a_name() -> None:
    choice = upstream_choice.choose(
        load("port = 9000"),
        kept=None,
        pip=PipSettings(),
        login=lambda _host: None,
        public_index=PUBLIC,
    )
    assert load("port = 9000").indexes == ()
    assert choice.all == (choice,)
    assert (choice.name, choice.url) == ("", PUBLIC)


def test_a_login_comes_from_the_named_variable_before_the_address_before_netrc() -> None:
    named = TWO.replace('timeout = "3s"', 'login_variable = "ACME_LOGIN"')
    from_variable = chosen(named, environ={"ACME_LOGIN": "bot:a:b"}).credentials
    assert from_variable == Credentials(user="bot", password="a:b")
    logins = {
        "index.acme.example.test": Credentials(user="net", password="rc"),
        "public.example.test": Credentials(user="net", password="rc"),
    }
    first, second = chosen(TWO, logins=logins).all
    assert first.credentials is not None
    assert first.credentials.user == "me"
    assert second.credentials is not None
    assert second.credentials.user == "net"


@pytest.mark.parametrize("value", [None, "", "token-without-a-user", ":x", "a\tb:c"])
def test_a_login_that_cannot_be_read_ends_the_start_and_is_not_shown(value: str | None) -> None:
    file = TWO.replace('timeout = "3s"', 'login_variable = "ACME_LOGIN"')
    error = refused(file, {} if value is None else {"ACME_LOGIN": value})
    assert error.reference == "login-missing"
    assert "`ACME_LOGIN`" in error.message
    assert not value or value not in error.message + error.hint


def test_a_variable_that_a_table_names_is_not_taken_for_a_mistyped_setting() -> None:
    file = TWO.replace('timeout = "3s"', 'login_variable = "INDEXGATE_ACME"')
    assert load(file, {"INDEXGATE_ACME": "me:secret"}).notices == ()


def test_passwords_show_in_no_text_of_the_settings() -> None:
    settings = load(TWO)
    assert "s3cret" not in repr(settings)
    assert "s3cret" not in repr(chosen(TWO))


@pytest.mark.parametrize(
    ("flags", "environ", "keys", "said"),
    [
        ({"upstream": "https://a.test/"}, {}, "", "flag `--upstream` is set"),
        ({}, {"INDEXGATE_UPSTREAM": "https://a.test/"}, "", "variable `INDEXGATE_UPSTREAM` is set"),
        ({}, {}, 'upstream = "https://a.test/"\n', f"key `upstream` in `{FILE}` is set"),
        ({"upstream_public": "yes"}, {}, "", "flag `--upstream-public` is set"),
        ({"upstream_ca": "ca.pem"}, {}, "", "flag `--upstream-ca` is set"),
    ],
)
def test_one_upstream_and_several_indexes_are_not_set_together(
    flags: Mapping[str, Given], environ: Mapping[str, str], keys: str, said: str
) -> None:
    error = refused(keys + TWO, environ, flags)
    assert error.reference == "indexes-and-upstream"
    assert error.message == f"{said}, and `{FILE}` names several indexes"


A, B = table(name='"a"', url='"https://a.test/"'), table(name='"b"', url='"https://b.test/"')


@pytest.mark.parametrize(
    ("file", "reference", "said"),
    [
        ('index = "https://a.test/"', "setting-invalid", "is a TOML str"),
        ('[index]\nname = "a"', "setting-invalid", "is a TOML table"),
        ("index = []", "setting-invalid", "has 0 `[[index]]` tables"),
        ("index = [1]", "setting-invalid", "is a TOML array"),
        (A * 30, "setting-invalid", "has 30 `[[index]]` tables"),
        (table(name='"a"'), "setting-invalid", "`[[index]]` `a` in `etc/gate.toml` has no `url`"),
        (table(url='"https://a.test/"'), "setting-invalid", "`[[index]]` 1"),
        (A + "name_space = 1", "setting-unknown", "`name_space` in `[[index]]` `a`"),
        (A + 'timeout = "soon"', "setting-invalid", "key `timeout` of `[[index]]` `a`"),
        (A + "timeout = true", "setting-invalid", "is a TOML boolean"),
        (A + 'namespaces = "a b"', "setting-invalid", "key `namespaces`"),
        (A + "name = 1", "settings-file", "is not TOML"),
        (table(name="7", url='"https://a.test/"'), "setting-invalid", "is a TOML integer"),
        (table(name='"a b"', url='"https://a.test/"'), "setting-invalid", "key `name`"),
        (table(name='"a"', url='"ftp://a.test/"'), "setting-invalid", "key `url`"),
        (A + A, "indexes-clash", "are named `a`"),
        (
            A + table(name='"b"', url='"https://me:pw@A.test:443"'),
            "indexes-clash",
            "`a` and `b` in `etc/gate.toml` are one index, `https://a.test/`",
        ),
        (
            f'{A}namespaces = ["x-*"]\n{B}namespaces = ["X_*"]',
            "indexes-clash",
            "namespace `x-*` is claimed by `a` and `b`",
        ),
        (f'{A}namespaces = ["x", "x"]', "indexes-clash", "claimed twice by `a`"),
        (
            f'{A}namespaces = ["x-*"]\n{B}namespaces = ["x-core-*"]',
            "indexes-clash",
            "`x-core-*` of `b` in `etc/gate.toml` lies within `x-*` of `a`",
        ),
    ],
)
def test_what_tables_may_not_say_is_told_with_its_place(
    file: str, reference: str, said: str
) -> None:
    error = refused(file)
    assert (error.reference, said in error.message) == (reference, True), error.message


def test_an_unknown_key_names_the_nearest_and_those_there_are() -> None:
    assert refused(A + 'namespace = "x"').hint == "Did you mean `namespaces`?"
    assert "`login_variable`" in refused(A + "zzz = 1").hint


def test_a_narrower_pattern_before_a_wider_one_is_no_clash() -> None:
    settings = load(f'{A}namespaces = ["x-core-*"]\n{B}namespaces = ["x-*"]')
    assert [index.namespaces for index in settings.indexes] == [("x-core-*",), ("x-*",)]


def test_pypi_by_name_and_by_address_are_one_index() -> None:
    file = table(name='"a"', url='"pypi"') + table(name='"b"', url=f'"{PUBLIC}"')
    with pytest.raises(GateError, match="`a` and `b` are one"):
        chosen(file)


def test_the_gates_own_address_is_no_index() -> None:
    with pytest.raises(GateError, match="this gate's own address"):
        chosen(table(name='"a"', url='"http://127.0.0.1:8503/simple/"'))


def test_an_extra_index_of_pip_is_named_unless_it_is_one_of_the_indexes() -> None:
    extras = tuple(Found(value=url, origin="pip.conf") for url in (PUBLIC, "https://x.test/"))
    notices = chosen(TWO, pip=PipSettings(extra_index_urls=extras)).notices
    assert notices == ("extra index `https://x.test/` of pip (pip.conf) is not used by the gate",)


def test_every_default_of_a_table_is_a_value_that_its_key_allows() -> None:
    for setting in TABLE:
        if setting.default is None:
            assert setting.default_shown
        else:
            setting.kind.read(setting.default)


_VALUES = st.recursive(
    st.text(max_size=20) | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


@given(
    tables=_VALUES
    | st.lists(
        st.fixed_dictionaries(
            {},
            optional={key.name: _VALUES | st.just("https://a.test/") for key in TABLE},
        ),
        max_size=3,
    )
)
def test_whatever_stands_there_is_read_or_refused_in_words(tables: object) -> None:
    try:
        indexes = index_tables.read(tables, FILE, {})
    except GateError:
        return
    assert indexes
