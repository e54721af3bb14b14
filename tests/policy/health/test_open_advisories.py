from datetime import timedelta

import pytest

from indexgate_policy.advisories import Advisories, Advisory, Range
from indexgate_policy.flags import Severity
from indexgate_policy.health.open_advisories import OpenAdvisories, open_advisories
from indexgate_policy.signals import Unknown
from tests.policy.checks.cases import NOW, UNTOLD

DAY = timedelta(days=1)


def advisory(
    id_: str,
    severity: Severity | Unknown = Severity.HIGH,
    *,
    aliases: tuple[str, ...] = (),
    fixed: str | None = None,
    days_ago: int | None = 5,
) -> Advisory:
    return Advisory(
        id=id_,
        kind="malware" if id_.startswith("MAL-") else "vulnerability",
        severity=severity,
        summary="an example",
        aliases=aliases,
        ranges=(Range(introduced="0", fixed=fixed),),
        published=None if days_ago is None else NOW - days_ago * DAY,
    )


def opened(*records: Advisory) -> OpenAdvisories:
    found = open_advisories("1.0", Advisories(records=records, feed=NOW))
    assert isinstance(found, OpenAdvisories)
    return found


def test_high_and_critical_ones_are_told_from_all_others() -> None:
    found = opened(
        advisory("A", Severity.CRITICAL, days_ago=50),
        advisory("B", Severity.HIGH, days_ago=90),
        advisory("C", Severity.MEDIUM, days_ago=900),
        advisory("D", UNTOLD),
    )
    assert (found.high, found.other) == (2, 2)
    assert found.high_since == NOW - 90 * DAY


def test_what_is_fixed_in_the_version_is_not_open() -> None:
    found = opened(advisory("A", fixed="1.0"), advisory("B", fixed="1.1"))
    assert (found.high, found.other) == (1, 0)


def test_one_trouble_with_several_ids_counts_once_and_as_its_worst() -> None:
    found = opened(
        advisory("GHSA-1", UNTOLD, aliases=("CVE-1",)),
        advisory("OTHER", Severity.LOW),
        advisory("PYSEC-1", Severity.HIGH, aliases=("CVE-1",)),
        advisory("BRIDGE", Severity.LOW, aliases=("PYSEC-1", "GHSA-1")),
    )
    assert (found.high, found.other) == (1, 1)


def test_malware_is_told_apart_from_vulnerabilities() -> None:
    found = opened(advisory("MAL-1", UNTOLD), advisory("A", Severity.LOW))
    assert (found.malware, found.high, found.other) == (("MAL-1",), 0, 1)


def test_the_day_of_a_high_one_may_be_unknown() -> None:
    assert opened(advisory("A", days_ago=None)).high_since is None


@pytest.mark.parametrize(
    ("version", "advisories", "reason"),
    [
        ("1.0", UNTOLD, UNTOLD.reason),
        ("1.0", Advisories(records=(), feed=UNTOLD), UNTOLD.reason),
        (
            "1.0",
            Advisories(records=(advisory("A"),), feed=NOW, applicable=False),
            "public advisories do not speak of an index of one's own",
        ),
        (None, Advisories(records=(), feed=NOW), "it has no release that is not yanked"),
    ],
)
def test_that_none_is_open_is_unknown_when_nobody_can_tell(
    version: str | None, advisories: Advisories | Unknown, reason: str
) -> None:
    assert open_advisories(version, advisories) == Unknown(reason=reason)


def test_an_advisory_that_names_the_version_is_known_without_a_feed() -> None:
    found = open_advisories("1.0", Advisories(records=(advisory("A"),), feed=UNTOLD))
    assert isinstance(found, OpenAdvisories)
    assert found.high == 1
