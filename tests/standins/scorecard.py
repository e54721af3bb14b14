"""A loopback stand-in of OpenSSF Scorecard's API."""

import json
from typing import Any

from tests.standins.documents import Documents


def result(repository: str = "github.com/example/sample", **more: Any) -> dict[str, Any]:
    """Return the result of *repository*; *more* replaces members of it."""
    return {
        "date": "2026-08-24",
        "repo": {"name": repository, "commit": "0123456789abcdef0123456789abcdef01234567"},
        "scorecard": {"version": "v5.3.0", "commit": "unknown"},
        "score": 5.1,
        "checks": [
            _check("Binary-Artifacts", 10),
            _check("Signed-Releases", -1),
            _check("Maintained", 7),
        ],
        "metadata": None,
        **more,
    }


class ScorecardService(Documents):
    """Scores of some repositories."""

    def __init__(self, *results: dict[str, Any]) -> None:
        super().__init__()
        for told in results or (result(),):
            self.files[f"/projects/{told['repo']['name']}"] = json.dumps(told).encode()


def _check(name: str, score: int) -> dict[str, Any]:
    return {
        "details": None,
        "score": score,
        "reason": "an example",
        "name": name,
        "documentation": {"url": "https://example.test/", "short": "An example."},
    }
