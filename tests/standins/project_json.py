"""A loopback stand-in of an index's project JSON, in the shape that PyPI documents."""

import json
from typing import Any

from tests.standins.documents import Documents


def document(name: str = "sample-project", **more: Any) -> dict[str, Any]:
    """Return the JSON of a project with three versions; *more* replaces members of it."""
    return {
        "info": {
            "author": "",
            "bugtrack_url": None,
            "description": "A long text.",
            "downloads": {"last_day": -1, "last_month": -1, "last_week": -1},
            "home_page": "",
            "name": name,
            "requires_dist": [
                "Typing_Extensions>=4; python_version < '3.12'",
                "other",
                "only-with-extra; extra == 'more'",
                "not a requirement !",
            ],
            "classifiers": [
                "Programming Language :: Python :: 3",
                "Programming Language :: Python :: 3.13",
                "Programming Language :: Python :: 3 :: Only",
                "License :: OSI Approved",
            ],
            "project_urls": {
                "Bug Reports": "https://github.com/Example/Sample/issues",
                "Homepage": "https://sample.example.test/",
                "Source": "https://github.com/Example/Sample.git",
            },
            "summary": "A sample project",
            "version": "2.0",
            "yanked": False,
        },
        "last_serial": 1,
        "releases": {
            "0.1": [],
            "1.0": [_file("2020-06-14T14:37:56.383366Z", yanked=True)],
            "1.1": [_file("2021-06-14T14:37:56.383366Z")],
            "2.0": [_file("2024-11-06T22:37:09.220617Z"), _file("2024-11-06T22:38:09Z")],
        },
        "urls": [],
        "vulnerabilities": [
            {"id": "PYSEC-2026-9", "withdrawn": None, "fixed_in": ["3.0"], "source": "osv"},
            {"id": "PYSEC-2026-8", "withdrawn": "2026-02-01T00:00:00Z", "source": "osv"},
        ],
        "ownership": {
            "roles": [
                {"role": "Owner", "user": "zoe"},
                {"role": "Maintainer", "user": "adam"},
            ],
            "organization": "example-org",
        },
        **more,
    }


class ProjectJsonService(Documents):
    """An index with the project JSON only; its simple index would be at `url`."""

    def __init__(self, *documents: dict[str, Any]) -> None:
        super().__init__()
        for told in documents:
            self.files[f"/pypi/{told['info']['name']}/json"] = json.dumps(told).encode()

    @property
    def url(self) -> str:
        """The address of the simple index."""
        return f"{self.origin}/simple/"


def _file(uploaded: str, *, yanked: bool = False) -> dict[str, Any]:
    return {"upload_time_iso_8601": uploaded, "yanked": yanked, "packagetype": "sdist", "size": 9}
