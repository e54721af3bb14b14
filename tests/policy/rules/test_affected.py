from hypothesis import given
from hypothesis import strategies as st

from indexgate_policy.advisories import Advisory, Range
from indexgate_policy.rules.affected import Affected
from indexgate_policy.signals import Unknown
from tests.policy.rules.facts import file, vulnerability

VERSIONS = ["0.1", "1.0", "1.0.0", "1.0rc1", "1.5", "2.0", "2.0.post1", "10!1", "2004d", "junk"]
texts = st.sampled_from(VERSIONS)
ranges = st.builds(
    Range,
    introduced=st.just("0") | texts,
    fixed=st.none() | texts,
    last_affected=st.none() | texts,
)
records = st.lists(
    st.builds(
        lambda versions, spans: vulnerability(versions=tuple(versions), ranges=tuple(spans)),
        st.lists(texts, max_size=3),
        st.lists(ranges, max_size=3),
    ),
    max_size=4,
).map(lambda found: [_numbered(record, number) for number, record in enumerate(found)])


def _numbered(record: Advisory, number: int) -> Advisory:
    return vulnerability(id=f"V-{number}", versions=record.versions, ranges=record.ranges)


@given(records)
def test_the_answers_are_those_of_each_advisory(found: list[Advisory]) -> None:
    affected = Affected(tuple(found))
    for text in VERSIONS:
        got = {record.id: answer for record, answer in affected.by(file(version=text))}
        each = {record.id: record.affects(text) for record in found}
        wanted = {name: answer for name, answer in each.items() if answer is not False}
        assert {name: isinstance(answer, Unknown) for name, answer in got.items()} == {
            name: isinstance(answer, Unknown) for name, answer in wanted.items()
        }


def test_the_fix_is_found_however_it_is_spelled() -> None:
    record = vulnerability(ranges=(Range(introduced="0", fixed="2.0"),))
    affected = Affected((record,))
    assert affected.fixed_by(file(version="2.0.0")) is record
    assert affected.fixed_by(file(version="2.0.1")) is None
