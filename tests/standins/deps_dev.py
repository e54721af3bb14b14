"""A loopback stand-in of deps.dev, in the JSON form of its published protocol."""

import json
from typing import Any
from urllib.parse import quote, unquote

from tests.standins.documents import Documents

REPOSITORY = "github.com/example/sample"


def version(
    project: str,
    number: str,
    *,
    attested: str = "",
    provenance: str = "UNVERIFIED_METADATA",
    repository: str = REPOSITORY,
    **more: Any,
) -> dict[str, Any]:
    """Return a version, *attested* by the repository of that address; *more* replaces members."""
    publish = "https://docs.example.test/attestations/publish/v1"
    attestation = {"type": publish, "verified": True, "sourceRepository": attested}
    return {
        "versionKey": {"system": "PYPI", "name": project, "version": number},
        "publishedAt": "2023-05-22T15:12:42Z",
        "isDefault": False,
        "licenses": ["Apache-2.0"],
        "advisoryKeys": [{"id": "GHSA-9wx4-h78v-vm56"}],
        "links": [{"label": "SOURCE_REPO", "url": f"https://{repository}"}],
        "slsaProvenances": [],
        "attestations": [attestation] if attested else [],
        "relatedProjects": [
            {
                "projectKey": {"id": repository},
                "relationProvenance": provenance,
                "relationType": "SOURCE_REPO",
            }
        ],
        "projectStatus": {"status": "active", "reason": ""},
        **more,
    }


def repository(id_: str = REPOSITORY, **more: Any) -> dict[str, Any]:
    """Return a source repository; *more* replaces members of it."""
    checks = [{"name": "Maintained", "score": 10}, {"name": "Signed-Releases", "score": -1}]
    return {
        "projectKey": {"id": id_},
        "openIssuesCount": 200,
        "starsCount": 52000,
        "forksCount": 9300,
        "scorecard": {
            "date": "2026-08-24T00:00:00Z",
            "repository": {"name": id_, "commit": "0123"},
            "checks": checks,
            "overallScore": 7.9,
        },
        **more,
    }


class DepsDevService(Documents):
    """Packages with versions, and repositories. The last version of a package is the default."""

    def __init__(self) -> None:
        super().__init__()
        self._versions: dict[str, dict[str, Any]] = {}
        self.posted["/v3alpha/purlbatch"] = self._batch
        self.put_repository(repository())

    def put(self, project: str, *versions: dict[str, Any]) -> None:
        """Add a package with *versions*, oldest first."""
        package = f"/systems/pypi/packages/{project}"
        numbers = [told["versionKey"]["version"] for told in versions]
        listed = [
            {
                "versionKey": told["versionKey"],
                "publishedAt": f"2024-01-{day:02}T00:00:00Z",
                "isDefault": told is versions[-1],
            }
            for day, told in enumerate(versions, start=1)
        ]
        key = {"system": "PYPI", "name": project}
        self._put(f"/v3{package}", {"packageKey": key, "versions": listed})
        for number, told in zip(numbers, versions, strict=True):
            self._put(f"/v3{package}/versions/{quote(number, safe='')}", told)
            self._versions[f"pkg:pypi/{project}@{number}"] = told
        default = f"/v3alpha{package}/versions/{quote(numbers[-1], safe='')}"
        self._put(
            f"{default}:dependents",
            {"dependentCount": 120, "directDependentCount": 52, "indirectDependentCount": 88},
        )
        self._put(
            f"{default}:findings",
            {
                "versionKey": {**key, "version": numbers[-1]},
                "recommendedVersions": [],
                "requestedVersion": {
                    "findings": [
                        {"type": "COOLDOWN", "risk": "RISK_MEDIUM"},
                        {"type": "LOW_USAGE", "risk": "RISK_INFORMATIONAL"},
                    ]
                },
                "packageFindings": [],
            },
        )
        self._put(
            f"/v3alpha{package}:similarlyNamedPackages",
            {
                "packageKey": key,
                "packages": [
                    {"packageKey": {"system": "PYPI", "name": "samples"}},
                    {"packageKey": {"system": "NPM", "name": "other"}},
                ],
            },
        )

    def put_repository(self, told: dict[str, Any]) -> None:
        """Add a source repository."""
        self._put(f"/v3/projects/{quote(told['projectKey']['id'], safe='')}", told)

    def _put(self, path: str, told: dict[str, Any]) -> None:
        self.files[path] = json.dumps(told).encode()

    def _batch(self, question: bytes) -> bytes:
        asked = json.loads(question)
        responses = []
        for request in asked["requests"]:
            found = self._versions.get(unquote(request["purl"]))
            result = {"result": {"version": found}} if found else {}
            responses.append({"request": request, **result})
        # Two pages, so that an asker who reads only the first is found out.
        page = int(asked.get("pageToken") or 0)
        half = -(-len(responses) // 2)
        there = responses[:half] if page == 0 else responses[half:]
        more = "1" if page == 0 and len(responses) > half else ""
        return json.dumps({"responses": there, "nextPageToken": more}).encode()
