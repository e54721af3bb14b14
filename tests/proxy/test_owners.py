"""Whose a project is, whatever the indexes answer and when: never a later one's for a failure."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypeAlias, cast

from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import NormalizedName

from indexgate.gate import Gate
from indexgate.index.cached import Freshness
from indexgate.index.protocol import NoSuchProject, UpstreamFailed
from indexgate.namespaces import Namespaces
from indexgate.owner_folder import OwnerFolder
from indexgate.owners import Behind, Owner, Owners
from tests.proxy.web.running import Clock

State: TypeAlias = Literal["has", "lacks", "fails"]
DEMO = NormalizedName("demo")
FRESHNESS = Freshness(ttl=600, max_stale=86_400)


@dataclass
class Index:
    """An index, in place of the gate in front of it: it has the project, lacks it, or fails."""

    index_id: str
    state: State = "lacks"
    asked: int = 0
    index: "Index" = field(init=False)

    def __post_init__(self) -> None:
        self.index = self

    async def snapshot(self, project: NormalizedName) -> None:
        self.asked += 1
        if self.state == "lacks":
            raise NoSuchProject(project)
        if self.state == "fails":
            raise UpstreamFailed("status", "answered with status 500", status=500)


class NothingKept:
    """In place of the folder: nothing outlives the test."""

    def load(self, project: NormalizedName) -> None:
        return None

    def save(self, project: NormalizedName, index_id: str, confirmed_at: datetime) -> None:
        return None

    def forget(self, project: NormalizedName) -> None:
        return None


def owners_of(indexes: list[Index], clock: Clock) -> Owners:
    behind = [
        Behind(
            name=index.index_id,
            url=f"https://{index.index_id}.example.test/",
            gate=cast(Gate, index),
            stored=lambda _project: None,
        )
        for index in indexes
    ]
    return Owners(
        behind,
        Namespaces(()),
        kept=cast(OwnerFolder, NothingKept()),
        freshness=FRESHNESS,
        clock=clock,
        log=lambda _event, _text: None,
    )


async def asked_of(owners: Owners) -> Owner | UpstreamFailed | NoSuchProject:
    try:
        return await owners.of(DEMO)
    except (UpstreamFailed, NoSuchProject) as answer:
        return answer


def first_answer(states: list[State]) -> int | Literal["fails", "lacks"]:
    """Return which index has it when all are asked in order, or what stops that."""
    for at, state in enumerate(states):
        if state != "lacks":
            return at if state == "has" else "fails"
    return "lacks"


STATES = st.lists(st.sampled_from(["has", "lacks", "fails"]), min_size=3, max_size=3)
STEPS = st.lists(st.tuples(STATES, st.sampled_from([3, 599, 601, 90_000])), max_size=12)


@given(steps=STEPS)
async def test_the_owner_is_who_answers_first_or_who_was_known_to(
    steps: list[tuple[list[State], int]],
) -> None:
    indexes, clock = [Index(name) for name in "abc"], Clock()
    owners = owners_of(indexes, clock)
    known: tuple[int, float] | None = None  # who, and when all before it said no
    for states, pause in steps:
        clock.turn(timedelta(seconds=pause))
        now = clock().timestamp()
        for index, state in zip(indexes, states, strict=True):
            index.state = state
        truth = first_answer(states)
        match await asked_of(owners):
            case Owner(index=found, unsure=None):
                at = "abc".index(found.name)
                kept = known is not None and known[0] == at and (not at or now - known[1] < 600)
                assert kept or truth == at
                known = known if kept and known is not None else (at, now)
            case Owner(index=found):
                assert truth == "fails"
                assert known is not None
                assert known[0] == "abc".index(found.name)
                assert now - known[1] <= FRESHNESS.max_stale
            case UpstreamFailed():
                assert truth == "fails"
                assert known is None or now - known[1] > FRESHNESS.max_stale
            case NoSuchProject():
                assert truth == "lacks"
                known = None


async def test_no_index_after_one_that_fails_is_asked() -> None:
    indexes = [Index("a", "fails"), Index("b", "has")]
    assert isinstance(await asked_of(owners_of(indexes, Clock())), UpstreamFailed)
    assert indexes[1].asked == 0
