"""What may be asked for, held against the shipped policies."""

from datetime import UTC, datetime

import pytest

from indexgate import exempting
from indexgate.errors import GateError
from indexgate_policy import policies
from indexgate_policy.rules import document
from indexgate_policy.rules.document import Policy


def shipped(name: str) -> Policy:
    return document.parse(
        policies.shipped(name), source=name, now=datetime(2026, 11, 22, tzinfo=UTC)
    )


@pytest.mark.parametrize("name", policies.NAMES)
def test_a_rule_on_malware_is_waived_for_one_version_only_whoever_reported_it(name: str) -> None:
    policy = shipped(name)
    on_malware = [rule.id for rule in policy.rules if exempting.concerns_malware(rule.id, policy)]
    assert on_malware == ["malware", "reported-as-malware"]
    for rule in on_malware:
        assert exempting.check_malware(exempting.target("demo==2.0"), rule, policy)
        for wide in ("demo", "demo>=2", "demo==2.*", "*==2.0"):
            with pytest.raises(GateError, match="keeps malware out"):
                exempting.check_malware(exempting.target(wide), rule, policy)
    assert not {*on_malware} & {*exempting.besides_malware(policy)}
    assert not exempting.check_malware(exempting.target("demo"), policy.rules[-1].id, policy)
