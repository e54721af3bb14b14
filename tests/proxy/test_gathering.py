"""Questions that come together share a request."""

import asyncio

import pytest
from packaging.utils import NormalizedName

from indexgate.gathering import Gathered
from indexgate.sources.protocol import Asked, SourceFailed
from indexgate_policy.signals import Signal
from tests.proxy.sources_said import NOW, SaidInBatches, failed


async def _ask(gathered: Gathered, *names: str) -> list[tuple[Signal, ...] | BaseException]:
    return await asyncio.gather(
        *(gathered.signals(Asked(project=NormalizedName(name)), NOW) for name in names),
        return_exceptions=True,
    )


async def test_questions_of_one_moment_are_one_request() -> None:
    source = SaidInBatches("github", {"stars": 5})
    answers = await _ask(Gathered(source), "a", "b")
    assert source.batches == [["a", "b"]]
    assert [[signal.value for signal in one] for one in answers if isinstance(one, tuple)] == [
        [5],
        [5],
    ]


async def test_a_request_names_no_more_than_the_source_takes() -> None:
    source = SaidInBatches("github", {"stars": 5})
    await _ask(Gathered(source), *"abcde")
    assert source.batches == [["a", "b", "c"], ["d", "e"]]


async def test_a_question_that_stays_alone_is_asked_as_one() -> None:
    source = SaidInBatches("github", {"stars": 5})
    gathered = Gathered(source, linger=0)
    await _ask(gathered, "a")
    await _ask(gathered, "b")
    assert (source.batches, source.names) == ([], ["a", "b"])
    assert gathered.about == source.about


async def test_a_failure_reaches_all_who_shared_the_request() -> None:
    source = SaidInBatches("github", {"stars": 5}, failures=[failed()])
    answers = await _ask(Gathered(source), "a", "b")
    assert all(isinstance(answer, SourceFailed) for answer in answers)


async def test_a_project_that_the_answer_leaves_out_is_a_failure_of_its_own() -> None:
    source = SaidInBatches("github", {"stars": 5}, left_out="b")
    sound, left_out = await _ask(Gathered(source), "a", "b")
    assert isinstance(sound, tuple)
    assert isinstance(left_out, SourceFailed)
    assert left_out.kind == "garbage"


async def test_who_gives_up_does_not_take_the_answer_from_the_others() -> None:
    source = SaidInBatches("github", {"stars": 5})
    gathered = Gathered(source)
    impatient = asyncio.create_task(gathered.signals(Asked(project=NormalizedName("a")), NOW))
    patient = asyncio.create_task(gathered.signals(Asked(project=NormalizedName("b")), NOW))
    await asyncio.sleep(0)
    impatient.cancel()
    assert [signal.value for signal in await patient] == [5]
    with pytest.raises(asyncio.CancelledError):
        await impatient
