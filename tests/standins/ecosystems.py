"""A loopback stand-in of packages.ecosyste.ms, in the shape that its serializer gives."""

import json
from typing import Any

from tests.standins.documents import Documents


def package(name: str = "sample-project", **more: Any) -> dict[str, Any]:
    """Return what it knows of a package; *more* replaces members of it."""
    return {
        "id": 3115,
        "name": name,
        "ecosystem": "pypi",
        "dependent_packages_count": 310,
        "dependent_repos_count": 4120,
        "downloads": 1250000,
        "downloads_period": "last-month",
        "rankings": {"downloads": 0.9, "dependent_packages_count": 0.5, "average": 1.18},
        "critical": True,
        "purl": f"pkg:pypi/{name}",
        "repo_metadata": {
            "full_name": "example/sample",
            "archived": False,
            "stargazers_count": 1520,
            "forks_count": 120,
            "commit_stats": {"total_commits": 900, "total_committers": 64, "dds": 0.41},
            "metadata": {"funding": None, "files": {"readme": "README.md", "security": None}},
        },
        "issue_metadata": {
            "past_year_issue_authors_count": 39,
            "past_year_pull_request_authors_count": 21,
            "past_year_commits_count": 130,
        },
        "maintainers": [
            {"uuid": "zoe", "login": "zoe", "packages_count": 7, "role": "Owner"},
            {"uuid": "adam", "login": "adam", "packages_count": 1, "role": "Maintainer"},
        ],
        **more,
    }


class EcosystemsService(Documents):
    """Answers the look-up by package URL, whatever it names; the asker has to look."""

    def __init__(self, *packages: dict[str, Any]) -> None:
        super().__init__()
        self.files["/packages/lookup"] = json.dumps(list(packages)).encode()
