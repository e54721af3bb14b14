"""What goes out, and what stays: by licence, and by whose business it is."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate.snapshot.passable import ADVISORIES, may_be_passed_on
from indexgate.snapshot.read import assessments, open_snapshot
from indexgate.store.database import Store
from indexgate_policy.assess import UNCHECKED, WITHOUT_PAGE
from indexgate_policy.assessment import Assessment
from indexgate_policy.checks import CHECKS
from indexgate_policy.health.result import HealthScore
from indexgate_policy.signals import Signals, Unknown
from tests.proxy.snapshot.made import DAY, INDEX, NOW, Key, assessed, exported, signal

SHARE_ALIKE = "CC-BY-SA-4.0"


def sent(store: Store, folder: Path, key: Key) -> dict[str, Assessment]:
    exported(store, folder, key)
    snapshot = open_snapshot(folder, [key.public])
    return {one.project: one for some in assessments(snapshot, INDEX.id) for one in some}


@pytest.mark.parametrize(
    ("licence", "passes"),
    [
        ("facts", True),
        ("CC-BY-4.0", True),
        ("CDLA-Permissive-2.0", True),
        (SHARE_ALIKE, False),
        ("ODbL-1.0", False),
        ("", False),
        ("something else", False),
    ],
)
def test_a_licence_that_is_not_known_to_allow_it_keeps_a_signal_in(
    licence: str, passes: bool
) -> None:
    assert may_be_passed_on(signal("stars", 3, licence=licence)) is passes


@pytest.mark.parametrize(
    "name", ["asked_here_by_people", "asked_here_by_ci", "asked_before_it_existed", "evidence"]
)
def test_what_the_gates_own_clients_ask_for_stays(name: str) -> None:
    assert not may_be_passed_on(signal(name, 7, licence="facts"))


def test_what_was_made_from_what_may_go_goes_as_it_is(
    store: Store, tmp_path: Path, key: Key
) -> None:
    whole = assessed("demo", signal("scorecard", 8.5), signal("dependents", 400))
    store.assessments.save_many([whole])
    assert sent(store, tmp_path / "s", key) == {"demo": whole}


def test_a_score_made_with_what_must_stay_is_made_anew_without_it(
    store: Store, tmp_path: Path, key: Key
) -> None:
    may, must_stay = (
        [signal("scorecard", 2.0), signal("release_count", 3), signal("index_status", "active")],
        signal("dependents", 90_000, source="ecosystems", licence=SHARE_ALIKE),
    )
    store.assessments.save_many([assessed("demo", *may, must_stay)])
    got = sent(store, tmp_path / "s", key)["demo"]
    alone = assessed("demo", *may, at=NOW)
    assert isinstance(got.score, HealthScore)
    assert isinstance(alone.score, HealthScore)
    assert got.score.value == alone.score.value
    assert "ecosystems" not in {one.source for one in got.inputs}
    assert "90,000" not in repr(got)
    assert got.assessed_at == NOW


def test_a_check_that_needs_releases_says_that_it_could_not_look(
    store: Store, tmp_path: Path, key: Key
) -> None:
    signals = (
        signal("release_count", 1),
        signal("index_status", "quarantined"),
        signal("sourcerank", 3, source="libraries-io", licence=SHARE_ALIKE),
    )
    store.assessments.save_many([assessed("demo", *signals)])
    got = sent(store, tmp_path / "s", key)["demo"]
    unchecked = Signals(got.inputs).value(UNCHECKED)
    assert isinstance(unchecked, tuple)
    told = {line.partition(": ")[0]: line for line in unchecked}
    assert {"release-burst", "version-jump", "yanked", "packaging-change"} <= told.keys()
    assert "no page was at hand" in told["yanked"]
    assert got.flag("quarantined") is not None
    assert Signals(got.inputs).value(WITHOUT_PAGE) is True


def test_where_too_little_is_known_nothing_is_said(store: Store, tmp_path: Path, key: Key) -> None:
    stays = signal("sourcerank", 3, source="libraries-io", licence=SHARE_ALIKE)
    store.assessments.save_many([assessed("demo", signal("stars", 3), stays)])
    got = sent(store, tmp_path / "s", key)["demo"]
    assert isinstance(got.score, Unknown)
    assert got.flags == ()
    unchecked = Signals(got.inputs).value(UNCHECKED)
    assert isinstance(unchecked, tuple)
    assert len(unchecked) == len(CHECKS)


def test_an_unknown_that_must_stay_changes_nothing_but_stays(
    store: Store, tmp_path: Path, key: Key
) -> None:
    whole = assessed("demo", signal("scorecard", 8.5))
    off = Unknown(reason="ecosystems is off")
    stays = signal("dependents", off, source="ecosystems", licence=SHARE_ALIKE)
    store.assessments.save_many([replace(whole, inputs=(*whole.inputs, stays))])
    assert sent(store, tmp_path / "s", key) == {"demo": whole}


def test_private_names_stay_out(store: Store, tmp_path: Path, key: Key) -> None:
    store.assessments.save_many([assessed("demo"), assessed("secret")])
    made = exported(store, tmp_path / "s", key, private="secret")
    assert made.left_out.private == 1
    assert made.files[0].rows == 1
    for file in (tmp_path / "s").iterdir():
        assert b"secret" not in file.read_bytes()


def test_the_manifest_names_sources_with_dates_and_who_is_to_be_named(
    store: Store, tmp_path: Path, key: Key
) -> None:
    signals = (
        signal("dependents", 4, at=NOW - 3 * DAY),
        signal("dependent_owners", 2),
        signal("stars", 1, source="github", licence="facts"),
        signal("sourcerank", 3, source="libraries-io", licence=SHARE_ALIKE),
    )
    store.assessments.save_many([assessed("demo", *signals)])
    made = exported(store, tmp_path / "s", key)
    by_name = {one.source: one for one in made.sources}
    assert by_name["deps-dev"].oldest == NOW - 3 * DAY
    assert by_name["deps-dev"].newest == NOW - DAY
    assert "libraries-io" not in by_name
    assert made.attribution == (
        "Contains data of deps.dev (Google) (Creative Commons Attribution 4.0)",
        ADVISORIES,
    )
    assert (made.left_out.signals, made.left_out.again, made.left_out.without_page) == (1, 1, 1)


def test_owners_of_another_project_do_not_come_in_by_the_back_door(
    store: Store, tmp_path: Path, key: Key
) -> None:
    shared = signal("owners", ("ada",), source="ecosystems", licence=SHARE_ALIKE)
    popular = assessed("requests", shared, signal("release_count", 3))
    stays = signal("sourcerank", 3, source="libraries-io", licence=SHARE_ALIKE)
    young = (
        signal("owners", ("ada",), source="project-json", licence="facts"),
        signal("release_count", 1),
        signal("index_status", "active"),
        signal("first_release_at", f"{NOW - 5 * DAY:%Y-%m-%d}"),
    )
    store.assessments.save_many([popular, assessed("reqeusts", *young, stays)])
    got = sent(store, tmp_path / "s", key)["reqeusts"]
    flag = got.flag("typosquat")
    assert flag is not None
    store.assessments.save_many([assessed("requests", replace(shared, licence="facts"))])
    again = sent(store, tmp_path / "t", key)["reqeusts"].flag("typosquat")
    assert again is None or again != flag


def test_a_project_that_is_assessed_again_has_the_name_of_the_first(
    store: Store, tmp_path: Path, key: Key
) -> None:
    stays = signal("sourcerank", 3, source="libraries-io", licence=SHARE_ALIKE)
    names = [f"demo-{n:02}" for n in range(30)]
    store.assessments.save_many([assessed(name, stays) for name in names])
    got = sent(store, tmp_path / "s", key)
    assert [one.project for one in got.values()] == [NormalizedName(name) for name in names]
