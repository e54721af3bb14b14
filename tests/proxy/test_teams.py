"""Teams in a settings file: what a table says, and by what the gate knows whose client asks."""

from ipaddress import IPv4Address, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate import config
from indexgate.config import Settings
from indexgate.errors import GateError
from indexgate.team_tables import TeamTable
from indexgate.teams import UNCONFIGURED, UNTOLD, Teams, client_of, configured, unnamed
from indexgate_policy.signals import Unknown
from tests.policy.rules.facts import policy, rule

FILE = Path("etc/gate.toml")
THREE = """\
port = 9000

[[team]]
name = "engineering"
networks = ["10.0.0.0/8", "fd00::/16"]

[[team]]
name = "data"
networks = ["10.7.0.0/16", "10.9.9.9"]
label = "Data_1"

[[team]]
name = "web"
label = "web"
"""


def load(file: str) -> Settings:
    return config.load(
        {"config": str(FILE)}, {}, lambda _path: file.encode(), default_state=Path("home/state")
    )


def tables(file: str = THREE) -> tuple[TeamTable, ...]:
    return load(file).teams


def test_tables_become_teams() -> None:
    settings = load(THREE)
    assert settings.port == 9000
    assert [team.name for team in settings.teams] == ["engineering", "data", "web"]
    assert [team.label for team in settings.teams] == [None, "Data_1", "web"]
    assert [str(network) for network in settings.teams[1].networks] == [
        "10.7.0.0/16",
        "10.9.9.9/32",
    ]
    assert load("port = 9000").teams == ()


@pytest.mark.parametrize(
    ("address", "label", "team"),
    [
        ("10.1.2.3", None, "engineering"),
        ("10.7.0.1", None, "data"),
        ("10.9.9.9", None, "data"),
        ("10.9.9.8", None, "engineering"),
        ("10.1.2.3", "web", "engineering"),
        ("10.1.2.3", "Data_1", "engineering"),
        ("::ffff:10.7.0.1", None, "data"),
        ("fd00::1", None, "engineering"),
        ("fd01::1", None, None),
        ("192.0.2.1", None, None),
        ("192.0.2.1", "web", "web"),
        ("192.0.2.1", "Data_1", "data"),
        ("192.0.2.1", "data_1", None),
        ("192.0.2.1", "data", None),
        ("192.0.2.1", "engineering", None),
        ("192.0.2.1", "", None),
        ("", "web", "web"),
        (None, "web", "web"),
        ("no address", None, None),
        ("fe80::1%eth0", "web", "web"),
    ],
)
def test_the_address_tells_before_the_label_and_the_narrowest_network_of_all(
    address: str | None, label: str | None, team: str | None
) -> None:
    found = Teams(tables()).of(address, label)
    assert found == (team or UNTOLD)


def test_without_tables_nobody_is_of_a_team() -> None:
    assert Teams().of("10.1.2.3", "web") == UNCONFIGURED


@given(
    st.lists(st.tuples(st.ip_addresses(v=4), st.integers(0, 32)), unique_by=lambda pair: pair[1]),
    st.ip_addresses(v=4),
)
def test_whoever_is_in_no_network_is_of_no_team(
    networks: list[tuple[IPv4Address, int]], address: IPv4Address
) -> None:
    named = [
        TeamTable(name=f"t{length}", networks=(ip_network((str(at), length), strict=False),))
        for at, length in networks
    ]
    found = Teams(named).of(str(address), None)
    within = [table.name for table in named if address in table.networks[0]]
    narrowest = max(within, key=lambda name: int(name[1:]), default=None)
    assert found == (narrowest or (UNTOLD if named else UNCONFIGURED))


TABLE = '[[team]]\nname = "web"\nlabel = "web"\n'


@pytest.mark.parametrize(
    ("file", "reference", "words"),
    [
        ("team = 3", "setting-invalid", "is a TOML integer"),
        ("[team]\nname = 'web'", "setting-invalid", "is a TOML table"),
        ('[[team]]\nlabel = "x"', "setting-invalid", "`[[team]]` 1 in `etc/gate.toml` has no `na"),
        ('[[team]]\nname = "web"', "setting-invalid", "neither `networks` nor a `label`"),
        ('[[team]]\nname = "web"\nnetworks = []', "setting-invalid", "neither `networks`"),
        (TABLE.replace('"web"', '"Web"', 1), "setting-invalid", "is `Web`"),
        (TABLE.replace('"web"', '"w b"', 1), "setting-invalid", "is `w b`"),
        (TABLE.replace('label = "web"', 'label = "a:b"'), "setting-invalid", "is `a:b`"),
        (TABLE.replace('label = "web"', 'label = ""'), "setting-invalid", "is empty"),
        (
            TABLE.replace('label = "web"', 'label = "run-0123456789abcdef"'),
            "setting-invalid",
            "looks like the token of an `indexgate run`",
        ),
        (TABLE + 'networks = ["10.1.2.3/16"]', "setting-invalid", "its network is `10.1.0.0/16`"),
        (TABLE + 'networks = ["ten"]', "setting-invalid", "is `ten`"),
        (TABLE + "networks = [10]", "setting-invalid", "is a TOML array"),
        (TABLE + 'network = "10.0.0.0/8"', "setting-unknown", "`network` in `[[team]]` `web`"),
        (TABLE + TABLE, "teams-clash", "two `[[team]]` tables in `etc/gate.toml` are named `web`"),
        (
            TABLE + TABLE.replace('"web"', '"data"', 1),
            "teams-clash",
            "`web` and `data` in `etc/gate.toml` have the label `web`",
        ),
        (
            TABLE + 'networks = ["10.0.0.0/8"]\n[[team]]\nname = "data"\nnetworks = ["10.0.0.0/8"]',
            "teams-clash",
            "`web` and `data` in `etc/gate.toml` have the network `10.0.0.0/8`",
        ),
        (
            TABLE + 'networks = ["10.0.0.0/8", "10.0.0.0/8"]',
            "teams-clash",
            "have the network `10.0.0.0/8`",
        ),
        (TABLE.replace("[[team]]", "[[teams]]"), "setting-unknown", "`teams` in"),
    ],
)
def test_what_is_wrong_with_tables_is_said(file: str, reference: str, words: str) -> None:
    with pytest.raises(GateError) as raised:
        load(file)
    assert raised.value.reference == reference
    assert words in raised.value.message
    assert raised.value.hint


def test_a_team_that_is_named_by_nobody_is_said_with_the_nearest() -> None:
    document = policy(rule('client = { team = "ops" }', unknown="allow"))
    for known in ("web", "ops"):
        assert client_of(known, tables(), document).team == known
    assert isinstance(client_of(None, tables(), document).team, Unknown)
    with pytest.raises(GateError, match=r"neither .* nor the policy names `wbe`") as raised:
        client_of("wbe", tables(), document)
    assert "Did you mean `web`?" in raised.value.hint
    assert configured("web", tables()) == "web"
    with pytest.raises(GateError, match=r"no `\[\[team\]\]` of the settings names `ops`") as raised:
        configured("ops", tables())
    assert "--config" in raised.value.hint
    assert unnamed(document, tables()) == ("ops",)
    assert unnamed(document, ()) == ("ops",)
