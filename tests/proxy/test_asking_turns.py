"""In which order sources are asked."""

from indexgate.asking_turns import turns
from tests.proxy.sources_said import Said

INDEX = Said("project-json", {"repository": "https://github.com/a/b"})
SCORECARD = Said("scorecard", {"score": 7.5}, needs=("repository",))
ALONE = Said("deps-dev", {"dependents": 5})
LAST = Said("last", {"fate": 1}, needs=("score",))


def names(*sources: Said) -> list[list[str]]:
    """Return who is asked in which turn."""
    return [[source.about.name for source in turn] for turn in turns(sources)]


def test_who_needs_nothing_is_asked_at_once_and_who_needs_something_after_it() -> None:
    assert names(LAST, SCORECARD, INDEX, ALONE) == [
        ["project-json", "deps-dev"],
        ["scorecard"],
        ["last"],
    ]


def test_a_need_that_nobody_gives_holds_nobody_up() -> None:
    assert names(SCORECARD, ALONE) == [["scorecard", "deps-dev"]]


def test_those_who_need_each_other_are_asked_together() -> None:
    one, other = Said("one", {"a": 1}, needs=("b",)), Said("other", {"b": 1}, needs=("a",))
    assert names(one, ALONE, other) == [["deps-dev"], ["one", "other"]]


def test_without_sources_there_is_no_turn() -> None:
    assert names() == []
