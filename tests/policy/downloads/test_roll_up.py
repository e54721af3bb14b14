from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import NormalizedName, canonicalize_name

from indexgate_policy.downloads.classes import attribute
from indexgate_policy.downloads.day_counts import DayCounts
from indexgate_policy.downloads.kinds import CLASSES, INSTALLERS, REGIONS
from indexgate_policy.downloads.log_row import COLUMNS, LogRow
from indexgate_policy.downloads.numbered_rows import Batch, batch_of
from indexgate_policy.downloads.roll_up import Upload, roll_up
from tests.policy.downloads.rows import DAY, mixtures, row, worked_example
from tests.policy.downloads.test_classes import CLIENTS

PROJECTS = [canonicalize_name(name) for name in ("a", "b", "c")]
ROWS = st.lists(
    st.builds(
        LogRow,
        project=st.sampled_from(PROJECTS),
        day=st.sampled_from([DAY, DAY + timedelta(days=1)]),
        client=CLIENTS,
        country=st.sampled_from([None, "US", "DE", "SE"]),
        version=st.sampled_from([None, *(f"1.{minor}" for minor in range(12))]),
        file_type=st.sampled_from(["bdist_wheel", "sdist", "bdist_egg", None]),
        n=st.integers(1, 10_000),
    ),
    min_size=1,
    max_size=80,
)


def nobody_knows(project: NormalizedName, version: str) -> None:
    return None


def batches(rows: list[LogRow], size: int) -> Iterator[Batch]:
    for start in range(0, len(rows), size):
        yield batch_of(rows[start : start + size])


def rolled(rows: list[LogRow], size: int = 1000) -> dict[tuple[NormalizedName, date], DayCounts]:
    found = list(roll_up(batches(rows, size), nobody_knows))
    by_unit = {(one.project, one.day): one for one in found}
    assert len(by_unit) == len(found)
    return by_unit


def test_the_worked_example_rolls_up_to_its_classes() -> None:
    (one,) = rolled(worked_example()).values()
    assert one.n == 10_000
    assert round(float(one.classes[CLASSES.index("human")])) == 325
    assert float(one.classes.sum()) == pytest.approx(10_000)
    assert dict(zip(INSTALLERS, one.installers.tolist(), strict=True)) == {
        "pip": 3500, "uv": 700, "poetry": 0, "other tool": 0, "script": 1900, "unknown": 1900,
    }  # fmt: skip
    assert one.certain == 2000 + 4000 + 1100 + 120


@given(ROWS, st.integers(1, 90))
def test_it_says_of_each_project_and_day_what_the_rows_say(rows: list[LogRow], size: int) -> None:
    apart = defaultdict(list)
    for one in rows:
        apart[one.project, one.day].append(one)
    found = rolled(rows, size)
    assert found.keys() == apart.keys()
    for unit, own in apart.items():
        expected = attribute(own)
        assert found[unit].n == expected.n
        middles = [expected.classes[name].middle for name in CLASSES]
        assert found[unit].classes == pytest.approx(middles, rel=1e-5, abs=1e-3)
        assert found[unit].certain == pytest.approx(expected.certain_share * expected.n)


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows: list[LogRow], random: object) -> None:
    mixed = list(rows)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    one, other = rolled(rows), rolled(mixed, 7)
    assert one.keys() == other.keys()
    for unit, counts in one.items():
        for field in ("classes", "installers", "regions", "version_ages"):
            left, right = getattr(counts, field), getattr(other[unit], field)
            np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-3)


def test_rows_that_only_claim_to_be_sorted_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexgate_policy.downloads.roll_up._ROWS_AT_ONCE", 3)
    rows = [row(1, project=canonicalize_name(name)) for name in ("b", "c", "b", "d", "e", "f")]
    with pytest.raises(ValueError, match="`b`"):
        list(roll_up(batches(rows, 3), nobody_knows, sorted_by_project=True))


@given(ROWS)
def test_downloads_are_conserved(rows: list[LogRow]) -> None:
    for one in rolled(rows).values():
        classes = dict(zip(CLASSES, one.classes.tolist(), strict=True))
        assert sum(classes.values()) == pytest.approx(one.n, rel=1e-5)
        placed = classes["human"] + classes["pipeline"]
        assert float(one.regions.sum()) == pytest.approx(placed, rel=1e-4, abs=1e-2)
        no_mirrors = one.n - classes["mirror"] - classes["cache"]
        assert float(one.installers.sum()) == pytest.approx(no_mirrors, rel=1e-5, abs=1e-2)
        consumers = classes["ci"] + classes["pipeline"] + classes["human"]
        assert one.undated == pytest.approx(consumers, rel=1e-4, abs=1e-2)


def test_sorted_rows_come_out_while_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexgate_policy.downloads.roll_up._ROWS_AT_ONCE", 50)
    rows = [
        row(number + 1, project=canonicalize_name(f"p{project:03}"), version=f"{number % 9}")
        for project in range(60)
        for number in range(7)
    ]
    read = 0

    def reading() -> Iterator[Batch]:
        nonlocal read
        for batch in batches(rows, 20):
            read += 1
            yield batch

    found = roll_up(reading(), nobody_knows, sorted_by_project=True)
    first = next(found)
    assert (first.project, read) == ("p000", 3)
    everything = [first, *found]
    assert [one.project for one in everything] == sorted({one.project for one in rows})
    at_the_end = rolled(rows)
    for one in everything:
        np.testing.assert_array_equal(one.classes, at_the_end[one.project, one.day].classes)


def test_a_project_that_comes_back_among_sorted_rows_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("indexgate_policy.downloads.roll_up._ROWS_AT_ONCE", 2)
    rows = [row(1, project=canonicalize_name(name)) for name in ("a", "b", "c", "a", "d", "e")]
    with pytest.raises(ValueError, match="`a`"):
        list(roll_up(batches(rows, 2), nobody_knows, sorted_by_project=True))


def test_versions_are_dated_by_their_upload() -> None:
    days_old = {"0": 0, "1": 29, "2": 30, "3": 179, "4": 180, "5": 729, "6": 730, "7": -2}
    uploads = {version: Upload(on=DAY - timedelta(days=age)) for version, age in days_old.items()}
    rows = [row(10, installer="uv", ci=True, version=version) for version in [*days_old, "8"]]
    (one,) = roll_up([batch_of(rows)], lambda project, version: uploads.get(version))
    assert one.version_ages.tolist() == [30, 20, 20, 10]
    assert one.undated == 10


def test_ages_are_unknown_when_no_version_can_be_dated() -> None:
    (one,) = rolled([row(10, installer="uv", ci=True)]).values()
    assert np.isnan(one.version_ages).all()
    assert one.undated == 10
    (mirrored,) = rolled([row(10, installer="bandersnatch")]).values()
    assert mirrored.version_ages.tolist() == [0, 0, 0, 0]


def test_a_known_wheel_counts_though_nobody_fetched_it() -> None:
    sdist = row(100, installer="pip", system="Linux", distro="Ubuntu", file_type="sdist")
    (alone,) = rolled([sdist]).values()
    wheel = Upload(wheel=True)
    (beside,) = roll_up([batch_of([sdist])], lambda project, version: wheel)
    human = CLASSES.index("human")
    assert beside.classes[human] < alone.classes[human]


def test_regions_are_those_of_people_and_pipelines() -> None:
    rows = [
        row(100, installer="uv", system="Darwin", country="DE"),
        row(100, installer="uv", system="Darwin", country=None),
        row(100, installer="uv", ci=True, country="US"),
    ]
    (one,) = rolled(rows).values()
    regions = dict(zip(REGIONS, one.regions.tolist(), strict=True))
    assert (regions["DE"], regions["other"], regions["US"]) == (
        pytest.approx(92),
        pytest.approx(92),
        0,
    )


def test_columns_may_be_arrays() -> None:
    class Arrow(list[object]):
        def to_pylist(self) -> list[object]:
            return list(self)

    lists = batch_of(worked_example())
    arrays = {name: Arrow(column) for name, column in lists.items()} | {"n": np.array(lists["n"])}
    (one,), (other,) = roll_up([lists], nobody_knows), roll_up([arrays], nobody_knows)
    np.testing.assert_array_equal(one.classes, other.classes)


def test_a_missing_column_is_an_error() -> None:
    for name in COLUMNS:
        batch = {key: column for key, column in batch_of(worked_example()).items() if key != name}
        with pytest.raises(KeyError, match=name):
            list(roll_up([batch], nobody_knows))


def test_nothing_comes_of_no_rows() -> None:
    assert list(roll_up([], nobody_knows)) == []
    assert list(roll_up([batch_of([])], nobody_knows)) == []


def test_many_clients_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexgate_policy.downloads.numbered_rows._CLIENTS_AT_ONCE", 3)
    rows = [one for mixture in mixtures(3) for one in mixture.rows]
    found, plain = rolled(rows, 4), attribute(rows)
    (one,) = found.values()
    middles = [plain.classes[name].middle for name in CLASSES]
    assert one.classes == pytest.approx(middles, rel=1e-5)
