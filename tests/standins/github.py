"""A loopback stand-in of GitHub's API: GraphQL with a token, REST without."""

import json
import re
from typing import Any

from tests.standins.documents import Documents

_ALIAS = re.compile(r'(r\d+): repository\(owner: "([^"]*)", name: "([^"]*)"\)')


def repository(name: str = "example/sample", **more: Any) -> dict[str, Any]:
    """Return what GraphQL tells of a repository; *more* replaces members of it."""
    return {
        "nameWithOwner": name,
        "isArchived": False,
        "stargazerCount": 1520,
        "forkCount": 120,
        "isSecurityPolicyEnabled": True,
        "recent": {
            "nodes": [
                _opened("ann", "2026-08-01T00:00:00Z", answered="2026-08-02T12:00:00Z"),
                _opened("bo", "2026-07-01T00:00:00Z", answered="2026-07-05T00:00:00Z"),
                _opened("cy", "2026-06-01T00:00:00Z", answered="2026-06-01T06:00:00Z"),
                _opened("old", "2024-01-01T00:00:00Z", answered="2024-01-01T00:00:00Z"),
            ]
        },
        "touched": {"totalCount": 17},
        "requests": {
            "nodes": [
                {"createdAt": "2026-08-03T00:00:00Z", "author": {"login": "ann"}},
                {"createdAt": "2026-08-03T00:00:00Z", "author": {"login": "dee"}},
                {"createdAt": "2026-08-03T00:00:00Z", "author": None},
            ]
        },
        "discussions": {"nodes": []},
        "releases": {"nodes": [{"tagName": "v4.2.0"}]},
        "refs": {"nodes": [{"name": "v4.2.0"}, {"name": "v4.1.0"}]},
        "defaultBranchRef": {
            "target": {
                "committedDate": "2026-08-30T12:00:00Z",
                "history": {
                    "totalCount": 104,
                    "nodes": [
                        *[_commit("ann", "@Example Ltd")] * 3,
                        *[_commit("bo", "example ltd")] * 2,
                        _commit("cy", None),
                    ],
                },
            }
        },
        "pyproject": {"text": '[project]\nname = "Sample.Project"\n', "isTruncated": False},
        "setup": None,
        **more,
    }


class GitHubService(Documents):
    """Repositories by `owner/name`. `points` is what the token has left."""

    def __init__(self, *repositories: dict[str, Any]) -> None:
        super().__init__()
        self.repositories = {told["nameWithOwner"]: told for told in repositories}
        self.points = 4_999
        self.questions: list[str] = []
        self.posted["/graphql"] = self._answer
        for name, told in self.repositories.items():
            self._rest(name, told)

    def rename(self, before: str, told: dict[str, Any]) -> None:
        """Answer to *before* with the repository of another name."""
        self.repositories[before] = told

    def _answer(self, question: bytes) -> bytes:
        query = json.loads(question)["query"]
        self.questions.append(query)
        limit = {"cost": 1, "remaining": self.points, "resetAt": "2026-09-02T00:30:00Z"}
        data: dict[str, Any] = {"rateLimit": limit}
        errors = []
        for alias, owner, name in _ALIAS.findall(query):
            data[alias] = self.repositories.get(f"{owner}/{name}")
            if data[alias] is None:
                message = f"Could not resolve to a Repository with the name '{owner}/{name}'."
                errors.append({"type": "NOT_FOUND", "path": [alias], "message": message})
        return json.dumps({"data": data, **({"errors": errors} if errors else {})}).encode()

    def _rest(self, name: str, told: dict[str, Any]) -> None:
        path = f"/repos/{name}"
        self._put(
            path,
            {
                "full_name": name,
                "stargazers_count": told["stargazerCount"],
                "forks_count": told["forkCount"],
                "archived": told["isArchived"],
                "pushed_at": "2026-08-31T12:00:00Z",
            },
        )
        self._put(f"{path}/contributors", [{"login": "ann", "contributions": 32}])
        self._put(f"{path}/commits", [{"commit": {"committer": {"date": "2026-08-30T12:00:00Z"}}}])
        self._put(f"{path}/tags", [{"name": "v4.2.0"}, {"name": "v4.1.0"}])
        for what, pages in (("contributors", 64), ("commits", 104)):
            last = f'<https://api.example.test/x?per_page=1&page={pages}>; rel="last"'
            following = '<https://api.example.test/x?per_page=1&page=2>; rel="next"'
            self.more[f"{path}/{what}"] = {"Link": f"{following}, {last}"}

    def _put(self, path: str, told: object) -> None:
        self.files[path] = json.dumps(told).encode()


def _opened(login: str, at: str, *, answered: str) -> dict[str, Any]:
    comments = {"nodes": [{"createdAt": answered}]}
    return {"createdAt": at, "author": {"login": login}, "firstComments": comments}


def _commit(login: str, company: str | None) -> dict[str, Any]:
    user = {"login": login, "company": company}
    return {"author": {"email": f"{login}@example.test", "user": user}}
