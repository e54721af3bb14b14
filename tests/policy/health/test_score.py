import subprocess
import sys
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from indexgate_policy.advisories import Advisories, Advisory, Range
from indexgate_policy.flags import Severity
from indexgate_policy.health import score as module
from indexgate_policy.health.definition import NEUTRAL, Dimension, Input, Reading
from indexgate_policy.health.facts import Facts
from indexgate_policy.health.open_advisories import OpenAdvisories
from indexgate_policy.health.result import HealthScore, Line, grade
from indexgate_policy.health.score import DIMENSIONS, score, with_advisories
from indexgate_policy.signal_table import BY_NAME, SIGNALS, SignalKind
from indexgate_policy.signals import Signals, Unknown, Value
from tests.policy.checks.cases import NOW, UNTOLD, case_of
from tests.policy.health.packages import load, release

DAY = timedelta(days=1)
PACKAGES = load()
FLASK = next(one for one in PACKAGES if one.case.project.name == "flask")
INPUTS = [each for dimension in DIMENSIONS for each in dimension.inputs]
CLEAN = Advisories(records=(), feed=NOW)


def vulnerability(
    number: int = 1,
    severity: Severity | Unknown = Severity.HIGH,
    published: datetime | None = NOW - 10 * DAY,
) -> Advisory:
    return Advisory(
        id=f"EXAMPLE-{number}",
        kind="vulnerability",
        severity=severity,
        summary="an example",
        ranges=(Range(introduced="0"),),
        published=published,
    )


def line(scored: HealthScore, name: str) -> Line:
    return next(line for line in scored.lines if line.input == name)


def _value_of(kind: SignalKind) -> st.SearchStrategy[Value | Unknown]:
    by_type: dict[str, st.SearchStrategy[Value]] = {
        "number": st.one_of(st.floats(), st.integers(-10, 10**9)),
        "text": st.text(max_size=9),
        "texts": st.lists(st.text(max_size=9), max_size=3).map(tuple),
        "truth": st.booleans(),
        "day": st.one_of(
            st.dates(max_value=NOW.date()).map(lambda day: day.isoformat()), st.text(max_size=12)
        ),
    }
    anything = st.one_of(*by_type.values())
    unknown = st.just(Unknown(reason="it was not asked for"))
    return st.one_of(by_type[kind.type], by_type[kind.type], unknown, anything)


ANY_SIGNALS = st.fixed_dictionaries({}, optional={k.name: _value_of(k) for k in SIGNALS})
ANY_RELEASES = st.lists(
    st.tuples(st.integers(0, 6000), st.sampled_from(["", "w", "s", "ws"]), st.integers(0, 10**6)),
    max_size=5,
)
ANY_ADVISORIES = st.one_of(
    st.just(UNTOLD),
    st.builds(
        Advisories,
        records=st.lists(
            st.builds(
                vulnerability,
                st.integers(1, 5),
                st.sampled_from([*Severity, UNTOLD]),
                st.sampled_from([None, NOW - 400 * DAY, NOW]),
            ),
            max_size=5,
        ).map(tuple),
        feed=st.sampled_from([NOW, NOW - 100 * DAY, UNTOLD]),
    ),
)


@pytest.mark.parametrize(
    "each",
    [each for each in INPUTS if each.signals and not each.of_page],
    ids=lambda each: each.name,
)
def test_without_its_signals_an_input_is_unknown_unless_the_page_tells(each: Input) -> None:
    for package in PACKAGES:
        others = (one for one in package.case.signals.values() if one.name not in each.signals)
        facts = Facts(replace(package.case, signals=Signals(others)), CLEAN)
        assert each.read(facts).value is None
        gone = dict.fromkeys(each.signals, UNTOLD)
        assert each.read(Facts(package.with_signals(**gone).case, CLEAN)).value is None


@given(
    ANY_SIGNALS,
    ANY_RELEASES,
    ANY_ADVISORIES,
    st.sampled_from(["active", "archived", "quarantined", "deprecated", "new-word"]),
    st.one_of(st.just(UNTOLD), st.integers(0, 6000).map(lambda days: NOW - days * DAY)),
)
def test_points_add_up_whatever_the_facts_are(
    signals: dict[str, Value | Unknown],
    releases: list[tuple[int, str, int]],
    advisories: Advisories | Unknown,
    status: str,
    first_upload: datetime | Unknown,
) -> None:
    case = case_of(signals=signals, status=status, first_upload=first_upload)
    made = tuple(
        release(case.project, f"1.{number}", NOW - days * DAY, files=files, size=size)
        for number, (days, files, size) in enumerate(releases)
    )
    scored = score(replace(case, releases=made), advisories)
    assert sum(line.points for line in scored.lines) == pytest.approx(scored.uncapped, abs=1e-6)
    assert sum(line.most for line in scored.lines) == pytest.approx(100, abs=1e-6)
    assert scored.value == min([scored.uncapped, *(cap.limit for cap in scored.caps)])
    assert 0 <= scored.value <= scored.uncapped <= 100
    assert 0 <= scored.confidence <= 1
    assert scored.grade == grade(scored.value)
    for each in scored.lines:
        assert 0 <= each.points <= each.most
        assert each.evidence
        assert not each.evidence.startswith("the input failed")
        if not each.known:
            assert each.points == pytest.approx(NEUTRAL * each.most)


@given(st.lists(st.sampled_from(list(Severity)), max_size=6))
def test_one_more_high_advisory_never_raises_a_score(severities: list[Severity]) -> None:
    records = tuple(
        vulnerability(number, each, FLASK.case.now - 100 * DAY)
        for number, each in enumerate(severities)
    )
    before = score(FLASK.case, Advisories(records=records, feed=FLASK.case.now))
    one_more = (*records, vulnerability(99, Severity.HIGH, FLASK.case.now - 100 * DAY))
    after = score(FLASK.case, Advisories(records=one_more, feed=FLASK.case.now))
    assert after.value <= before.value
    assert after.uncapped <= before.uncapped


def test_nothing_known_is_40_exactly_and_without_confidence() -> None:
    case = case_of(first_upload=UNTOLD, signals={})
    scored = score(case)
    assert scored.uncapped == pytest.approx(40, abs=1e-9)
    assert scored.confidence == 0
    assert scored.caps == ()
    assert not any(line.known for line in scored.lines)


def test_a_missing_signal_says_why_it_is_missing() -> None:
    case = case_of(signals={"stars": Unknown(reason="the host answered 503")})
    assert line(score(case), "stars").evidence == "the host answered 503"
    assert line(score(case), "forks").evidence == "forks has not been observed yet"


@pytest.mark.parametrize(
    ("value", "expected"),
    [(100, "A"), (75, "A"), (74.9, "B"), (60, "B"), (59.9, "C"), (45, "C"), (44.9, "D"),
     (30, "D"), (29.9, "E"), (0, "E")],
)  # fmt: skip
def test_grades_begin_at_their_bounds(value: float, expected: str) -> None:
    assert grade(value) == expected


def test_weights_add_up_to_one_in_all_and_in_each_dimension() -> None:
    assert sum(dimension.weight for dimension in DIMENSIONS) == pytest.approx(1)
    for dimension in DIMENSIONS:
        assert sum(each.weight for each in dimension.inputs) == pytest.approx(1)


def test_names_of_inputs_are_unique_and_their_signals_are_in_the_table() -> None:
    assert len({each.name for each in INPUTS}) == len(INPUTS)
    for each in INPUTS:
        assert BY_NAME.keys() >= set(each.signals)
        assert all((each.says, each.computes, each.source))


def test_facts_that_grow_old_lower_the_confidence_and_not_the_score() -> None:
    def seen(days: int) -> HealthScore:
        at = FLASK.case.now - days * DAY
        aged = Signals(replace(s, observed_at=at) for s in FLASK.case.signals.values())
        return score(replace(FLASK.case, signals=aged), FLASK.advisories)

    fresh, month = seen(0), seen(30)
    assert month.value == fresh.value
    assert fresh.confidence == pytest.approx(1)
    # What the page tells itself is as fresh as the page: 22 points of the hundred.
    from_the_page = sum(
        line.most for line, each in zip(fresh.lines, INPUTS, strict=True) if not each.signals
    )
    assert 100 * month.confidence >= from_the_page + (100 - from_the_page) / 2
    assert seen(300).confidence < month.confidence < fresh.confidence


def test_the_day_of_the_log_counts_as_the_age_of_downloads() -> None:
    def until(days: int) -> float:
        day = (FLASK.case.now - days * DAY).date().isoformat()
        return score(FLASK.with_signals(downloads_until=day).case, FLASK.advisories).confidence

    assert until(60) < until(1)


def test_an_old_feed_lowers_the_confidence() -> None:
    old = replace(FLASK.advisories, feed=FLASK.case.now - 30 * DAY)
    loss = score(FLASK.case, FLASK.advisories).confidence - score(FLASK.case, old).confidence
    assert loss == pytest.approx(0.22 * 0.35 / 2)


def test_an_input_that_fails_is_unknown_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(facts: Facts) -> Reading:
        raise ZeroDivisionError("no such thing\nand more")

    each = Input(name="broken", weight=1, says="", computes="", source="", read=broken)
    dimension = Dimension(name="broken", weight=1, why="", inputs=(each,))
    monkeypatch.setattr(module, "DIMENSIONS", (dimension,))
    scored = score(case_of())
    assert scored.lines[0].evidence == "the input failed: ZeroDivisionError no such thing"
    assert not scored.lines[0].known
    assert scored.uncapped == pytest.approx(40)


def test_scoring_loads_no_numpy() -> None:
    code = "import sys, indexgate_policy.health.score; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.label)
def test_an_advisory_since_then_lowers_a_stored_score_as_a_new_one_would(package: object) -> None:
    one = next(p for p in PACKAGES if p is package)
    now = one.case.now
    stored = score(one.case, one.advisories)
    since = replace(
        one.advisories,
        records=(*one.advisories.records, vulnerability(77, Severity.HIGH, now - 100 * DAY)),
    )
    again = score(one.case, since)
    opened = Facts(one.case, since).advisories
    lowered = with_advisories(stored, opened, now)
    assert lowered.value <= stored.value
    # What hangs on being finished waits for the next assessment.
    assert lowered.value == pytest.approx(again.value, abs=5)
    if not isinstance(Facts(one.case, one.advisories).finished, float):
        assert lowered.value == pytest.approx(again.value)


def test_malware_since_then_makes_a_stored_score_nothing() -> None:
    opened = OpenAdvisories(version="1.0", malware=("MAL-1",), feed=FLASK.case.now)
    lowered = with_advisories(score(FLASK.case, FLASK.advisories), opened, FLASK.case.now)
    assert lowered.value == 0
    assert lowered.grade == "E"
    assert lowered.caps[0].reason == "1.0 is reported as malware (MAL-1)"


def test_a_feed_that_cannot_be_read_leaves_a_stored_score_as_it_is() -> None:
    stored = score(FLASK.case, FLASK.advisories)
    assert with_advisories(stored, UNTOLD, FLASK.case.now) is stored


def test_a_stored_score_is_not_raised_when_an_advisory_is_withdrawn() -> None:
    records = (vulnerability(1, Severity.HIGH, FLASK.case.now - 100 * DAY),)
    stored = score(FLASK.case, Advisories(records=records, feed=FLASK.case.now))
    nothing = OpenAdvisories(version="1.0", feed=FLASK.case.now)
    assert with_advisories(stored, nothing, FLASK.case.now) == stored


def test_a_repeated_cap_is_not_said_twice() -> None:
    records = (vulnerability(1, Severity.HIGH, FLASK.case.now - 100 * DAY),)
    stored = score(FLASK.case, Advisories(records=records, feed=FLASK.case.now))
    opened = Facts(FLASK.case, Advisories(records=records, feed=FLASK.case.now)).advisories
    assert with_advisories(stored, opened, FLASK.case.now).caps == stored.caps
    assert len(stored.caps) == 1


def test_signals_of_the_wrong_type_are_unknown() -> None:
    wrong: dict[str, Value | Unknown] = {"stars": "many", "forks": True, "scorecard": float("nan")}
    scored = score(case_of(signals=wrong), CLEAN)
    for name in ("stars", "forks", "scorecard"):
        assert not line(scored, name).known
        assert "other than a number" in line(scored, name).evidence


@pytest.mark.parametrize(
    "kind", [kind for kind in SIGNALS if kind.type == "number"], ids=lambda kind: kind.name
)
def test_a_number_beyond_all_counting_is_an_unknown_one(kind: SignalKind) -> None:
    case, told = (
        FLASK.with_signals(**{kind.name: value}).case for value in (10**400, Unknown(reason="so"))
    )
    assert score(case, CLEAN).value == score(told, CLEAN).value
