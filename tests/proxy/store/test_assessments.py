from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from packaging.utils import NormalizedName
from sqlalchemy import func, select, update

from indexgate.store.database import Store, open_store
from indexgate.store.schema import assessments as table
from indexgate_policy.assessment import Assessment
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.health.result import Cap, HealthScore, Line
from indexgate_policy.signals import Signal, Unknown
from tests.proxy.store.conftest import Clock

INDEX = "0" * 64
FOO = NormalizedName("foo")
BAR = NormalizedName("bar")
THEN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def assessment(
    project: NormalizedName = FOO, *, formula: str = "1", valid_until: datetime = THEN
) -> Assessment:
    return Assessment(
        index_id=INDEX,
        project=project,
        formula=formula,
        inputs=(
            Signal(name="owners", value=("ada", "bob"), source="json", observed_at=THEN),
            Signal(name="stars", value=Unknown(reason="off"), source="git", observed_at=THEN),
        ),
        flags=(
            Flag(
                check="typosquat",
                severity=Severity.HIGH,
                evidence="looks like `fob`",
                facts={"imitates": "fob", "rank": 3, "alike": 0.9, "same_owner": False},
                began=THEN,
            ),
        ),
        assessed_at=THEN,
        valid_until=valid_until,
    )


async def test_an_assessment_comes_back_as_it_went_in(store: Store) -> None:
    await store.assessments.save(assessment())
    assert store.assessments.current(INDEX, FOO) == assessment()


async def test_an_assessment_outlives_the_process(file: Path, clock: Clock) -> None:
    first = open_store(file, clock)
    await first.assessments.save(assessment())
    first.close()
    second = open_store(file, clock)
    assert second.assessments.current(INDEX, FOO) == assessment()
    second.close()


async def test_indexes_do_not_see_each_other(store: Store) -> None:
    await store.assessments.save(assessment())
    assert store.assessments.current("1" * 64, FOO) is None
    assert store.assessments.in_force_since("1" * 64, FOO, THEN) is None


moments = st.timedeltas(timedelta(days=-700_000), timedelta(days=2_900_000)).map(
    lambda distance: THEN + distance
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.one_of(
    st.booleans(),
    st.integers(min_value=-(2**63), max_value=2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
    st.lists(texts, max_size=3).map(tuple),
)
signals = st.builds(
    Signal,
    name=texts,
    value=st.one_of(values, st.builds(Unknown, reason=texts)),
    source=texts,
    observed_at=moments,
)
finite = st.floats(allow_nan=False, allow_infinity=False)
scores = st.builds(
    HealthScore,
    formula=texts,
    value=finite,
    uncapped=finite,
    confidence=finite,
    grade=st.sampled_from(["A", "E"]),
    lines=st.lists(
        st.builds(
            Line,
            dimension=texts,
            input=texts,
            points=finite,
            most=finite,
            known=st.booleans(),
            evidence=texts,
        ),
        max_size=3,
    ).map(tuple),
    caps=st.lists(st.builds(Cap, limit=finite, reason=texts), max_size=2).map(tuple),
)
flags = st.builds(
    Flag,
    check=texts,
    severity=st.sampled_from(Severity),
    evidence=texts,
    facts=st.dictionaries(texts, values, max_size=3).map(lambda d: dict(sorted(d.items()))),
    versions=st.lists(texts, max_size=3).map(tuple),
    began=st.none() | moments,
    ends=st.none() | moments,
    explained=st.floats(0, 1),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    inputs=st.lists(signals, max_size=3).map(tuple),
    found=st.lists(flags, max_size=3).map(tuple),
    score=st.one_of(scores, st.builds(Unknown, reason=texts)),
    at=moments,
    until=moments,
)
async def test_any_assessment_comes_back_as_it_went_in(
    store: Store,
    *,
    inputs: tuple[Signal, ...],
    found: tuple[Flag, ...],
    score: HealthScore | Unknown,
    at: datetime,
    until: datetime,
) -> None:
    saved = Assessment(
        index_id=INDEX,
        project=FOO,
        formula="1",
        inputs=inputs,
        flags=found,
        score=score,
        assessed_at=at,
        valid_until=until,
    )
    await store.assessments.save(saved)
    back = store.assessments.current(INDEX, FOO)
    assert back == saved
    assert repr(back) == repr(saved)  # 1, 1.0 and True are equal, and not the same


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
async def test_a_number_that_is_none_is_stored_as_unknown(store: Store, value: float) -> None:
    signal = Signal(name="share", value=value, source="stats", observed_at=THEN)
    saved = Assessment(
        index_id=INDEX,
        project=FOO,
        formula="1",
        inputs=(signal,),
        flags=(),
        assessed_at=THEN,
        valid_until=THEN,
    )
    await store.assessments.save(saved)
    back = store.assessments.current(INDEX, FOO)
    assert back is not None
    assert back.inputs[0].value == Unknown(reason="stats gave no finite number")


async def test_the_newest_assessment_is_in_force(store: Store, clock: Clock) -> None:
    await store.assessments.save(assessment(formula="old"))
    clock.pass_by(timedelta(minutes=1))
    await store.assessments.save(assessment(formula="new"))
    current = store.assessments.current(INDEX, FOO)
    assert current is not None
    assert current.formula == "new"


async def test_what_was_to_be_saved_soon_does_not_take_the_place_of_what_is_newer(
    store: Store,
) -> None:
    later = replace(assessment(formula="new"), assessed_at=THEN + timedelta(seconds=30))
    await store.assessments.save(later)  # as another process may, before the row is written
    store.assessments.save_soon(assessment(formula="old"))
    store.assessments.save_soon(assessment(BAR, formula="old"))
    await store.assessments.saved()
    found = [store.assessments.current(INDEX, name) for name in (FOO, BAR)]
    assert [one.formula for one in found if one is not None] == ["new", "old"]


async def test_for_the_grace_the_oldest_in_force_since_then_is_found(
    store: Store, clock: Clock
) -> None:
    start = clock.now
    for formula in ("a", "b", "c"):  # in force from minute 0, 10 and 20
        await store.assessments.save(assessment(formula=formula))
        clock.pass_by(timedelta(minutes=10))

    def since(minute: float) -> str | None:
        moment = start + timedelta(minutes=minute)
        found = store.assessments.in_force_since(INDEX, FOO, moment)
        return None if found is None else found.formula

    assert [since(m) for m in (-5, 0, 9.9, 10, 19.9, 20, 99)] == list("aaabbcc")


LINE = Line(dimension="d", input="i", points=1.5, most=2, known=True, evidence="because")
SCORE = HealthScore(
    formula="hs-1", value=61.5, uncapped=61.5, confidence=0.7, grade="B", lines=(LINE,)
)


async def test_a_verdict_gets_the_score_without_its_lines(store: Store) -> None:
    await store.assessments.save(replace(assessment(), score=SCORE))
    brief = store.assessments.current(INDEX, FOO, lines=False)
    whole = store.assessments.current(INDEX, FOO)
    earlier = store.assessments.in_force_since(INDEX, FOO, THEN)
    assert brief is not None
    assert whole is not None
    assert brief.score == replace(SCORE, lines=())
    assert whole.score == SCORE
    assert earlier == brief


async def test_an_assessment_from_before_there_were_scores_has_none(store: Store) -> None:
    await store.assessments.save(assessment())
    store.writer.wait(lambda to: to.execute(update(table).values(score=None, score_lines=None)))
    found = store.assessments.current(INDEX, FOO)
    assert found is not None
    assert isinstance(found.score, Unknown)


async def test_many_assessments_are_saved_at_once(store: Store, clock: Clock) -> None:
    names = [NormalizedName(f"project-{n}") for n in range(450)]
    await store.assessments.save(assessment(names[7], formula="old"))
    clock.pass_by(timedelta(minutes=1))
    many = (replace(assessment(name), score=SCORE) for name in names)
    assert store.assessments.save_many(many) == 450
    for name in (names[0], names[7], names[449]):
        found = store.assessments.current(INDEX, name)
        assert found == replace(assessment(name), score=SCORE)
    before = store.assessments.in_force_since(INDEX, names[7], clock.now - timedelta(minutes=1))
    assert before is not None
    assert before.formula == "old"


async def test_the_last_of_several_assessments_of_one_project_is_in_force(store: Store) -> None:
    store.assessments.save_many([assessment(formula="a"), assessment(formula="b")])
    found = store.assessments.current(INDEX, FOO)
    assert found is not None
    assert found.formula == "b"


async def test_what_was_saved_before_the_source_failed_stays(store: Store) -> None:
    def failing() -> Iterator[Assessment]:
        for n in range(650):
            yield assessment(NormalizedName(f"project-{n}"))
        raise ValueError("cut off")

    with pytest.raises(ValueError, match="cut off"):
        store.assessments.save_many(failing())
    assert store.assessments.current(INDEX, NormalizedName("project-499")) is not None


async def test_superseded_assessments_go_after_a_day(store: Store, clock: Clock) -> None:
    def stored(project: NormalizedName) -> int:
        count = select(func.count()).where(table.c.project == project)
        return int(store.writer.wait(lambda to: to.execute(count).scalar_one()))

    for project in (FOO, BAR):
        await store.assessments.save(assessment(project))
        await store.assessments.save(assessment(project))
    assert (stored(FOO), stored(BAR)) == (2, 2)
    now = clock.pass_by(timedelta(hours=25))
    await store.assessments.save(assessment(FOO))
    assert (stored(FOO), stored(BAR)) == (2, 2)  # of FOO one went and one came
    assert await store.assessments.prune(now) == 1
    assert (stored(FOO), stored(BAR)) == (2, 1)
    assert store.assessments.current(INDEX, BAR) is not None


async def test_what_is_due_for_longest_comes_first_and_of_its_own_index_only(
    store: Store, clock: Clock
) -> None:
    names = [NormalizedName(name) for name in ("never", "a-stale", "older", "fresh", "unasked")]
    never, stale, older, fresh, unasked = names
    now = clock.now
    await store.assessments.save(assessment(stale, valid_until=now))
    await store.assessments.save(assessment(older, valid_until=now - timedelta(hours=1)))
    await store.assessments.save(assessment(fresh, valid_until=now + timedelta(seconds=1)))
    await store.assessments.save(assessment(unasked, valid_until=now))
    store.projects.seen(INDEX, stale, now - timedelta(minutes=2))
    store.projects.seen(INDEX, never, now - timedelta(minutes=1))
    store.projects.seen(INDEX, older, now - timedelta(minutes=3))
    store.projects.seen(INDEX, fresh, now)
    store.projects.seen("another index", NormalizedName("foreign"), now)
    await store.writer.commit(lambda _to: None)
    assert store.assessments.due(INDEX, now, 10) == [never, older, stale]
    assert store.assessments.due(INDEX, now, 2) == [never, older]
    recent = now - timedelta(seconds=150)
    assert store.assessments.due(INDEX, now, 10, asked_since=recent) == [never, stale]


async def test_a_row_that_cannot_be_read_is_as_good_as_none(store: Store) -> None:
    await store.assessments.save(assessment())
    broken = "UPDATE assessments SET flags = '{}'"  # as another release may have written it
    await store.writer.commit(lambda to: to.exec_driver_sql(broken))
    assert store.assessments.current(INDEX, FOO) is None
