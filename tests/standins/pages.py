"""The stand-in's pages: the Simple API in JSON and HTML, and the project JSON."""

import hashlib
import html
import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from tests.standins.packages import IndexedFile, IndexedProject

JSON_TYPE = "application/vnd.pypi.simple.v1+json"
HTML_TYPE = "application/vnd.pypi.simple.v1+html"

Link = Callable[[IndexedFile], str]
"""Writes the address of a file as the page shall carry it."""


def project_page_json(project: IndexedProject, link: Link) -> bytes:
    """Return the project page in the JSON form (PEP 691, API 1.4)."""
    status = {"status": project.status}
    if project.status_reason is not None:
        status["reason"] = project.status_reason
    page: dict[str, Any] = {
        "meta": {"_last-serial": 1, "api-version": "1.4"},
        "name": project.normalized,
        "project-status": status,
        "versions": list(project.versions),
        "files": [_file_json(file, link) for file in project.files],
        **project.extra,
    }
    return json.dumps(page).encode()


def project_page_html(project: IndexedProject, link: Link) -> bytes:
    """Return the project page in the HTML form (PEP 503, API 1.4)."""
    lines = [
        "<!DOCTYPE html>",
        "<html><head>",
        '<meta name="pypi:repository-version" content="1.4">',
        f'<meta name="pypi:project-status" content="{html.escape(project.status)}">',
    ]
    if project.status_reason is not None:
        reason = html.escape(project.status_reason)
        lines.append(f'<meta name="pypi:project-status-reason" content="{reason}">')
    lines += [f"<title>Links for {project.normalized}</title>", "</head><body>"]
    lines += [_file_html(file, link) for file in project.files]
    return "\n".join([*lines, "</body></html>"]).encode()


def project_list_json(projects: Iterable[IndexedProject]) -> bytes:
    """Return the list of all projects in the JSON form."""
    meta = {"_last-serial": 1, "api-version": "1.4"}
    names = [{"_last-serial": 1, "name": project.name} for project in projects]
    return json.dumps({"meta": meta, "projects": names}).encode()


def project_list_html(projects: Iterable[IndexedProject]) -> bytes:
    """Return the list of all projects in the HTML form."""
    links = [
        f'<a href="/simple/{project.normalized}/">{html.escape(project.name)}</a><br>'
        for project in projects
    ]
    head = '<html><head><meta name="pypi:repository-version" content="1.4"></head><body>'
    return "\n".join(["<!DOCTYPE html>", head, *links, "</body></html>"]).encode()


def project_json(project: IndexedProject, link: Link, version: str | None = None) -> bytes:
    """Return what PyPI answers at `/pypi/<name>/json`: the parts that are read here.

    With *version*, what it answers at `/pypi/<name>/<version>/json`, where no `releases` are.
    """
    releases = {
        version: [_release_file(file, link) for file in project.files if file.version == version]
        for version in project.versions
    }
    latest = version or (project.versions[-1] if project.versions else None)
    body: dict[str, Any] = {
        "info": {
            "name": project.name,
            "version": latest,
            "summary": "A stand-in",
            "description": project.description,
            "requires_dist": _requirements(project, latest),
            "requires_python": None,
            "project_urls": dict(project.urls),
            "yanked": False,
            "yanked_reason": None,
        },
        "last_serial": 1,
        "ownership": {
            "roles": [{"role": role, "user": user} for user, role in project.owners],
            "organization": project.organization,
        },
        "releases": releases,
        "urls": releases.get(latest, []) if latest is not None else [],
        "vulnerabilities": [{"id": id_} for id_ in project.vulnerabilities],
    }
    if version is not None:
        del body["releases"], body["ownership"]
    return json.dumps(body).encode()


def _requirements(project: IndexedProject, version: str | None) -> list[str]:
    """Return what the version's files require by their metadata."""
    metadata = next((f.metadata for f in project.files if f.version == version and f.metadata), b"")
    lines = metadata.decode().splitlines()
    return [line.partition(": ")[2] for line in lines if line.startswith("Requires-Dist: ")]


def timestamp(moment: datetime) -> str:
    """Return *moment* as PEP 700 writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _listed_hashes(file: IndexedFile) -> dict[str, str]:
    return {"sha256": file.sha256} if file.hashes is None else file.hashes


def _metadata_hash(file: IndexedFile) -> str | None:
    if file.metadata is None or not file.core_metadata:
        return None
    return hashlib.sha256(file.metadata).hexdigest()


def _file_json(file: IndexedFile, link: Link) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "filename": file.filename,
        "url": link(file),
        "hashes": _listed_hashes(file),
        "requires-python": file.requires_python,
        "yanked": file.yanked,
    }
    if file.size:
        entry["size"] = len(file.content)
    if file.upload_time is not None:
        entry["upload-time"] = timestamp(file.upload_time)
    if file.provenance is not None:
        entry["provenance"] = file.provenance
    if digest := _metadata_hash(file):
        entry["core-metadata"] = entry["data-dist-info-metadata"] = {"sha256": digest}
    else:
        entry["core-metadata"] = False
    return entry


def _file_html(file: IndexedFile, link: Link) -> str:
    fragment = "".join(f"#{name}={value}" for name, value in _listed_hashes(file).items())
    attributes = {"href": link(file) + fragment}
    if file.requires_python is not None:
        attributes["data-requires-python"] = file.requires_python
    if file.yanked is not False:
        attributes["data-yanked"] = "" if file.yanked is True else file.yanked
    if digest := _metadata_hash(file):
        attributes["data-core-metadata"] = f"sha256={digest}"
        attributes["data-dist-info-metadata"] = f"sha256={digest}"
    if file.provenance is not None:
        attributes["data-provenance"] = file.provenance
    written = " ".join(f'{name}="{html.escape(value)}"' for name, value in attributes.items())
    return f"<a {written}>{html.escape(file.filename)}</a><br>"


def _release_file(file: IndexedFile, link: Link) -> dict[str, Any]:
    uploaded = timestamp(file.upload_time) if file.upload_time is not None else None
    return {
        "digests": {"sha256": file.sha256},
        "filename": file.filename,
        "packagetype": "bdist_wheel" if file.filename.endswith(".whl") else "sdist",
        "requires_python": file.requires_python,
        "size": len(file.content),
        "upload_time_iso_8601": uploaded,
        "url": link(file),
        "yanked": file.yanked is not False,
        "yanked_reason": file.yanked if isinstance(file.yanked, str) else None,
    }
