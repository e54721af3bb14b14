"""Project pages as PyPI would write them, of as many files as a benchmark wants."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec


def invented_page(
    origin: str, project: str, files: int, *, a_version: int = 20, newest: datetime | None = None
) -> bytes:
    """Return the JSON page of *project* with so many *files*, *a_version* of them each version.

    The *newest* (by default of now) is the first, the others are three hours apart.
    """
    newest = newest or datetime.now(UTC)
    listed = []
    versions: dict[str, None] = {}
    for number in range(files):
        step = number // a_version
        version = f"{step // 100}.{step % 100}"
        tag = f"cp3{number % a_version}"
        name = f"{project.replace('-', '_')}-{version}-{tag}-{tag}-manylinux_2_17_x86_64.whl"
        digest = sha256(name.encode()).hexdigest()
        versions[version] = None
        listed.append(
            {
                "filename": name,
                "url": f"{origin}/packages/{digest[:2]}/{digest[2:4]}/{digest[4:]}/{name}",
                "hashes": {"sha256": digest},
                "core-metadata": {"sha256": digest},
                "requires-python": ">=3.8",
                "size": 10_000 + number,
                "upload-time": (newest - timedelta(hours=3 * number)).strftime("%FT%T.%fZ"),
                "yanked": False,
            }
        )
    head = {"meta": {"api-version": "1.4"}, "name": project, "versions": list(versions)}
    return msgspec.json.encode({**head, "files": listed})
