"""GitHub's GraphQL: one question about many repositories, and what its answer means. Pure.

Source: GitHub's GraphQL reference. A repository that is gone is null beside an error. A question
about 50 repositories costs few of the 5,000 points an hour: its price is the number of connections
over a hundred. Who starred when is told to a repository's admins only since July 2026; the total is
what is left.

People and commits are read from the newest hundred of the last year: a floor where there are more.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from indexgate.sources import github_openings as openings
from indexgate.sources import self_named
from indexgate.sources.github_openings import YEAR, Openings
from indexgate.sources.told import count, day, line, lines
from indexgate_policy.signals import Unknown, Value

QUARTER = timedelta(days=90)

_WEEKS = 52
_FRAGMENT = """
fragment R on Repository {
  nameWithOwner isArchived stargazerCount forkCount isSecurityPolicyEnabled
  recent: issues(first: %(most)d, orderBy: {field: CREATED_AT, direction: DESC}) {
    nodes { createdAt author { login } firstComments: comments(first: 1) { nodes { createdAt } } }
  }
  touched: issues(filterBy: {since: "%(quarter)s"}) { totalCount }
  requests: pullRequests(first: %(most)d, orderBy: {field: CREATED_AT, direction: DESC}) {
    nodes { createdAt author { login } }
  }
  discussions(first: %(most)d, orderBy: {field: CREATED_AT, direction: DESC}) {
    nodes { createdAt author { login } }
  }
  releases(first: 30, orderBy: {field: CREATED_AT, direction: DESC}) { nodes { tagName } }
  refs(refPrefix: "refs/tags/", first: 50, orderBy: {field: TAG_COMMIT_DATE, direction: DESC}) {
    nodes { name }
  }
  defaultBranchRef { target { ... on Commit {
    committedDate
    history(first: 100, since: "%(year)s") {
      totalCount nodes { author { email user { login company } } }
    }
  } } }
  pyproject: object(expression: "HEAD:pyproject.toml") { ... on Blob { text isTruncated } }
  setup: object(expression: "HEAD:setup.cfg") { ... on Blob { text isTruncated } }
}
"""


class _Total(msgspec.Struct, rename="camel"):
    total_count: int | None = None


class _Release(msgspec.Struct, rename="camel"):
    tag_name: str = ""


class _Releases(msgspec.Struct):
    nodes: list[_Release | None] | None = None


class _Ref(msgspec.Struct):
    name: str = ""


class _Refs(msgspec.Struct):
    nodes: list[_Ref | None] | None = None


class _User(msgspec.Struct):
    login: str = ""
    company: str | None = None


class _Author(msgspec.Struct):
    email: str | None = None
    user: _User | None = None


class _Commit(msgspec.Struct):
    author: _Author | None = None


class _History(msgspec.Struct, rename="camel"):
    total_count: int | None = None
    nodes: list[_Commit | None] | None = None


class _Head(msgspec.Struct, rename="camel"):
    committed_date: str | None = None
    history: _History | None = None


class _Branch(msgspec.Struct):
    target: _Head | None = None


class _Blob(msgspec.Struct, rename="camel"):
    text: str | None = None
    is_truncated: bool = False


class Repository(msgspec.Struct, rename="camel"):
    """What the question tells of one repository."""

    name_with_owner: str
    is_archived: bool | None = None
    stargazer_count: int | None = None
    fork_count: int | None = None
    is_security_policy_enabled: bool | None = None
    recent: Openings | None = None
    touched: _Total | None = None
    requests: Openings | None = None
    discussions: Openings | None = None
    releases: _Releases | None = None
    refs: _Refs | None = None
    default_branch_ref: _Branch | None = None
    pyproject: _Blob | None = None
    setup: _Blob | None = None


def question(names: Sequence[str], now: datetime) -> str:
    """Return the question about the repositories *names* (`owner/name`), aliased r0, r1 ..."""
    asked = []
    for number, name in enumerate(names):
        owner, _, repository = name.partition("/")
        arguments = f"owner: {_quoted(owner)}, name: {_quoted(repository)}"
        asked.append(f"r{number}: repository({arguments}) {{ ...R }}")
    filled = {
        "quarter": _stamp(now - QUARTER),
        "year": _stamp(now - YEAR),
        "most": openings.MOST,
    }
    body = "\n".join(asked)
    return f"query {{ rateLimit {{ remaining resetAt }}\n{body}\n}}{_FRAGMENT % filled}"


def values(told: Repository, asked: str, now: datetime) -> dict[str, Value | Unknown]:
    """Return the signals of the repository that was *asked* for as `owner/name`."""
    archived = Unknown(reason="GitHub does not tell whether the repository is archived")
    policy = Unknown(reason="GitHub does not tell whether there is a security policy")
    touched = told.touched.total_count if told.touched else None
    return {
        "stars": count(told.stargazer_count, "GitHub does not tell stars"),
        "forks": count(told.fork_count, "GitHub does not tell forks"),
        "repository_archived": archived if told.is_archived is None else told.is_archived,
        "security_policy": policy
        if told.is_security_policy_enabled is None
        else told.is_security_policy_enabled,
        "repository_moved_to": moved_to(told.name_with_owner, asked),
        "repository_names": self_named.project(_text(told.pyproject), _text(told.setup)),
        "issues_updated": count(touched, "GitHub does not tell issues"),
        "median_answer_days": openings.median_answer(told.recent, now),
        "people_in_issues": openings.people(opened(told), now),
        "tags": _tags(told),
        **_of_commits(told.default_branch_ref),
    }


def opened(told: Repository) -> tuple[Openings | None, ...]:
    """Return all that people open: issues, requests, discussions."""
    return told.recent, told.requests, told.discussions


def moved_to(name: str, asked: str) -> str:
    """Return the address that a repository answers to now, empty when it has not moved."""
    if name.lower() == asked.lower():
        return ""
    return f"https://github.com/{line(name).lower()}"


def _tags(told: Repository) -> tuple[str, ...] | Unknown:
    if told.refs is None and told.releases is None:
        return Unknown(reason="GitHub does not tell tags")
    refs = [ref.name for ref in (told.refs.nodes or () if told.refs else ()) if ref]
    releases = [r.tag_name for r in (told.releases.nodes or () if told.releases else ()) if r]
    return lines([*refs, *releases])


def _of_commits(branch: _Branch | None) -> dict[str, Value | Unknown]:
    head = branch.target if branch else None
    history = head.history if head else None
    untold = "GitHub does not tell commits"
    total = count(history.total_count if history else None, untold)
    authors = [
        commit.author
        for commit in (history.nodes or () if history else ())
        if commit is not None and commit.author is not None
    ]
    companies = {
        company
        for author in authors
        if author.user and (company := line(author.user.company or "").strip("@ ").lower())
    }
    return {
        "last_commit_on": day(head.committed_date if head else None, untold),
        "commits_a_week": total if isinstance(total, Unknown) else round(total / _WEEKS, 2),
        "bus_factor": _bus_factor(authors),
        "organizations": len(companies) if authors else Unknown(reason="no commits in a year"),
    }


def _bus_factor(authors: Sequence[_Author]) -> int | Unknown:
    """Return the fewest people who made half of the commits."""
    made = Counter(a.user.login if a.user and a.user.login else a.email or "" for a in authors)
    made.pop("", None)
    total = sum(made.values())
    if total == 0:
        return Unknown(reason="no commits in a year")
    done = 0
    for people, (_, commits) in enumerate(made.most_common(), start=1):
        done += commits
        if 2 * done >= total:
            return people
    return len(made)


def _text(blob: _Blob | None) -> str:
    return "" if blob is None or blob.is_truncated else blob.text or ""


def _stamp(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()
