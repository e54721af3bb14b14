import pytest

from indexgate_policy.checks.quarantined import check
from indexgate_policy.flags import Severity
from tests.policy.checks.cases import case_of


@pytest.mark.parametrize("status", ["active", "archived", "deprecated", "something-new"])
def test_any_other_status_is_not_quarantine(status: str) -> None:
    assert check(case_of(status=status)) is None


def test_quarantine_is_critical_and_carries_the_reason() -> None:
    flag = check(case_of(status="quarantined", status_reason="reported"))
    assert flag is not None
    assert flag.severity is Severity.CRITICAL
    assert flag.facts["reason"] == "reported"
