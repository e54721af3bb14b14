from packaging.utils import canonicalize_name

from indexgate.sources import popular


def test_the_bundled_list_is_normalised_ordered_and_dated() -> None:
    rows = list(popular.read())
    assert len(rows) == 15_000
    assert [name for name, _ in rows] == [canonicalize_name(name) for name, _ in rows]
    downloads = [count for _, count in rows]
    assert downloads == sorted(downloads, reverse=True)
    assert downloads[-1] > 0
    assert popular.counted_on() == popular.AS_OF == popular.load().as_of


def test_the_list_knows_its_names_and_what_resembles_them() -> None:
    names = popular.load()
    assert names.rank(canonicalize_name("boto3")) == 1
    assert names.rank(canonicalize_name("nobody-has-this-name")) is None
    found = names.lookalike(canonicalize_name("reqeusts"))
    assert found is not None
    assert found.imitates == "requests"
    assert found.confusability > 0.9


def test_the_same_list_is_given_each_time() -> None:
    assert popular.load() is popular.load()
