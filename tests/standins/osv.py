"""A loopback stand-in of OSV's bucket, in the shape that OSV documents for its data dumps."""

import io
import json
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.standins.documents import Documents

WRITTEN = datetime(2026, 9, 1, tzinfo=UTC)
"""When the records of these tests were last modified, unless they say otherwise."""


def malware(
    number: int, project: str, *versions: str, modified: datetime = WRITTEN
) -> dict[str, Any]:
    """Return a report of malware; without *versions* the whole name is bad."""
    told: dict[str, Any] = {"package": {"ecosystem": "PyPI", "name": project}}
    if versions:
        told["versions"] = list(versions)
    else:
        told["ranges"] = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]
    return {
        "schema_version": "1.7.4",
        "id": f"MAL-2026-{number}",
        "published": stamp(modified),
        "modified": stamp(modified),
        "summary": f"Malicious code in {project} (PyPI)",
        "details": "An example.",
        "affected": [told],
        "database_specific": {"malicious-packages-origins": [{"source": "example"}]},
    }


def vulnerability(
    number: int, project: str, *, fixed: str = "2.0", modified: datetime = WRITTEN, **more: Any
) -> dict[str, Any]:
    """Return an advisory on all versions before *fixed*; *more* are members of the record."""
    span = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}
    return {
        "schema_version": "1.7.4",
        "id": f"PYSEC-2026-{number}",
        "published": stamp(modified),
        "modified": stamp(modified),
        "summary": f"A weakness of {project}",
        "affected": [{"package": {"ecosystem": "PyPI", "name": project}, "ranges": [span]}],
        **more,
    }


def stamp(time: datetime) -> str:
    """Write *time* as OSV does."""
    return time.isoformat().replace("+00:00", "Z")


class OsvBucket(Documents):
    """The PyPI folder of the bucket: the archive, the list of changes and every record."""

    def __init__(self, *records: Mapping[str, Any]) -> None:
        super().__init__()
        self.records: dict[str, Mapping[str, Any]] = {}
        # What no list of changes lacks: something far older than any time asked about.
        self.put(vulnerability(1, "ancient", modified=WRITTEN - timedelta(days=900)), *records)

    def put(self, *records: Mapping[str, Any]) -> None:
        """Add or replace records, in all three places."""
        self.records |= {record["id"]: record for record in records}
        for record in records:
            self.files[f"/PyPI/{record['id']}.json"] = json.dumps(record).encode()
        self.files["/PyPI/modified_id.csv"] = changes(*self.records.values())
        self.files["/PyPI/all.zip"] = archive(
            {f"{id_}.json": json.dumps(record).encode() for id_, record in self.records.items()}
        )

    def delete(self, id_: str) -> None:
        """Drop a record's own file, but not its line in the list."""
        del self.files[f"/PyPI/{id_}.json"]


def changes(*records: Mapping[str, Any]) -> bytes:
    """Return the list of changes, newest first."""
    lines = sorted((f"{record['modified']},{record['id']}" for record in records), reverse=True)
    return "".join(f"{line}\n" for line in lines).encode()


def archive(members: Mapping[str, bytes]) -> bytes:
    """Return a zip archive of *members*."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, body in members.items():
            opened.writestr(name, body)
    return packed.getvalue()
