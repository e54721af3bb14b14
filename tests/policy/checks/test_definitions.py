import pytest
from msgspec.structs import asdict

from indexgate_policy.checks import CHECKS, Check


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.definition.id)
def test_a_definition_leaves_nothing_out(check: Check) -> None:
    told = asdict(check.definition)
    assert [field for field, text in told.items() if not text.strip()] == []
    assert [field for field, text in told.items() if text != text.strip()] == []


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.definition.id)
def test_an_id_is_kebab_case(check: Check) -> None:
    assert all(word.isalnum() and word.islower() for word in check.definition.id.split("-"))


def test_no_two_checks_have_one_id() -> None:
    ids = [check.definition.id for check in CHECKS]
    assert len(ids) == len(set(ids))
