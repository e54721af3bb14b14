"""The policy in force, by name or by file."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from indexgate.broken_glass import LONGEST
from indexgate.errors import GateError
from indexgate.granted_file import NAME, changed
from indexgate.policy_file import PolicyInForce
from indexgate_policy.errors import PolicyError

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ALLOW = "version = 1\n"
RULE = ALLOW + '[[rule]]\nid = "a"\naction = "refuse"\nwhen = { project = "x" }\n'


def in_force(place: str, said: list[tuple[str, str]] | None = None) -> PolicyInForce:
    heard = [] if said is None else said
    return PolicyInForce(
        place, clock=lambda: NOW, log=lambda event, text: heard.append((event, text))
    )


@pytest.mark.parametrize("name", ["observe", "balanced", "strict"])
def test_shipped_policies_are_had_by_name(name: str) -> None:
    assert in_force(name).current().source == name


def test_an_edit_is_in_force_at_once(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(ALLOW)
    policy = in_force(str(path))
    assert policy.current().rules == ()
    path.write_text(RULE)
    assert [rule.id for rule in policy.current().rules] == ["a"]


def test_a_broken_edit_is_said_once_and_keeps_the_old_policy(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(RULE)
    said: list[tuple[str, str]] = []
    policy = in_force(str(path), said)
    path.write_text("version = 1\nrules = 3\n")
    for _ in range(3):
        assert len(policy.current().rules) == 1
    assert [event for event, _ in said] == ["policy-broken"]
    assert policy.broken is not None
    path.write_text(ALLOW)
    assert policy.current().rules == ()
    assert policy.broken is None


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"\xff\xfe",
        b"version = 2",
        b"a" * 2_000_000,
        b"[[rule]]\n",
        b"version = 1\nx = 1",
    ],
    ids=["missing", "empty", "not utf-8", "other version", "2 MB", "no version", "unknown key"],
)
def test_a_start_with_a_broken_policy_is_refused_with_its_place(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "p.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises((GateError, PolicyError)) as caught:
        in_force(str(path))
    assert "p.toml" in str(caught.value)


def test_a_folder_is_no_policy(tmp_path: Path) -> None:
    with pytest.raises(GateError, match="cannot be read"):
        in_force(str(tmp_path))


@pytest.mark.parametrize(
    ("place", "meant"), [("strikt", "strict"), ("Balanced", "balanced"), ("obsrve", "observe")]
)
def test_a_mistyped_name_leads_to_the_nearest_shipped_policy(place: str, meant: str) -> None:
    with pytest.raises(GateError) as caught:
        in_force(place)
    assert caught.value.message == f"there is no policy `{place}`"
    assert caught.value.hint.startswith(f"Did you mean `{meant}`? ")


def test_a_name_like_none_gets_the_list_of_all() -> None:
    with pytest.raises(GateError) as caught:
        in_force("xyzzy")
    assert caught.value.hint.startswith("Name one of the shipped policies (observe, balanced,")


@pytest.mark.parametrize("place", ["./strikt", "strikt.toml", "policies/strikt"])
def test_what_is_written_as_a_file_is_called_one(place: str) -> None:
    with pytest.raises(GateError) as caught:
        in_force(place)
    assert caught.value.message.startswith("the policy file `")
    assert "Did you mean" not in caught.value.hint


GRANT = (
    '[[exemption]]\nproject = "x"\nrule = "a"\nreason = "why"\nowner = "me"\n'
    'expires = 2026-11-30\nid = "one"\n'
)
GRANTED = {
    "project": "x",
    "rule": "a",
    "reason": "why",
    "owner": "me",
    "expires": date(2026, 11, 30),
    "id": "one",
}


def with_grants(tmp_path: Path, said: list[tuple[str, str]] | None = None) -> PolicyInForce:
    (tmp_path / "p.toml").write_text(RULE)
    heard = [] if said is None else said
    return PolicyInForce(
        str(tmp_path / "p.toml"),
        clock=lambda: NOW,
        log=lambda event, text: heard.append((event, text)),
        granted=tmp_path / NAME,
    )


def test_what_is_granted_and_ended_holds_at_once_in_every_process(tmp_path: Path) -> None:
    policies = [with_grants(tmp_path), with_grants(tmp_path)]
    before = policies[0].current()
    assert before.exemptions == ()
    with changed(tmp_path / NAME) as tables:
        tables["exemption"].append(GRANTED)
    for policy in policies:
        assert [each.id for each in policy.current().exemptions] == ["one"]
        assert policy.current().digest != before.digest
        assert policy.current() is policy.current()
    with changed(tmp_path / NAME) as tables:
        tables["exemption"].clear()
    assert {policy.current().digest for policy in policies} == {before.digest}


def test_granted_exemptions_are_for_their_owner_alone(tmp_path: Path) -> None:
    with changed(tmp_path / NAME) as tables:
        tables["exemption"].append(GRANTED)
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


@pytest.mark.parametrize("broken", ["[[", "version = 1\n[[exemption]]\nproject = 3\n", "\udc80"])
def test_grants_that_cannot_be_read_leave_those_read_before_in_force(
    tmp_path: Path, broken: str
) -> None:
    said: list[tuple[str, str]] = []
    policy = with_grants(tmp_path, said)
    (tmp_path / NAME).write_text(f"version = 1\n{GRANT}")
    good = policy.current()
    assert len(good.exemptions) == 1
    (tmp_path / NAME).write_text(broken, errors="surrogateescape")
    assert policy.current() is policy.current() is good
    assert policy.grants_broken is not None
    assert [event for event, _ in said] == ["exemptions-changed", "exemptions-broken"]
    with pytest.raises(PolicyError), changed(tmp_path / NAME) as tables:
        tables["exemption"].clear()
    (tmp_path / NAME).unlink()
    assert policy.current().exemptions == ()
    assert policy.grants_broken is None


def test_a_start_with_broken_grants_refuses_what_they_would_waive(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("nonsense")
    policy = with_grants(tmp_path)
    assert policy.current().exemptions == ()
    assert policy.grants_broken is not None


def test_a_change_that_would_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(PolicyError), changed(tmp_path / NAME) as tables:
        tables["exemption"].append({"project": "x"})
    assert list(tmp_path.iterdir()) == []


def test_the_glass_is_broken_for_one_run_and_while_the_policy_allows_it(tmp_path: Path) -> None:
    policy = with_grants(tmp_path)
    policy.glass.open("run-1", owner="me", reason="why", now=NOW)
    assert [each.id for each in policy.current("run-1").exemptions] == ["run-1"]
    assert policy.current("run-1") is policy.current("run-1")
    assert policy.current().exemptions == policy.current("run-2").exemptions == ()
    (tmp_path / "p.toml").write_text(RULE.replace("\n", '\nbreak_glass = "refuse"\n', 1))
    assert policy.current("run-1").exemptions == ()
    (tmp_path / "p.toml").write_text(RULE)
    assert policy.current("run-1").exemptions != ()
    assert policy.glass.close("run-1")
    assert policy.current("run-1").exemptions == ()
    assert not policy.glass.close("run-1")


def test_a_broken_glass_lasts_no_longer_than_half_a_day(tmp_path: Path) -> None:
    now = [NOW]
    (tmp_path / "p.toml").write_text(RULE)
    policy = PolicyInForce(str(tmp_path / "p.toml"), clock=lambda: now[0])
    policy.glass.open("run-1", owner="me", reason="why", now=NOW)
    now[0] = NOW + LONGEST - timedelta(microseconds=1)
    assert policy.current("run-1").exemptions != ()
    now[0] = NOW + LONGEST
    assert policy.current("run-1").exemptions == ()
