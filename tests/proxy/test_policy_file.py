"""The policy in force, by name or by file."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from indexgate.errors import GateError
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
