import json

import httpx
import msgspec
import pytest

from indexgate.errors import GateError
from indexgate.sources.protocol import About, SourceFailed
from indexgate.sources.scorecard import ABOUT
from indexgate.sources.service import Service, part
from indexgate.sources.validators import LARGEST, Held, RecentAnswers
from tests.proxy.sources.asking import budget
from tests.standins.documents import Documents
from tests.standins.faults import Status, redirect

PATH = "/a%2Fb"


class Told(msgspec.Struct):
    word: str


def service(
    asking: httpx.AsyncClient, there: Documents, *, kept: RecentAnswers | None = None
) -> Service:
    spending = budget("scorecard")
    return Service(ABOUT, asking, spending, base=there.origin + "/", answers=kept)


def there(word: str = "yes") -> Documents:
    return Documents({PATH: json.dumps({"word": word}).encode()})


async def test_a_part_of_a_path_stays_one(asking: httpx.AsyncClient) -> None:
    async with there() as running:
        assert (await service(asking, running).json(Told, part("a/b"))).word == "yes"
    assert running.log == [PATH]


async def test_an_answer_that_has_not_changed_is_not_sent_again(
    asking: httpx.AsyncClient,
) -> None:
    kept = RecentAnswers()
    async with there() as running:
        asked_of = service(asking, running, kept=kept)
        first = await asked_of.reply(part("a/b"))
        second = await asked_of.reply(part("a/b"))
        assert (first.held, second.held) == (False, True)
        assert first.body == second.body
        running.files[PATH] = b'{"word": "new"}'
        assert (await asked_of.json(Told, part("a/b"))).word == "new"


async def test_a_large_answer_is_not_kept(asking: httpx.AsyncClient) -> None:
    kept = RecentAnswers()
    async with there("x" * LARGEST) as running:
        await service(asking, running, kept=kept).json(Told, part("a/b"))
        assert kept.held("scorecard", f"{running.origin}{PATH}") is None


async def test_304_to_a_question_without_a_condition_is_a_failure(
    asking: httpx.AsyncClient,
) -> None:
    async with there() as running:
        running.fault(PATH, Status(status=304))
        with pytest.raises(SourceFailed, match="answered 304"):
            await service(asking, running).reply(part("a/b"))


async def test_what_is_missing_is_none_only_where_that_was_asked(
    asking: httpx.AsyncClient,
) -> None:
    async with Documents() as running:
        assert await service(asking, running).found(Told, "x") is None
        with pytest.raises(SourceFailed) as caught:
            await service(asking, running).json(Told, "x")
    assert caught.value.lasting


async def test_a_question_is_posted_and_follows_no_redirect(asking: httpx.AsyncClient) -> None:
    async with Documents() as running:
        running.posted["/ask"] = lambda question: question
        found = await service(asking, running).json(Told, "ask", question={"word": "echo"})
        assert found.word == "echo"
        assert running.headers["/ask"]["Content-Type"] == "application/json"
        running.fault("/ask", redirect("/elsewhere", 307))
        with pytest.raises(SourceFailed, match="answered 307"):
            await service(asking, running).json(Told, "ask", question={"word": "echo"})
    assert "/elsewhere" not in running.log


async def test_a_service_without_a_key_that_wants_one_is_said_to(
    asking: httpx.AsyncClient,
) -> None:
    async with there() as running:
        running.fault(PATH, Status(status=401))
        with pytest.raises(SourceFailed) as caught:
            await service(asking, running).reply(part("a/b"))
    assert caught.value.reason == "does not answer without a key (401)"
    assert not caught.value.lasting


@pytest.mark.parametrize("key", ["geheim\u00e4", "two\nlines", "tab\t"])
async def test_a_key_that_cannot_be_sent_is_told_without_being_told(
    asking: httpx.AsyncClient, key: str
) -> None:
    with pytest.raises(GateError, match="cannot be sent as `X-Key`") as caught:
        Service(ABOUT, asking, budget("scorecard"), base="http://x", headers={"X-Key": key})
    assert key not in str(caught.value)


def test_the_oldest_answers_are_let_go() -> None:
    kept = RecentAnswers(most=2)
    for name in "abc":
        kept.keep("x", name, Held(etag=name, body=b""))
    assert [kept.held("x", name) is None for name in "abc"] == [True, False, False]


@pytest.mark.parametrize(
    ("failed", "lasting"),
    [
        (SourceFailed("x", "status", "", status=404), True),
        (SourceFailed("x", "status", "", status=410), True),
        (SourceFailed("x", "status", "", status=401), False),
        (SourceFailed("x", "status", "", status=429), False),
        (SourceFailed("x", "status", "", status=503), False),
        (SourceFailed("x", "garbage", ""), True),
        (SourceFailed("x", "too-large", ""), True),
        (SourceFailed("x", "timeout", ""), False),
        (SourceFailed("x", "budget", ""), False),
    ],
)
def test_a_failure_lasts_when_the_answer_is_at_fault(failed: SourceFailed, lasting: bool) -> None:
    assert failed.lasting == lasting


def test_what_a_source_is_has_a_default_for_what_only_a_reader_needs() -> None:
    about = About(name="x", gives=(), third_party=False, fresh_for=ABOUT.fresh_for)
    assert (about.title, about.by, about.key, about.licence) == ("", "", "", "facts")
