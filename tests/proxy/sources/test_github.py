import json
from collections.abc import Mapping
from datetime import date

import httpx
import pytest
from packaging.utils import NormalizedName

from indexgate.sources.github import ABOUT, GitHub
from indexgate.sources.github_limits import patience
from indexgate.sources.github_openings import Opened, Openings, people_by_day
from indexgate.sources.protocol import Batch, SourceFailed
from indexgate.sources.validators import RecentAnswers
from indexgate_policy.signals import Unknown
from tests.proxy.sources.asking import NOW, OTHER, SAMPLE, asked, budget, values
from tests.standins.faults import Status, garbage
from tests.standins.github import GitHubService, repository


def source(asking: httpx.AsyncClient, service: GitHubService, token: str | None = "t") -> GitHub:
    name = "github" if token else "github-without-token"
    return GitHub(asking, budget(name), token=token, base=service.origin)


async def test_one_question_tells_of_a_repository(asking: httpx.AsyncClient) -> None:
    async with GitHubService(repository()) as service:
        found = values(await source(asking, service).signals(asked(), NOW))
    assert found == {
        "stars": 1520,
        "forks": 120,
        "contributors": 64,
        "organizations": 1,
        "bus_factor": 1,
        "people_in_issues": 4,
        "median_answer_days": 1.5,
        "issues_updated": 17,
        "commits_a_week": 2.0,
        "last_commit_on": "2026-08-30",
        "tags": ("v4.2.0", "v4.1.0"),
        "security_policy": True,
        "repository_archived": False,
        "repository_moved_to": "",
        "repository_names": "sample-project",
    }
    assert service.headers["/graphql"]["Authorization"] == "Bearer t"


async def test_people_of_each_day_are_passed_on(asking: httpx.AsyncClient) -> None:
    noted: dict[str, Mapping[date, int]] = {}

    async def people(project: NormalizedName, days: Mapping[date, int]) -> None:
        noted[project] = days

    async with GitHubService(repository()) as service:
        asked_of = GitHub(asking, budget("github"), token="t", people=people, base=service.origin)
        await asked_of.many((asked(), asked(OTHER, "https://github.com/example/gone")), NOW)
    assert list(noted) == [SAMPLE]
    days = noted[SAMPLE]
    assert {day: count for day, count in days.items() if count} == {
        date(2026, 6, 1): 1,
        date(2026, 7, 1): 1,
        date(2026, 8, 1): 1,
        date(2026, 8, 3): 2,
    }
    assert (min(days), max(days), len(days)) == (date(2025, 9, 2), date(2026, 9, 1), 365)


def test_days_before_the_oldest_of_a_full_list_are_left_out() -> None:
    nodes = [
        Opened(created_at=f"2026-08-{31 - number // 10:02}T12:00:00Z", author=None)
        for number in range(100)
    ]
    known = people_by_day([Openings(nodes=[*nodes]), Openings(nodes=[])], NOW)
    assert (min(known), max(known)) == (date(2026, 8, 23), date(2026, 9, 1))
    assert people_by_day([None, Openings()], NOW) == {}


async def test_many_repositories_are_one_question(asking: httpx.AsyncClient) -> None:
    async with GitHubService(repository(), repository("example/other")) as service:
        many = source(asking, service)
        assert isinstance(many, Batch)
        found = await many.many(
            (
                asked(),
                asked(OTHER, "https://github.com/example/other"),
                asked("gone", "https://github.com/example/gone"),
                asked("elsewhere", "https://gitlab.com/example/x"),
            ),
            NOW,
        )
    assert len(service.questions) == 1
    assert values(found[SAMPLE])["stars"] == values(found[OTHER])["stars"] == 1520
    gone = values(found[asked("gone").project])
    assert set(gone.values()) == {Unknown(reason="GitHub has no repository `example/gone`")}
    elsewhere = values(found[asked("elsewhere").project])
    assert set(elsewhere.values()) == {Unknown(reason="the repository is not on GitHub")}


@pytest.mark.parametrize("token", ["t", None])
async def test_a_repository_that_moved_is_noticed(
    asking: httpx.AsyncClient, token: str | None
) -> None:
    async with GitHubService(repository("bigger/sample")) as service:
        service.rename("example/sample", service.repositories["bigger/sample"])
        service.fault("/repos/example/sample", _moved("/repos/bigger/sample"))
        found = values(await source(asking, service, token).signals(asked(), NOW))
    assert found["repository_moved_to"] == "https://github.com/bigger/sample"
    assert found["stars"] == 1520


async def test_without_a_token_less_is_told_and_says_so(asking: httpx.AsyncClient) -> None:
    async with GitHubService(repository()) as service:
        found = values(await source(asking, service, None).signals(asked(), NOW))
    known = {name: value for name, value in found.items() if not isinstance(value, Unknown)}
    assert known == {
        "stars": 1520,
        "forks": 120,
        "contributors": 64,
        "commits_a_week": 2.0,
        "last_commit_on": "2026-08-30",
        "tags": ("v4.2.0", "v4.1.0"),
        "repository_archived": False,
        "repository_moved_to": "",
    }
    assert found["people_in_issues"] == Unknown(reason="GitHub tells it with a token only")
    assert service.questions == []
    assert len(service.log) == 4
    assert "Authorization" not in service.headers["/repos/example/sample"]


async def test_a_year_without_commits_ends_at_the_last_push(asking: httpx.AsyncClient) -> None:
    async with GitHubService(repository()) as service:
        service.files["/repos/example/sample/commits"] = b"[]"
        service.more.clear()
        found = values(await source(asking, service, None).signals(asked(), NOW))
    assert (found["commits_a_week"], found["last_commit_on"]) == (0.0, "2026-08-31")


async def test_an_empty_repository_keeps_its_stars(asking: httpx.AsyncClient) -> None:
    async with GitHubService(repository()) as service:
        service.fault("*/commits", Status(status=409))
        service.fault("*/contributors", Status(status=204))
        found = values(await source(asking, service, None).signals(asked(), NOW))
    assert (found["stars"], found["contributors"]) == (1520, 0)
    assert found["commits_a_week"] == Unknown(reason="github answered 409 Conflict")


async def test_a_list_too_long_to_count_costs_one_signal_and_no_pause(
    asking: httpx.AsyncClient,
) -> None:
    async with GitHubService(repository()) as service:
        service.fault("*/contributors", Status(status=403, body=b'{"message": "too large"}'))
        spending = budget("github")
        asked_of = GitHub(asking, spending, token="t", base=service.origin)
        found = values(await asked_of.signals(asked(), NOW))
    assert found["contributors"] == Unknown(reason="GitHub does not count so many")
    assert (found["stars"], spending.ready_at) == (1520, NOW)


async def test_one_broken_repository_of_many_is_its_own(asking: httpx.AsyncClient) -> None:
    async with GitHubService(repository(), repository("example/other", forkCount="x")) as service:
        found = await source(asking, service).many(
            (asked(), asked(OTHER, "https://github.com/example/other")), NOW
        )
    assert values(found[SAMPLE])["stars"] == 1520
    reason = "github answered what is not in its documented form"
    assert set(values(found[OTHER]).values()) == {Unknown(reason=reason)}


@pytest.mark.parametrize("status", [502, 504])
async def test_what_was_too_much_at_once_is_less_the_next_time(
    asking: httpx.AsyncClient, status: int
) -> None:
    async with GitHubService(repository()) as service:
        service.fault("/graphql", Status(status=status))
        asked_of = source(asking, service)
        before = asked_of.most_at_once
        with pytest.raises(SourceFailed):
            await asked_of.signals(asked(), NOW)
        assert asked_of.most_at_once == before // 2


async def test_a_missing_repository_is_no_failure(asking: httpx.AsyncClient) -> None:
    async with GitHubService() as service:
        for token in ("t", None):
            found = values(await source(asking, service, token).signals(asked(), NOW))
            reason = "GitHub has no repository `example/sample`"
            assert found == dict.fromkeys(ABOUT.gives, Unknown(reason=reason))


async def test_null_for_another_reason_than_missing_is_not_taken_for_gone(
    asking: httpx.AsyncClient,
) -> None:
    answer = {"data": {"r0": None}, "errors": [{"type": "FORBIDDEN", "path": ["r0"]}]}
    async with GitHubService() as service:
        service.posted["/graphql"] = lambda _: json.dumps(answer).encode()
        found = values(await source(asking, service).signals(asked(), NOW))
    reason = "github could not tell of the repository this time"
    assert set(found.values()) == {Unknown(reason=reason)}


async def test_few_points_left_leave_it_alone_until_they_are_renewed(
    asking: httpx.AsyncClient,
) -> None:
    async with GitHubService(repository()) as service:
        service.points = 20
        spending = budget("github")
        asked_of = GitHub(asking, spending, token="t", base=service.origin)
        found = values(await asked_of.signals(asked(), NOW))
    assert found["stars"] == 1520
    assert (spending.ready_at - NOW).total_seconds() == 1800
    assert found["contributors"] == Unknown(reason="github is left alone for a while")


async def test_who_has_answered_enough_is_left_alone_also_when_it_does_not_tell_how_long(
    asking: httpx.AsyncClient,
) -> None:
    async with GitHubService(repository()) as service:
        answer = {"data": None, "errors": [{"type": "RATE_LIMITED"}]}
        service.posted["/graphql"] = lambda _: json.dumps(answer).encode()
        spending = budget("github")
        with pytest.raises(SourceFailed, match="has answered enough"):
            await GitHub(asking, spending, token="t", base=service.origin).signals(asked(), NOW)
    assert (spending.ready_at - NOW).total_seconds() == 900


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"errors": [{"type": "RATE_LIMITED"}]}, "has answered enough for this hour"),
        ({"errors": [{"message": "Parse error"}]}, "did not understand the question"),
        ({"data": {}}, "left out a repository"),
        ({"data": {"r0": {"stargazerCount": 3}}}, "documented form"),
        ({"data": {"r0": []}}, "documented form"),
        ({"data": {"r0": {"nameWithOwner": "a/b", "forkCount": "x"}}}, "documented form"),
    ],
)
async def test_answers_that_cannot_be_are_failures(
    asking: httpx.AsyncClient, answer: object, reason: str
) -> None:
    async with GitHubService() as service:
        service.posted["/graphql"] = lambda _: json.dumps(answer).encode()
        with pytest.raises(SourceFailed, match=reason):
            await source(asking, service).signals(asked(), NOW)


async def test_members_that_vanished_are_unknown(asking: httpx.AsyncClient) -> None:
    async with GitHubService(repository()) as service:
        service.repositories["example/sample"] = {"nameWithOwner": "example/sample"}
        found = values(await source(asking, service).signals(asked(), NOW))
    known = {name for name, value in found.items() if not isinstance(value, Unknown)}
    assert known == {"contributors", "repository_moved_to"}


async def test_answers_kept_from_before_are_asked_for_on_condition(
    asking: httpx.AsyncClient,
) -> None:
    kept = RecentAnswers()
    async with GitHubService(repository()) as service:
        for _ in range(2):
            asked_of = GitHub(
                asking, budget("github-without-token"), answers=kept, base=service.origin
            )
            found = values(await asked_of.signals(asked(), NOW))
        path = "/repos/example/sample/contributors"
        assert "If-None-Match" in service.headers[path]
    assert (found["contributors"], found["commits_a_week"]) == (64, 2.0)


@pytest.mark.parametrize("link", ['<x>; rel="last"', '<https://x/?page=-1>; rel="last"', "no"])
async def test_a_link_that_tells_no_length_leaves_it_unknown(
    asking: httpx.AsyncClient, link: str
) -> None:
    async with GitHubService(repository()) as service:
        service.more["/repos/example/sample/contributors"] = {"Link": link}
        found = values(await source(asking, service).signals(asked(), NOW))
    assert isinstance(found["contributors"], Unknown)


@pytest.mark.parametrize("body", [b"{}", b"<html>", b"[", b""])
async def test_a_broken_list_of_contributors_costs_that_signal_only(
    asking: httpx.AsyncClient, body: bytes
) -> None:
    async with GitHubService(repository()) as service:
        service.fault("*/contributors", garbage(body))
        found = values(await source(asking, service).signals(asked(), NOW))
    assert found["stars"] == 1520
    assert isinstance(found["contributors"], Unknown)


DATE = "Thu, 21 Nov 2024 11:00:00 GMT"  # 1732186800
USED_UP = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1732190400"}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "60", "X-RateLimit-Remaining": "0"}, 60),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1732190400", "Date": DATE}, 3600),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1", "Date": DATE}, 1),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "9" * 12, "Date": DATE}, 86_400),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "x", "Date": DATE}, None),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1732190400"}, None),
        ({**USED_UP, "Date": "Thu, 21 Nov 2024 11:00:00 +99999999999999"}, None),
        ({"X-RateLimit-Remaining": "7", "X-RateLimit-Reset": "1732190400", "Date": DATE}, None),
        ({}, None),
    ],
)
def test_a_used_up_limit_says_when_it_is_renewed(
    headers: dict[str, str], seconds: int | None
) -> None:
    assert patience(headers) == seconds


async def test_a_used_up_limit_is_no_refused_key(asking: httpx.AsyncClient) -> None:
    limit = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1732190400", "Date": DATE}
    async with GitHubService(repository()) as service:
        service.fault("/graphql", Status(status=403, headers=limit))
        with pytest.raises(SourceFailed) as caught:
            await source(asking, service).signals(asked(), NOW)
    assert (caught.value.reason, caught.value.retry_after) == ("answered 403 Forbidden", 3600)


def _moved(where: str) -> Status:
    return Status(status=301, headers={"Location": where})
