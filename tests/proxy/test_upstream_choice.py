"""Which index becomes the upstream, by whom, and what is said about it."""

from pathlib import Path

import pypi_simple
import pytest

from indexgate import config, public_index, upstream_choice, web_address
from indexgate.config import Given, Settings
from indexgate.errors import GateError
from indexgate.pip_settings import Found, PipSettings
from indexgate.upstream_choice import UpstreamChoice
from indexgate.web_address import Credentials

PUBLIC = "https://public.example.test/simple/"


def settings(**flags: Given) -> Settings:
    return config.load(flags, {}, lambda _path: b"", default_state=Path("state"))


def pip(index: str | None = None, *extra: str, **more: str) -> PipSettings:
    def found(name: str) -> Found | None:
        return Found(value=more[name], origin=f"pip's `{name}`") if name in more else None

    return PipSettings(
        index_url=Found(value=index, origin="pip's `global.index-url`") if index else None,
        extra_index_urls=tuple(Found(value=url, origin="pip.conf") for url in extra),
        cert=found("cert"),
        client_cert=found("client_cert"),
        proxy=found("proxy"),
    )


def choose(
    flags: dict[str, Given] | None = None,
    *,
    kept: str | None = None,
    pip: PipSettings | None = None,
    logins: dict[str, Credentials] | None = None,
) -> UpstreamChoice:
    return upstream_choice.choose(
        settings(**(flags or {})),
        kept=kept,
        pip=pip or PipSettings(),
        login=(logins or {}).get,
        public_index=PUBLIC,
    )


def test_the_order_is_flag_then_kept_then_pip_then_the_public_index() -> None:
    index = pip("https://pip.test/simple")
    flag: dict[str, Given] = {"upstream": "https://flag.test/simple"}
    kept = "https://kept.test/simple/"
    assert choose(flag, kept=kept, pip=index).url == "https://flag.test/simple/"
    assert choose(flag, kept=kept, pip=index).origin == "flag `--upstream`"
    assert choose(kept=kept, pip=index).url == "https://kept.test/simple/"
    assert choose(kept=kept, pip=index).origin == "kept in the state folder"
    assert choose(pip=index).url == "https://pip.test/simple/"
    assert choose(pip=index).origin == "pip's `global.index-url`"
    assert choose().url == PUBLIC
    assert choose().origin == "default: PyPI"


def test_a_variable_and_the_file_stand_between_the_flag_and_the_kept_one() -> None:
    given = config.load(
        {}, {"INDEXGATE_UPSTREAM": "https://v.test"}, lambda _path: b"", default_state=Path()
    )
    choice = upstream_choice.choose(
        given,
        kept="https://kept.test/",
        pip=PipSettings(),
        login=lambda _host: None,
        public_index=PUBLIC,
    )
    assert (choice.url, choice.origin) == ("https://v.test/", "variable `INDEXGATE_UPSTREAM`")


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:8503/simple/",
        "http://localhost:8503/simple",
        "http://[::1]:8503/simple/",
        "http://127.0.0.2:8503/",
        "http://me:pw@127.0.0.1:8503/simple/",
    ],
)
def test_pip_pointing_at_the_gate_itself_is_passed_over_and_told(address: str) -> None:
    choice = choose(pip=pip(address))
    assert choice.url == PUBLIC
    assert "pip's `global.index-url` is this gate's own address" in choice.notices[0]
    assert not choice.keep


def test_another_port_of_this_machine_is_another_index() -> None:
    assert choose(pip=pip("http://127.0.0.1:3141/root/")).url == "http://127.0.0.1:3141/root/"


def test_the_gates_public_address_is_its_own_too() -> None:
    flags: dict[str, Given] = {"public_url": "https://gate.example.test/pypi/"}
    assert choose(flags, pip=pip("https://gate.example.test/pypi/simple/")).url == PUBLIC


def test_a_gate_on_every_address_knows_loopback_as_its_own() -> None:
    assert choose({"host": "0.0.0.0"}, pip=pip("http://127.0.0.1:8503/simple/")).url == PUBLIC
    assert choose({"host": "0.0.0.0"}, pip=pip("http://localhost:8503/simple/")).url == PUBLIC


def test_an_upstream_that_is_the_gate_itself_is_refused_when_it_was_asked_for() -> None:
    with pytest.raises(GateError, match="upstream-is-the-gate"):
        choose({"upstream": "http://localhost:8503/simple/"})


def test_a_kept_upstream_that_is_the_gate_itself_is_passed_over() -> None:
    assert choose(kept="http://127.0.0.1:8503/simple/", pip=pip("https://a.test/")).url == (
        "https://a.test/"
    )


def test_pips_index_is_to_be_kept_and_no_other_is() -> None:
    assert choose(pip=pip("https://pip.test/")).keep
    assert not choose({"upstream": "https://pip.test/"}).keep
    assert not choose(kept="https://pip.test/").keep
    assert not choose().keep


def test_pip_pointed_elsewhere_since_is_told() -> None:
    choice = choose(kept="https://old.test/", pip=pip("https://me:pw@new.test/"))
    assert choice.url == "https://old.test/"
    assert "`https://new.test/`" in choice.notices[0]
    assert "`--upstream`" in choice.notices[0]
    assert not choose(kept="https://a.test/", pip=pip("http://localhost:8503/")).notices


def test_credentials_in_the_address_are_split_off_and_never_printed() -> None:
    choice = choose(pip=pip("https://me:hunter2@corp.test/simple"))
    assert choice.url == "https://corp.test/simple/"
    assert choice.credentials == Credentials(user="me", password="hunter2")
    assert "hunter2" not in repr(choice)
    assert "never stored" in choice.notices[0]


def test_netrc_is_asked_for_upstreams_host_only() -> None:
    asked: list[str] = []

    def login(host: str) -> Credentials | None:
        asked.append(host)
        return None

    upstream_choice.choose(
        settings(upstream="https://corp.test/"),
        kept=None,
        pip=pip("https://other.test/", "https://extra.test/"),
        login=login,
        public_index=PUBLIC,
    )
    assert asked == ["corp.test"]


def test_credentials_in_the_address_beat_netrc() -> None:
    own = Credentials(user="netrc", password="pw")
    assert choose(pip=pip("https://a.test/"), logins={"a.test": own}).credentials == own
    named = choose(pip=pip("https://me:x@a.test/"), logins={"a.test": own}).credentials
    assert named == Credentials(user="me", password="x")


def test_the_identity_is_the_same_for_every_spelling_and_login() -> None:
    spellings = ["https://A.test/simple", "https://me:pw@a.test:443/simple/"]
    ids = {choose({"upstream": spelling}).index_id for spelling in spellings}
    assert len(ids) == 1
    assert ids != {choose({"upstream": "https://a.test/other/"}).index_id}
    assert len(ids.pop()) == 16


@pytest.mark.parametrize(
    ("flags", "public"),
    [
        ({}, True),
        ({"upstream": PUBLIC.rstrip("/")}, True),
        ({"upstream": "https://mirror.test/simple/"}, False),
        ({"upstream": "https://mirror.test/simple/", "upstream_public": "yes"}, True),
        ({"upstream_public": "no"}, False),
    ],
)
def test_only_the_public_index_is_public_unless_said_otherwise(
    flags: dict[str, Given], public: bool
) -> None:
    assert choose(flags).public is public


def test_the_public_index_is_the_one_that_pypi_simple_knows() -> None:
    assert public_index.address() == pypi_simple.PYPI_SIMPLE_ENDPOINT
    assert web_address.parse(public_index.address()).url == public_index.address()


def test_every_extra_index_of_pip_is_named_as_not_used_without_its_password() -> None:
    extras = ("https://me:hunter2@one.test/", "file:///srv/two", "http://localhost:8503/simple/")
    notices = choose(pip=pip(None, *extras)).notices
    assert [notice.split(" of pip")[0] for notice in notices] == [
        "extra index `https://***@one.test/`",
        "extra index `file:///srv/two`",
    ]


def test_an_index_of_pip_that_cannot_be_an_upstream_is_an_error_and_not_passed_over() -> None:
    with pytest.raises(GateError) as raised:
        choose(pip=pip("file:///srv/simple"))
    assert raised.value.reference == "upstream-invalid"
    assert "pip's `global.index-url` is `file:///srv/simple`" in raised.value.message
    assert "--upstream" in raised.value.hint


def test_plain_http_beyond_this_machine_is_told() -> None:
    assert "is not encrypted" in choose({"upstream": "http://corp.test/"}).notices[0]
    assert not choose({"upstream": "http://127.0.0.1:3141/"}).notices


def test_pips_certificates_and_proxy_are_taken() -> None:
    found = pip("https://a.test/", cert="/ca.pem", client_cert="/me.pem", proxy="http://p.test:1")
    choice = choose(pip=found)
    assert (choice.ca, choice.client_cert) == (Path("/ca.pem"), Path("/me.pem"))
    assert choice.proxy == "http://p.test:1"
    assert choose({"upstream_ca": "/own.pem"}, pip=found).ca == Path("/own.pem")


def test_pips_client_certificate_is_not_shown_to_another_host() -> None:
    found = pip("https://a.test/", client_cert="/me.pem")
    assert choose({"upstream": "https://b.test/"}, pip=found).client_cert is None
    assert choose({"upstream": "https://a.test/other/"}, pip=found).client_cert is not None


def test_what_pip_could_not_read_is_told() -> None:
    assert choose(pip=PipSettings(notices=("pip's `x` is broken",))).notices == (
        "pip's `x` is broken",
    )
