from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from indexgate_policy.version_order import is_final, order
from tests.policy.rules.facts import release

numbers = st.integers(0, 3)
versions = st.builds(
    lambda epoch, release, pre, post, dev, local: (
        epoch + ".".join(map(str, release)) + pre + post + dev + local
    ),
    st.sampled_from(["", "", "0!", "1!"]),
    st.lists(numbers, min_size=1, max_size=4),
    st.just("") | st.builds("{}{}".format, st.sampled_from(["a", "b", "rc"]), numbers),
    st.just("") | numbers.map(".post{}".format),
    st.just("") | numbers.map(".dev{}".format),
    st.just("") | st.sampled_from(["+a", "+1", "+a.1", "+1.a", "+10", "+a.b"]),
) | st.lists(numbers, min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))


@given(versions, versions)
def test_the_order_is_that_of_the_versions(left: str, right: str) -> None:
    one, other = order(release(left)), order(release(right))
    assert one is not None
    assert other is not None
    assert (one < other) is (Version(left) < Version(right))
    assert (one == other) is (Version(left) == Version(right))


@given(versions)
def test_a_version_is_final_when_it_is_no_pre_release(text: str) -> None:
    place = order(release(text))
    assert place is not None
    assert is_final(place) is not Version(text).is_prerelease


def test_what_is_not_pep_440_has_no_order() -> None:
    for text in ("2004d", "", "1.", "1..2", "\u0661.2.x", "1.2-dirty"):
        assert order(release(text)) is None


def test_huge_numbers_are_numbers() -> None:
    assert order(release(f"1.{10**30}")) == (0, (1, 10**30), *order(release("1.0"))[2:])  # type: ignore[index]
