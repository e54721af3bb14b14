"""What holds for one team holds for nobody else, and for nobody of whom the team is not known."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate_policy.errors import PolicyError
from indexgate_policy.rules import difference, granted, idle, in_words
from indexgate_policy.rules.cases import run
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.judge import judge
from indexgate_policy.rules.page import judge_page
from indexgate_policy.rules.verdict import Action
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Client, File, Release
from tests.policy.rules.facts import NOW, assessment, file, malware, policy, rule

WHEELS = rule('kind = "wheel"')
MALWARE = rule('advisory = "malware"', unknown="allow").replace('"r"', '"malware"')
NOBODY = Client(team=Unknown(reason="nobody can tell"))


def exemption(team: str | None, expires: str = "2026-11-30", id_: str = "") -> str:
    whose = "" if team is None else f'team = "{team}"\n'
    own = f'id = "{id_}"\n' if id_ else ""
    return (
        f'[[exemption]]\nproject = "demo"\nrule = "r"\nreason = "why"\nowner = "me"\n{whose}{own}'
        f"expires = {expires}\n"
    )


def action(document: Policy, client: Client, what: File | None = None, **facts: Any) -> Action:
    return judge(what or file(), assessment(**facts), document, client, NOW).action


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        (Client(team="web"), Action.WARN),
        (Client(team="web", family="pip", kind="ci"), Action.WARN),
        (Client(team="data"), Action.REFUSE),
        (Client(team="Web"), Action.REFUSE),
        (Client(team="web "), Action.REFUSE),
        (Client(team=""), Action.REFUSE),
        (NOBODY, Action.REFUSE),
        (Client(), Action.REFUSE),
    ],
)
def test_an_exemption_of_a_team_waives_for_its_clients_alone(
    client: Client, expected: Action
) -> None:
    assert action(policy(WHEELS + exemption("web")), client) is expected


NAMES = st.text("abcw-.", min_size=1, max_size=3)


@given(
    teams=st.lists(NAMES, max_size=4),
    asker=NAMES | st.none(),
    granted_apart=st.booleans(),
)
def test_no_exemption_of_another_team_ever_waives(
    teams: list[str], asker: str | None, granted_apart: bool
) -> None:
    written = "".join(exemption(team) for team in teams)
    if granted_apart:
        grants = granted.parse(f"version = 1\n{written}", source="exemptions.toml")
        document = grants.joined(policy(WHEELS))
    else:
        document = policy(WHEELS + written)
    client = NOBODY if asker is None else Client(team=asker)
    one = file()
    release = Release(version=one.version, parsed=one.parsed, released=one.released, files=(one,))
    by_page = judge_page(
        (release,), assessment(), document, client, NOW, presentation="explain"
    ).verdicts[one.filename]
    waived = action(document, client) is Action.WARN
    assert waived == (asker is not None and asker in teams)
    assert by_page.refused != waived
    assert document.asks_client == bool(teams)
    assert document.teams == frozenset(teams)


def test_the_warning_says_for_whom_it_was_waived() -> None:
    document = policy(WHEELS + exemption("web"))
    [warning] = judge(file(), assessment(), document, Client(team="web"), NOW).warnings
    assert warning.reason.startswith(
        "waived for the team web until the end of 2026-11-30 by me (why): "
    )


def test_an_exemption_for_all_holds_for_teams_and_for_nobody() -> None:
    document = policy(WHEELS + exemption(None))
    assert not document.asks_client
    for client in (Client(), NOBODY, Client(team="web")):
        assert action(document, client) is Action.WARN


def test_of_several_the_one_that_lasts_longest_for_the_team_waives() -> None:
    text = exemption(None, "2026-11-25", "all") + exemption("web", "2026-11-28", "web")
    document = policy(WHEELS + text + exemption("data", "2026-12-30", "data"))
    by = {
        team: judge(file(), assessment(), document, Client(team=team), NOW).exemptions
        for team in ("web", "data", "other")
    }
    assert by == {"web": ("web",), "data": ("data",), "other": ("all",)}


def test_a_grandfather_may_be_of_a_team_and_waives_no_malware() -> None:
    old = exemption("web").replace("exemption", "grandfather")
    document = policy(
        MALWARE + WHEELS + old.replace('project = "demo"', 'packages = ["demo==1.0"]')
    )
    assert action(document, Client(team="web")) is Action.WARN
    assert action(document, Client(team="data")) is Action.REFUSE
    known: dict[str, Any] = {"advisories": [malware(versions=("1.0",))]}
    assert action(document, Client(team="web"), **known) is Action.REFUSE


def test_a_rule_that_names_teams_makes_pages_private_and_is_counted_among_them() -> None:
    written = rule('client = { team = ["web", "data"] }, kind = "wheel"', unknown="warn")
    unless = f'{WHEELS}unless = {{ client = {{ team = "ops" }} }}\n'.replace('"r"', '"s"')
    document = policy(written + unless)
    assert document.asks_client
    assert document.teams == {"web", "data", "ops"}
    assert policy(rule('client = { kind = "ci" }')).teams == frozenset()


@pytest.mark.parametrize("wrong", ["team = 3", 'team = ""', 'team = ["a"]', "team = true"])
def test_a_team_is_one_name(wrong: str) -> None:
    with pytest.raises(PolicyError, match="team"):
        policy(WHEELS + exemption("web").replace('team = "web"', wrong))


def test_a_case_says_whose_client_asks() -> None:
    text = f"version = 1\n{WHEELS}{exemption('web')}"
    cases = (
        '[[case]]\nname = "one"\nexpect = "warn"\nclient = { team = "web" }\n'
        '[[case]]\nname = "two"\nexpect = "refuse"\nclient = { team = "data" }\n'
        '[[case]]\nname = "three"\nexpect = "refuse"\n'
    )
    assert [result.difference for result in run(text, cases, now=NOW)] == ["", "", ""]


def test_two_that_differ_in_their_team_alone_are_two() -> None:
    document = policy(WHEELS + exemption("web") + exemption("data") + exemption(None))
    assert len({each.id for each in document.exemptions}) == 3
    fewer = policy(WHEELS + exemption("web") + exemption(None))
    [change] = difference.difference(document, fewer)
    assert (change.kind, change.direction) == ("removed", "stricter")
    assert change.name == "demo from r for the team data"


def test_the_rule_in_words_names_the_team() -> None:
    text = f"version = 1\n{WHEELS}{exemption('web')}"
    told = in_words.in_words(policy(WHEELS + exemption("web")), "r", text, NOW)
    assert told is not None
    assert told.waived_for == ("demo for the team web until 2026-11-30: why (me)",)


def test_whether_an_exemption_is_needed_is_asked_for_its_own_team() -> None:
    document = policy(WHEELS + exemption("web"))
    [ours] = document.exemptions
    assert idle.quiet(ours, [file()], assessment(), document, NOW) is False
    assert idle.quiet(ours, [file(kind="sdist")], assessment(), document, NOW) is True
