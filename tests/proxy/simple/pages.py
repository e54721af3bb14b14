"""Small pages for the tests of reading and writing."""

import json
from typing import Any

from packaging.utils import NormalizedName

from indexgate.simple import read
from indexgate.simple.accept import Form
from indexgate.simple.model import ProjectPage

URL = "https://index.example.test/simple/foo/"
FILES = "https://files.example.test/packages/"
FOO = NormalizedName("foo")
SHA = "0123456789abcdef" * 4


def listed(filename: str = "foo-1.0.tar.gz", **members: object) -> dict[str, Any]:
    """Return a file of a JSON page; `_` in a keyword stands for `-`."""
    named = {key.replace("_", "-"): value for key, value in members.items()}
    return {"filename": filename, "url": FILES + filename, "hashes": {"sha256": SHA}} | named


def document(*files: object, api: object = "1.4", **members: object) -> dict[str, Any]:
    """Return a JSON page as data."""
    named = {key.replace("_", "-"): value for key, value in members.items()}
    return {"meta": {"api-version": api}, "name": "foo", "files": list(files)} | named


def from_json(page: object, url: str = URL) -> ProjectPage:
    """Read *page*, given as data or as bytes."""
    body = page if isinstance(page, bytes) else json.dumps(page).encode()
    return read.page(body, content_type=Form.JSON, url=url, project=FOO)


def from_html(page: str, content_type: str = "text/html", url: str = URL) -> ProjectPage:
    """Read an HTML page."""
    return read.page(page.encode(), content_type=content_type, url=url, project=FOO)
