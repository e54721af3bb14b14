"""What a client is likely to ask for next, and how far ahead of it that is fetched."""

from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName

from indexgate.prefetch.line import A_MINUTE, AHEAD, DEEPEST, IDLE, Line, Step
from indexgate.prefetch.requirements import Need

ROOT = NormalizedName("root")


def name(number: int) -> NormalizedName:
    return NormalizedName(f"project-{number}")


def need(project: str, versions: str = "", *extras: str) -> Need:
    return Need(
        project=NormalizedName(project), versions=SpecifierSet(versions), extras=frozenset(extras)
    )


def begun() -> Line:
    line = Line(0.0)
    line.add(Step(project=ROOT))
    assert line.next(0.0) == Step(project=ROOT)
    return line


def taken(line: Line, now: float = 0.0) -> list[str]:
    found: list[str] = []
    while (step := line.next(now)) is not None:
        found.append(step.project)
    return found


def test_the_nearest_come_first_and_each_once() -> None:
    line = begun()
    line.needed(Step(project=ROOT), [need("a"), need("b")])
    line.needed(Step(project=NormalizedName("x"), depth=4), [need("far"), need("a")])
    line.needed(Step(project=NormalizedName("y"), depth=1), [need("c"), need("b"), need("root")])
    assert taken(line) == ["a", "b", "c", "far"]


def test_it_waits_for_a_client_that_does_not_follow() -> None:
    line = begun()
    line.needed(Step(project=ROOT), [need(name(number)) for number in range(AHEAD + 5)])
    assert len(taken(line)) == AHEAD
    line.asked(name(0), 1.0)
    line.asked(name(1), 1.0)
    assert taken(line, 1.0) == [name(AHEAD), name(AHEAD + 1)]


def test_what_was_no_use_holds_up_nothing() -> None:
    line = begun()
    line.needed(Step(project=ROOT), [need(name(number)) for number in range(AHEAD + 1)])
    taken(line)
    line.useless(name(0))
    assert taken(line) == [name(AHEAD)]


def test_what_the_client_has_asked_for_itself_is_not_waited_for() -> None:
    line = begun()
    for number in range(AHEAD + 5):
        line.asked(name(number), 0.0)
    line.needed(Step(project=ROOT), [need(name(number)) for number in range(AHEAD + 5)])
    assert len(taken(line)) == AHEAD + 5


def test_a_client_that_is_gone_gets_nothing_more() -> None:
    line = begun()
    line.needed(Step(project=ROOT), [need("a")])
    assert line.next(IDLE + 1) is None
    assert line.is_idle(IDLE + 1)
    assert line.clear() == 1
    assert taken(line) == []


def test_no_client_gets_more_than_so_many_in_a_minute() -> None:
    line = begun()
    everything = [name(number) for number in range(A_MINUTE + 2)]
    line.needed(Step(project=ROOT), [need(project) for project in everything])
    for project in everything:
        line.asked(project, 50.0)
    assert len(taken(line, 50.0)) == A_MINUTE
    assert taken(line, 60.0) == [name(A_MINUTE), name(A_MINUTE + 1)]


def test_a_chain_ends_somewhere() -> None:
    line = begun()
    line.needed(Step(project=ROOT, depth=DEEPEST), [need("a")])
    assert taken(line) == []


def test_versions_are_those_that_all_allow_who_are_chosen_now() -> None:
    line = begun()
    line.needed(Step(project=ROOT), [need("a", "<3")])
    line.needed(Step(project=NormalizedName("x")), [need("a", ">=1")])
    assert line.versions(NormalizedName("a")) == SpecifierSet(">=1,<3")
    line.needed(Step(project=ROOT), [need("a", "<2")])  # of another release of it
    assert line.versions(NormalizedName("a")) == SpecifierSet(">=1,<2")
    assert line.versions(ROOT) == SpecifierSet()


def test_an_extra_that_becomes_known_later_is_followed_too() -> None:
    line, project = begun(), NormalizedName("a")
    line.needed(Step(project=ROOT), [need("a")])
    assert taken(line) == ["a"]
    assert line.follow(project, "a-1.0.whl")
    assert not line.follow(project, "a-1.0.whl")
    line.needed(Step(project=NormalizedName("x")), [need("a", "", "socks")])
    assert taken(line) == ["a"]
    assert line.extras(project) == {"socks"}
    assert line.follow(project, "a-1.0.whl")
