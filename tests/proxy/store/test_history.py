import asyncio
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from packaging.utils import NormalizedName
from sqlalchemy import Connection, update

from indexgate.store.database import Store, open_store
from indexgate.store.engines import StoreFailed
from indexgate.store.history import KEPT
from indexgate.store.history_codes import pack, unpack, unpack_all
from indexgate.store.schema import history_tiles
from indexgate_policy.downloads.day_counts import DayCounts
from indexgate_policy.downloads.panel import NOT_BORN, Movement, Panel
from indexgate_policy.events import Event
from indexgate_policy.signals import Unknown
from tests.proxy.store.conftest import Clock
from tests.proxy.store.postgresql import Server

INDEX, OTHER = "0" * 64, "1" * 64
FOO, BAR, BAZ = NormalizedName("foo"), NormalizedName("bar"), NormalizedName("baz")
MONDAY = date(2026, 3, 2)
NAN = float("nan")


def counts(project: NormalizedName, day: date, number: float, mixes: float = NAN) -> DayCounts:
    return DayCounts(
        project=project,
        day=day,
        classes=np.full(7, number, np.float32),
        installers=np.full(6, mixes, np.float32),
        regions=np.full(12, mixes, np.float32),
        version_ages=np.full(4, mixes, np.float32),
        n=0,
    )


def load(store: Store, day: date, numbers: dict[NormalizedName, float], **how: Any) -> None:
    rows = [counts(project, day, number, number) for project, number in numbers.items()]
    store.history.load_day(INDEX, day, rows, source="log", **how)


def panel(
    store: Store, project: NormalizedName, until: date, days: int = 14, index: str = INDEX
) -> Panel:
    found = store.history.panel(index, project, until, days)
    assert not isinstance(found, Unknown)
    return found


def by_day(found: Panel, row: int = 0) -> list[float]:
    return [float(number) for number in found.classes[row, :, 0]]


def after(days: int) -> date:
    return MONDAY + timedelta(days=days)


def test_a_day_of_many_projects_comes_back_as_it_was_loaded(store: Store) -> None:
    names = [NormalizedName(f"project-{n}") for n in range(150)]
    load(store, MONDAY, {name: float(n) for n, name in enumerate(names)})
    assert [by_day(panel(store, name, MONDAY, 1)) for name in names] == [[n] for n in range(150)]


@pytest.mark.parametrize("number", [0, 1, 17, 499, 500, 12345.678, 3_000_000_000.0])
def test_counts_come_back_within_a_third_of_a_percent(store: Store, number: float) -> None:
    load(store, MONDAY, {FOO: number})
    (found,) = by_day(panel(store, FOO, MONDAY, 1))
    assert found == pytest.approx(number, rel=0 if number <= 500 else 0.003)


def test_a_day_that_was_not_loaded_is_unknown_and_not_nothing(store: Store) -> None:
    load(store, MONDAY, {FOO: 5})
    load(store, after(2), {FOO: 7})
    found = by_day(panel(store, FOO, after(2), 3))
    assert (found[0], found[2]) == (5, 7)
    assert np.isnan(found[1])


def test_who_is_not_in_a_whole_day_had_no_downloads_on_it(store: Store) -> None:
    load(store, MONDAY, {FOO: 5})
    load(store, after(1), {FOO: 5, BAR: 3})
    assert by_day(panel(store, BAR, after(1), 2)) == [0, 3]


def test_who_is_not_in_a_day_of_some_projects_stays_as_it_was(store: Store) -> None:
    load(store, MONDAY, {FOO: 5, BAR: 4})
    load(store, MONDAY, {FOO: 6}, whole=False)
    load(store, after(1), {FOO: 7}, whole=False)
    found = by_day(panel(store, FOO, after(1), 2))
    assert found == [6, 7]
    assert by_day(panel(store, BAR, after(1), 2)) == [4]


async def test_who_knows_only_bounds_does_not_blot_out_what_the_log_told_of_some_projects(
    store: Store,
) -> None:
    load(store, MONDAY, {FOO: 5}, whole=False)
    bounds = counts(FOO, MONDAY, 70)
    bounds.classes[-1] = NAN
    await store.history.add(INDEX, FOO, [bounds, counts(FOO, after(1), 8)])
    found = panel(store, FOO, after(1), 2)
    assert by_day(found) == [5, 8]
    assert np.isfinite(found.classes[0, 0]).all()


def test_who_was_asked_about_and_is_not_in_a_day_of_some_projects_had_no_downloads(
    store: Store,
) -> None:
    load(store, MONDAY, {FOO: 5, BAR: 4, BAZ: 3})
    rows = [counts(FOO, MONDAY, 6)]
    store.history.load_day(INDEX, MONDAY, rows, source="log", whole=False, among={FOO, BAR})
    found = [by_day(panel(store, name, MONDAY, 1)) for name in (FOO, BAR, BAZ)]
    assert found == [[6], [0], [3]]
    (day,) = store.history.days(INDEX)
    assert (day.whole, day.projects) == (True, 3)  # it is no less than whole for that


def test_a_day_of_some_projects_says_nothing_of_others(store: Store) -> None:
    rows = [counts(FOO, MONDAY, 6)]
    store.history.load_day(INDEX, MONDAY, rows, source="log", whole=False, among={FOO, BAR})
    found = [by_day(panel(store, name, MONDAY, 1)) for name in (FOO, BAR)]
    assert found == [[6], [0]]
    assert isinstance(store.history.panel(INDEX, BAZ, MONDAY), Unknown)
    (day,) = store.history.days(INDEX)
    assert (day.whole, day.complete, day.projects) == (False, True, 1)


def test_a_day_loaded_again_takes_the_place_of_itself(store: Store) -> None:
    load(store, MONDAY, {FOO: 5, BAR: 4})
    load(store, MONDAY, {FOO: 6})
    assert by_day(panel(store, FOO, MONDAY, 1)) == [6]
    assert by_day(panel(store, BAR, MONDAY, 1)) == [0]
    (day,) = store.history.days(INDEX)
    assert (day.day, day.source, day.whole, day.complete, day.projects) == (
        MONDAY, "log", True, True, 1,
    )  # fmt: skip


def test_loading_the_same_day_twice_gives_the_same_rows(store: Store) -> None:
    def rows() -> list[tuple[object, ...]]:
        select = "SELECT id, codes FROM history_tiles ORDER BY id"
        return store.writer.wait(lambda to: [tuple(r) for r in to.exec_driver_sql(select)])

    numbers = {NormalizedName(f"project-{n}"): n * 1.5 for n in range(80)}
    load(store, MONDAY, numbers)
    before = rows()
    load(store, MONDAY, dict(reversed(numbers.items())))
    assert rows() == before


def test_a_load_that_breaks_off_is_known_as_such_and_repeated_it_is_whole(store: Store) -> None:
    names = [NormalizedName(f"project-{n}") for n in range(5_100)]  # more than one batch

    def cut_off() -> Iterator[DayCounts]:
        yield from (counts(name, MONDAY, 9) for name in names[:5_050])
        raise ConnectionError("the answer was cut off")

    load(store, MONDAY, {FOO: 5})
    with pytest.raises(ConnectionError):
        store.history.load_day(INDEX, MONDAY, cut_off(), source="log")
    (day,) = store.history.days(INDEX)
    assert (day.whole, day.complete) == (False, False)
    assert by_day(panel(store, FOO, MONDAY, 1)) == [5]
    assert panel(store, FOO, MONDAY, 1).incomplete.tolist() == [True]
    assert isinstance(store.history.panel(INDEX, names[0], MONDAY), Unknown)
    load(store, MONDAY, dict.fromkeys(names, 9.0))
    assert by_day(panel(store, names[5_099], MONDAY, 1)) == [9]
    assert by_day(panel(store, FOO, MONDAY, 1)) == [0]


KILLED = """
import os, sys
from datetime import UTC, date, datetime
import numpy as np
from indexgate.store.database import open_store
from indexgate.store import history
from indexgate_policy.downloads.day_counts import DayCounts

store = open_store(sys.argv[1], lambda: datetime.now(UTC))
day, left = date(2026, 3, 2), int(sys.argv[2])
write = store.writer.wait

def wait(change):
    global left
    if left == 0:
        os._exit(9)
    left -= 1
    return write(change)

store.writer.wait = wait
history._TILES_AT_ONCE = 1
store.history.load_day("0" * 64, day, [
    DayCounts(project=f"project-{n}", day=day, classes=np.full(7, n), installers=np.full(6, 1),
              regions=np.full(12, 1), version_ages=np.full(4, 1), n=0) for n in range(100)
], source="log")
"""


@pytest.mark.parametrize("writes", [2, 5])
def test_killed_after_any_write_and_repeated_it_gives_the_same_history(
    file: Path, clock: Clock, writes: int
) -> None:
    for left, ended in ((writes, 9), (99, 0)):
        command = [sys.executable, "-c", KILLED, str(file), str(left)]
        assert subprocess.run(command, check=False).returncode == ended
    store = open_store(file, clock)
    (found,) = store.history.panels(INDEX, MONDAY, 1)
    assert found.classes[:, 0, 0].tolist() == list(range(100))
    assert [(day.day, day.whole) for day in store.history.days(INDEX)] == [(MONDAY, True)]
    store.close()


def test_days_that_lack_rows_are_marked(store: Store) -> None:
    load(store, MONDAY, {FOO: 5})
    load(store, after(1), {FOO: 3}, complete=False)
    assert panel(store, FOO, after(1), 2).incomplete.tolist() == [False, True]
    assert [day.complete for day in store.history.days(INDEX)] == [True, False]


def test_a_panel_begins_on_a_monday_and_ends_on_the_newest_known_day(store: Store) -> None:
    for n in range(17):
        load(store, after(n), {FOO: n})
    found = panel(store, FOO, after(20), 9)  # asked on a Sunday about the Saturday before
    assert (found.first_day, found.last_day) == (after(7), after(16))
    assert found.first_day.weekday() == 0
    assert by_day(found) == [float(n) for n in range(7, 17)]


def test_mixes_are_sums_of_whole_weeks(store: Store) -> None:
    for n in range(16):
        load(store, after(n), {FOO: n})
    found = panel(store, FOO, after(15))
    weeks = [sum(range(7)), sum(range(7, 14))]
    for mix, columns in ((found.installers, 6), (found.regions, 12), (found.version_ages, 4)):
        assert mix.shape == (1, 2, columns)
        assert mix[0, :, 0].tolist() == weeks


@pytest.mark.parametrize(
    ("lacking", "week"), [((), 70), ((3,), 70), ((2, 3), 70), ((1, 2, 3), None)]
)
def test_a_week_that_lacks_a_day_or_two_is_taken_to_be_like_its_other_days(
    store: Store, lacking: tuple[int, ...], week: float | None
) -> None:
    for n in range(7):
        if n not in lacking:
            load(store, after(n), {FOO: 10})
    (found,) = panel(store, FOO, after(6)).installers[0, :, 0][-1:].tolist()
    assert np.isnan(found) if week is None else found == pytest.approx(week)


async def test_one_project_may_be_told_of_on_its_own(store: Store) -> None:
    days = [counts(FOO, after(n), n, 1) for n in range(180)]
    await store.history.add(INDEX, FOO, days)
    found = panel(store, FOO, after(179), 182)
    assert by_day(found)[-180:] == [float(n) for n in range(180)]
    assert found.regions[0, -1, 0] == 7
    await store.history.add(INDEX, FOO, [counts(FOO, after(3), 50)])
    assert by_day(panel(store, FOO, after(4), 5))[2:] == [2, 50, 4]


async def test_what_a_source_does_not_tell_stays_unknown(store: Store) -> None:
    day = counts(FOO, MONDAY, 5)
    day.classes[3] = NAN
    await store.history.add(INDEX, FOO, [day])
    found = panel(store, FOO, MONDAY, 1).classes[0, 0]
    assert np.isnan(found).tolist() == [False] * 3 + [True] + [False] * 3


async def test_a_whole_day_of_the_log_is_not_overwritten_by_what_is_told_of_one_project(
    store: Store,
) -> None:
    load(store, MONDAY, {FOO: 5})
    await store.history.add(INDEX, FOO, [counts(FOO, after(n), 50) for n in range(2)])
    assert by_day(panel(store, FOO, after(1), 2)) == [5, 50]
    load(store, after(1), {FOO: 6})
    assert by_day(panel(store, FOO, after(1), 2)) == [5, 6]


async def test_projects_told_of_at_once_do_not_lose_each_others_days(store: Store) -> None:
    names = [NormalizedName(f"project-{n}") for n in range(40)]  # they share tiles
    await asyncio.gather(
        *(store.history.add(INDEX, name, [counts(name, MONDAY, n)]) for n, name in enumerate(names))
    )
    assert [by_day(panel(store, name, MONDAY, 1)) for name in names] == [[n] for n in range(40)]


def test_two_processes_may_load_at_once(file: Path, clock: Clock) -> None:
    script = KILLED.replace("date(2026, 3, 2)", "date(2026, 3, int(sys.argv[3]))")
    running = [
        subprocess.Popen([sys.executable, "-c", script, str(file), "999", str(day)])
        for day in (2, 3, 4)
    ]
    assert [process.wait() for process in running] == [0, 0, 0]
    store = open_store(file, clock)
    assert by_day(panel(store, NormalizedName("project-99"), after(2), 3)) == [99, 99, 99]
    store.close()


def test_gates_on_one_server_do_not_lose_each_others_days(postgresql: Server, clock: Clock) -> None:
    place = postgresql.new_database()
    gates = [open_store(place, clock) for _ in range(3)]
    names = [NormalizedName(f"project-{n}") for n in range(90)]  # new to all, in shared tiles

    def tell(number: int) -> None:
        for name in names[number::3]:
            asyncio.run(gates[number].history.add(INDEX, name, [counts(name, MONDAY, 7)]))

    with ThreadPoolExecutor() as pool:
        list(pool.map(tell, range(3)))
    (found,) = gates[0].history.panels(INDEX, MONDAY, 1)
    assert sorted(found.names) == sorted(names)
    assert found.classes[:, 0].tolist() == [[7] * 7] * 90
    for gate in gates:
        gate.close()


def test_indexes_have_histories_of_their_own(store: Store) -> None:
    load(store, MONDAY, {FOO: 5})
    store.history.load_day(OTHER, MONDAY, [counts(BAR, MONDAY, 7)], source="log")
    assert isinstance(store.history.panel(OTHER, FOO, MONDAY), Unknown)
    assert by_day(panel(store, BAR, MONDAY, 1, OTHER)) == [7]
    assert by_day(panel(store, FOO, MONDAY, 1)) == [5]
    assert [p.names for p in store.history.panels(OTHER, MONDAY)] == [(BAR,)]


def test_what_was_never_seen_is_unknown_with_a_reason(store: Store) -> None:
    for project in (FOO, BAR):
        found = store.history.panel(INDEX, project, MONDAY)
        assert isinstance(found, Unknown)
        assert found.reason
        load(store, MONDAY, {FOO: 0}, whole=False)
    assert isinstance(store.history.panel(INDEX, BAR, MONDAY), Unknown)
    assert store.history.days(OTHER) == ()
    assert list(store.history.panels(OTHER, MONDAY)) == []
    assert isinstance(store.history.movement(OTHER, MONDAY, 7), Unknown)


@pytest.mark.parametrize("chunk", [1, 7, 32, 100, 4096])
def test_the_whole_index_comes_in_chunks_with_the_same_days(store: Store, chunk: int) -> None:
    names = [NormalizedName(f"project-{n}") for n in range(100)]
    for day in range(9):
        load(store, after(day), {name: n + day for n, name in enumerate(names)})
    chunks = list(store.history.panels(INDEX, after(30), 9, chunk))
    assert [name for p in chunks for name in p.names] == names
    assert {(p.first_day, p.last_day) for p in chunks} == {(MONDAY, after(8))}
    assert max(len(p.names) for p in chunks) <= chunk
    last_days = [float(number) for p in chunks for number in p.classes[:, 8, 0]]
    assert last_days == [n + 8.0 for n in range(100)]
    one = panel(store, names[42], after(30), 28)
    assert by_day(one)[-9:] == [42.0 + day for day in range(9)]


def test_births_are_told_in_days_of_the_panel(store: Store) -> None:
    for n in range(3):
        load(store, after(n), {FOO: 1, BAR: 1, BAZ: 1})
    store.history.note_born(INDEX, {FOO: after(-400), BAR: after(1)})
    born = [panel(store, name, after(2), 3).born.tolist() for name in (FOO, BAR, BAZ)]
    assert born == [[-1], [1], [-1]]
    store.history.note_born(INDEX, {BAZ: after(2)})
    assert panel(store, BAZ, after(1), 2).born.tolist() == [NOT_BORN]


async def test_releases_people_and_inflow_are_kept_by_the_day(store: Store) -> None:
    load(store, MONDAY, {FOO: 1})
    load(store, after(1), {FOO: 1})
    await store.history.note_activity(INDEX, FOO, "releases", {MONDAY: 2, after(1): 0})
    await store.history.note_activity(INDEX, FOO, "inflow", {after(1): 1234.5})
    found = panel(store, FOO, after(1), 2)
    assert found.releases.tolist() == [[2, 0]]
    assert found.inflow[0, 1] == pytest.approx(1234.5, rel=0.003)
    assert np.isnan(found.inflow[0, 0])
    assert np.isnan(found.people).all()


async def test_stars_are_the_differences_of_totals(store: Store, clock: Clock) -> None:
    for n in range(14):
        load(store, after(n), {FOO: 1})
    for day, total in ((-1, 90), (0, 100), (1, 103), (2, 101), (5, 107), (13, 900)):
        await store.stars.note(INDEX, FOO, after(day), total)
    await store.stars.note(INDEX, FOO, after(1), 104)  # the last look of a day counts
    found = panel(store, FOO, after(13)).stars[0].tolist()
    # Three days share what came over them; of eight it cannot be said.
    assert found[:6] == [10, 4, 0, 2, 2, 2]
    assert np.isnan(found[6:]).all()


async def test_the_first_sight_of_stars_is_no_rise(store: Store) -> None:
    load(store, MONDAY, {FOO: 1})
    await store.stars.note(INDEX, FOO, MONDAY, 50_000)
    assert np.isnan(panel(store, FOO, MONDAY, 1).stars).all()


def test_star_totals_of_many_projects_are_exact(store: Store) -> None:
    names = [NormalizedName(f"project-{n}") for n in range(100)]
    for day in range(2):
        load(store, after(day), dict.fromkeys(names, 1.0))
        totals = {name: 200_000 + (n + 1) * day for n, name in enumerate(names)}
        store.stars.note_many(INDEX, after(day), totals)
    (found,) = store.history.panels(INDEX, after(1), 2)
    assert found.stars[:, 1].tolist() == [n + 1 for n in range(100)]


def test_old_weeks_are_let_go_of_and_newer_ones_stay(store: Store, clock: Clock) -> None:
    for n in (0, 6, 7, 13, 20):
        load(store, after(n), {FOO: n})
    assert store.history.roll_over(after(8)) > 0
    assert [day.day for day in store.history.days(INDEX)] == [after(13), after(20)]
    found = by_day(panel(store, FOO, after(20), 21))
    assert np.isnan(found[:7]).all()
    assert (found[7], found[13], found[20]) == (7, 13, 20)
    assert store.history.roll_over(after(8)) == 0


def test_without_a_day_everything_older_than_kept_goes(store: Store, clock: Clock) -> None:
    today = clock.now.date()
    load(store, today - KEPT - timedelta(days=7), {FOO: 1})
    load(store, today - KEPT + timedelta(days=7), {FOO: 2})
    store.history.roll_over()
    assert [day.day for day in store.history.days(INDEX)] == [today - KEPT + timedelta(days=7)]


async def test_events_and_movement_go_with_their_days(store: Store) -> None:
    for day in (MONDAY, after(7)):
        at = datetime.combine(day, time(12), UTC)
        await store.events.note(INDEX, FOO, Event(kind="yank", at=at, text="1.0", source="s"))
        store.history.save_movement(INDEX, movement(day, 1))
    store.history.roll_over(after(7))
    (event,) = store.events.of(INDEX, FOO, datetime(2000, 1, 1, tzinfo=UTC))
    assert event.at.date() == after(7)
    assert isinstance(store.history.movement(INDEX, MONDAY, 7), Unknown)


def test_mixes_of_settled_weeks_stay_the_same_in_less_room(store: Store) -> None:
    def room() -> int:
        size = "SELECT sum(length(codes)) FROM history_tiles"
        return int(store.writer.wait(lambda to: to.exec_driver_sql(size).scalar_one()))

    chosen = np.random.default_rng(1)
    names = [NormalizedName(f"project-{n}") for n in range(40)]
    for n in range(28):
        load(store, after(n), {name: float(chosen.integers(500)) for name in names})
    (before,) = store.history.panels(INDEX, after(27), 28)
    held = room()
    store.history.roll_over(after(0))
    (folded,) = store.history.panels(INDEX, after(27), 28)
    assert np.allclose(before.installers, folded.installers, rtol=0.003)
    assert np.array_equal(before.classes, folded.classes)
    assert room() < held
    settled = room()
    store.history.roll_over(after(0))
    assert room() == settled
    load(store, after(1), dict.fromkeys(names, 7.0))  # counts change, the settled mix does not
    (again,) = store.history.panels(INDEX, after(27), 28)
    assert (again.classes[:, 1] == 7).all()
    assert np.array_equal(again.installers, folded.installers)


def test_weeks_that_are_not_whole_are_not_settled(store: Store) -> None:
    for n in range(28):
        if n != 3:
            load(store, after(n), {FOO: 10})
    store.history.roll_over(after(0))
    load(store, after(3), {FOO: 80})
    assert panel(store, FOO, after(27), 28).installers[0, :2, 0] == pytest.approx(
        [140, 70], rel=0.003
    )


def movement(first_day: date, weeks: int) -> Movement:
    days = np.linspace(-1, 1, 7 * weeks, dtype=np.float32)
    return Movement(
        first_day=first_day,
        consumers=days,
        installers=np.full((weeks, 6), 0.25, np.float32),
        regions=np.full((weeks, 12), -0.5, np.float32),
        version_ages=np.full((weeks, 4), NAN, np.float32),
    )


def test_the_movement_of_the_index_comes_back_and_what_it_lacks_stays(store: Store) -> None:
    saved = movement(MONDAY, 3)
    saved.consumers[4] = NAN
    store.history.save_movement(INDEX, saved)
    found = store.history.movement(INDEX, MONDAY, 23)
    assert isinstance(found, Movement)
    assert np.array_equal(found.consumers[:21], saved.consumers, equal_nan=True)
    assert np.isnan(found.consumers[21:]).all()
    assert found.installers.tolist() == saved.installers.tolist()
    assert found.regions.shape == (3, 12)
    assert np.isnan(found.version_ages).all()
    lacking = movement(MONDAY, 1)
    lacking.consumers[:] = NAN
    lacking.consumers[4] = 0.5
    store.history.save_movement(INDEX, lacking)
    again = store.history.movement(INDEX, MONDAY, 7)
    assert isinstance(again, Movement)
    assert again.consumers[4] == 0.5
    assert again.consumers[3] == saved.consumers[3]


def test_movement_is_kept_by_weeks_from_monday(store: Store) -> None:
    store.history.save_movement(INDEX, movement(MONDAY, 1))
    with pytest.raises(ValueError, match="Monday"):
        store.history.movement(INDEX, after(1), 7)
    with pytest.raises(ValueError, match="Monday"):
        store.history.save_movement(INDEX, movement(after(1), 1))


def test_a_damaged_tile_is_told_and_no_history(store: Store) -> None:
    load(store, MONDAY, {FOO: 5})
    for damage in (b"nonsense", b""):
        spoil = update(history_tiles).values(codes=damage)
        store.writer.wait(partial(Connection.execute, statement=spoil))
        with pytest.raises(StoreFailed, match="store-corrupt"):
            store.history.panel(INDEX, FOO, MONDAY)


def test_a_full_disk_is_told_and_nothing_is_half_written(file: Path, clock: Clock) -> None:
    store = open_store(file, clock)
    load(store, MONDAY, {FOO: 5})
    pages = store.writer.wait(lambda to: to.exec_driver_sql("PRAGMA page_count").scalar_one())
    store.writer.wait(lambda to: to.exec_driver_sql(f"PRAGMA max_page_count = {pages}"))
    names = [NormalizedName(f"project-{n}") for n in range(3000)]
    with pytest.raises(StoreFailed, match="store-full"):
        load(store, after(1), dict.fromkeys(names, 7.0))
    assert by_day(panel(store, FOO, after(1), 2)) == [5]
    store.writer.wait(lambda to: to.exec_driver_sql("PRAGMA max_page_count = 1000000"))
    load(store, after(1), dict.fromkeys(names, 7.0))
    assert by_day(panel(store, names[2999], after(1), 2)) == [0, 7]
    store.close()


def test_a_store_without_history_does_not_load_numpy(file: Path) -> None:
    script = (
        "import sys, datetime, indexgate.store.database as d;"
        "store = d.open_store(sys.argv[1], lambda: datetime.datetime.now(datetime.UTC));"
        "today = datetime.date.today(); store.history.note_born('index', {'demo': today});"
        "store.history.panel('index', 'demo', today); store.history.roll_over(); store.close();"
        "print('numpy' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(file)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_many_tiles_read_at_once_are_what_each_alone_is() -> None:
    random = np.random.default_rng(1)
    tiles = [random.integers(0, 60_000, (32, 7, 5)).astype(np.uint16) for _ in range(4)]
    packed = [pack(tile.reshape(32, -1)) for tile in tiles]
    together = unpack_all(packed, np.uint16, 32)
    alone = [unpack(one, np.uint16, 32, slice(None)) for one in packed]
    assert np.array_equal(together, np.concatenate(alone))
    with pytest.raises(ValueError, match="equally much"):
        unpack_all([*packed, pack(tiles[0][:, :1].reshape(32, -1))], np.uint16, 32)
