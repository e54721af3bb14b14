"""A loopback stand-in of libraries.io, in the shape that its serializer gives."""

import json
from typing import Any

from tests.standins.documents import Documents


def project(name: str = "sample-project", **more: Any) -> dict[str, Any]:
    """Return what it knows of a project; *more* replaces members of it."""
    return {
        "contributions_count": 64,
        "dependent_repos_count": 4120,
        "dependents_count": 310,
        "forks": 120,
        "name": name,
        "platform": "Pypi",
        "rank": 18,
        "stars": 1520,
        "status": None,
        "versions": [{"number": "4.2.0", "published_at": "2026-10-02T08:11:09.000Z"}],
        **more,
    }


class LibrariesIoService(Documents):
    """What it knows of some projects."""

    def __init__(self, *projects: dict[str, Any]) -> None:
        super().__init__()
        for told in projects:
            self.files[f"/pypi/{told['name']}"] = json.dumps(told).encode()
