import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate_policy.downloads.classes import attribute, doubt, evenness
from indexgate_policy.downloads.installers import KNOWN
from indexgate_policy.downloads.kinds import CLASSES
from indexgate_policy.downloads.log_row import Client, LogRow
from indexgate_policy.downloads.people import blind_spot, footprint, seen
from indexgate_policy.downloads.reference import render
from indexgate_policy.downloads.rule_table import CHANGES, RULES, deciding, moved
from tests.policy.downloads.rows import mixtures, row, worked_example

NAMES = st.sampled_from([None, "rattler", *(one.name for one in KNOWN)])
CLIENTS = st.builds(
    Client,
    installer=NAMES,
    installer_version=st.sampled_from([None, "26.1", "18.0", "9."]),
    ci=st.sampled_from([None, True]),
    system=st.sampled_from([None, "Linux", "Darwin", "Windows", "FreeBSD"]),
    distro=st.sampled_from([None, "Ubuntu", "Debian GNU/Linux", "Alpine Linux", "Fedora Linux"]),
    kernel=st.sampled_from([None, "wsl", "desktop-vm", "cloud", "server"]),
    python=st.sampled_from([None, "3.12"]),
    ci_told=st.booleans(),
)
ROWS = st.lists(
    st.builds(
        LogRow,
        project=st.just(worked_example()[0].project),
        day=st.just(date(2026, 10, 1)),
        client=CLIENTS,
        country=st.sampled_from([None, "US", "DE", "SE"]),
        version=st.sampled_from([f"1.{minor}" for minor in range(12)]),
        file_type=st.sampled_from(["bdist_wheel", "sdist", "bdist_egg"]),
        n=st.integers(1, 10_000),
    ),
    max_size=60,
)


def test_the_worked_example_comes_out_exactly() -> None:
    found = attribute(worked_example())
    mirrors = found.likeliest["mirror"] + found.likeliest["cache"]
    rest = [found.likeliest[name] for name in ("bot", "scanner", "ci", "human", "pipeline")]
    assert (found.n, mirrors, *rest) == (10_000, 2000, 3000, 800, 4000, 200, 0)
    human = found.classes["human"]
    assert [round(end) for end in (human.low, human.middle, human.high)] == [143, 325, 708]
    assert found.decided_by["C1"] == 4000
    assert found.certain_share == pytest.approx((2000 + 4000 + 1100 + 120) / 10_000)


def test_two_hundred_installs_are_ten_to_fifty_people() -> None:
    installs = attribute([row(200, installer="bandersnatch")]).classes["mirror"]
    people = seen(installs)
    assert [round(end) for end in (people.low, people.middle, people.high)] == [10, 22, 50]
    wider = footprint(people, blind_spot(None))
    assert (round(wider.low), round(wider.high)) == (10, 250)


def test_human_shares_of_mixtures_are_recovered() -> None:
    errors, covered, count = [], 0, 300
    for mixture in mixtures(count):
        found = attribute(mixture.rows)
        human = found.classes["human"]
        errors.append(abs(human.middle / found.n - mixture.human_share))
        covered += human.low <= mixture.human_share * found.n <= human.high
    assert math.fsum(errors) / count <= 0.05
    assert covered / count >= 0.90


@pytest.mark.parametrize(
    ("client", "rule"),
    [
        (Client("bandersnatch", ci=True), "M1"),
        (Client("Artifactory"), "M2"),
        (Client("pip", ci=True, system="Darwin"), "C1"),
        (Client(), "S1"),
        (Client(python="3.9"), "S3"),
        (Client("Browser"), "S2"),
        (Client("requests"), "S4"),
        (Client("Bazel"), "B1"),
        (Client("Homebrew"), "B1"),
        (Client("twine"), "B1"),
        (Client("rattler", system="Darwin"), "U2"),
        (Client("pip", "26.1", system="Darwin"), "H1"),
        (Client("pip", "26.1", system="Windows"), "H2"),
        (Client("pip", "26.1", system="Windows", kernel="server"), "P2"),
        (Client("uv", system="Linux", distro="Ubuntu", kernel="wsl"), "H3"),
        (Client("uv", system="Linux", distro="Ubuntu", kernel="desktop-vm"), "P3"),
        (Client("uv", system="Linux", distro="Ubuntu", kernel="cloud"), "P4"),
        (Client("pip", system="Linux", distro="Alpine Linux"), "P1-alpine"),
        (Client("pip", system="Linux", distro="Debian GNU/Linux"), "P1-debian"),
        (Client("pip", system="Linux", distro="Red Hat Enterprise Linux"), "P1-server"),
        (Client("pip", system="Linux", distro="Amazon Linux"), "P1-server"),
        (Client("pip", system="Linux", distro="Ubuntu"), "P1-ubuntu"),
        (Client("pip", system="Linux", distro="Raspbian GNU/Linux"), "P1-board"),
        (Client("pip", system="Linux", distro="Arch Linux"), "P1-desktop"),
        (Client("pip", system="Linux", distro="NixOS"), "P1-desktop"),
        (Client("poetry", system="Linux"), "P5"),
        (Client("pip", system="Linux", distro="Guix System"), "P5"),
        (Client("pdm"), "U1"),
        (Client("pip", system="FreeBSD"), "U1"),
    ],
)
def test_each_rule_decides_what_it_is_for(client: Client, rule: str) -> None:
    assert deciding(client).id == rule


def test_ids_are_unique_and_shares_add_up_under_every_modifier() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    every = [frozenset([c.id]) for c in CHANGES] + [frozenset(), frozenset(c.id for c in CHANGES)]
    for rule in RULES:
        for applying in every:
            given = moved(rule, applying)
            assert len(given) == len(CLASSES)
            assert sum(given) == pytest.approx(1.0)
            assert min(given) >= 0


def test_a_client_that_cannot_say_ci_counts_in_part_as_ci() -> None:
    debian = {"system": "Linux", "distro": "Debian GNU/Linux"}
    says = attribute([row(100, installer="pip", installer_version="26.1", **debian)])
    for silent in (
        row(100, installer="pip", installer_version="18.1", **debian),
        row(100, installer="pip", installer_version="26.1", ci_told=False, **debian),
        row(100, installer="poetry", **debian),
    ):
        found = attribute([silent])
        assert found.classes["ci"].middle == pytest.approx(7 + 0.3 * 88 + 0.25 * 5)
        assert found.classes["ci"].middle > says.classes["ci"].middle


def test_an_sdist_speaks_of_scanners_only_where_there_is_a_wheel() -> None:
    sdist = row(100, installer="pip", system="Linux", distro="Ubuntu", file_type="sdist")
    without = attribute([sdist]).classes["human"].middle
    assert without == pytest.approx(20)
    assert attribute([sdist], wheels=frozenset(["1.0"])).classes["human"].middle < without
    wheel = row(1, installer="bandersnatch")
    assert attribute([sdist, wheel]).classes["human"].middle < without


def test_who_fetches_all_versions_alike_is_a_crawler() -> None:
    crawler = [row(3, installer="requests", version=f"1.{minor}") for minor in range(10)]
    found = attribute(crawler)
    assert found.classes["bot"].middle == pytest.approx(30 * (0.2 * 0.05 + 0.8 * 0.6))
    uneven = [row(3**minor, installer="requests", version=f"1.{minor}") for minor in range(10)]
    spread = attribute(uneven)
    assert spread.classes["bot"].middle == pytest.approx(0.05 * spread.n)
    people = [row(3, installer="pip", system="Darwin", version=f"1.{minor}") for minor in range(10)]
    assert attribute(people).classes["human"].middle == pytest.approx(27)


def test_evenness_is_measured_against_all_versions() -> None:
    assert evenness([5] * 8, 8) == pytest.approx(1.0)
    assert evenness([5] * 8, 64) == pytest.approx(0.5)
    assert evenness([5] * 7, 7) == 0.0


@given(ROWS)
def test_counts_are_conserved_and_ends_enclose_the_middle(rows: list[LogRow]) -> None:
    found = attribute(rows)
    n = sum(one.n for one in rows)
    assert sum(one.middle for one in found.classes.values()) == pytest.approx(n)
    assert sum(found.likeliest.values()) == sum(found.decided_by.values()) == n
    for one in found.classes.values():
        assert 0 <= one.low <= one.middle + 1e-6 <= one.high + 2e-6
        assert one.high <= n + 1e-6


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows: list[LogRow], random: object) -> None:
    mixed = list(rows)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    one, other = attribute(rows), attribute(mixed)
    for name in CLASSES:
        assert one.classes[name].middle == pytest.approx(other.classes[name].middle)
    assert one.decided_by == other.decided_by


@given(st.floats(0, 1))
def test_a_share_lies_between_its_ends(share: float) -> None:
    low, high = doubt(share)
    assert 0 <= low <= share <= high <= 1


def test_the_reference_names_every_rule_modifier_and_client() -> None:
    page = render()
    for rule in RULES:
        assert f"| `{rule.id}` |" in page
        assert rule.why in page
    for change in CHANGES:
        assert change.why in page
    for one in KNOWN:
        assert f"| `{one.name}` |" in page
