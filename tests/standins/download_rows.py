"""Rows of the public download log, in the shape of the table."""

from collections.abc import Iterator
from datetime import date
from typing import Any


def downloaded(
    day: date,
    project: str,
    *,
    version: str = "1.0",
    installer: str | None = "pip",
    installer_version: str | None = "26.1.1",
    python: str | None = "3.12.11",
    ci: bool | None = None,
    system: str | None = "Linux",
    release: str | None = None,
    distro: str | None = None,
    country: str | None = "DE",
    file_type: str = "bdist_wheel",
    known: bool = True,
) -> dict[str, Any]:
    """Return one download at noon; *known* is whether the client described itself readably."""
    filename = f"{project}-{version}-py3-none-any.whl"
    details = {
        "installer": {"name": installer, "version": installer_version, "subcommand": None},
        "python": python,
        "implementation": {"name": "CPython", "version": python},
        "distro": {"name": distro, "version": None, "id": None, "libc": None},
        "system": {"name": system, "release": release},
        "cpu": "x86_64",
        "openssl_version": "OpenSSL 3.0.13 30 Jan 2024",
        "setuptools_version": None,
        "rustc_version": None,
        "ci": ci,
    }
    return {
        "timestamp": f"{day} 12:00:00+00",
        "country_code": country,
        "url": f"/packages/00/00/{filename}",
        "project": project,
        "file": {
            "filename": filename,
            "project": project,
            "version": version,
            "type": file_type,
        },
        "details": details if known else None,
        "tls_protocol": "TLSv1.3",
        "tls_cipher": "TLS_AES_128_GCM_SHA256",
    }


def an_ordinary_day(day: date, projects: int = 40, each: int = 5) -> Iterator[dict[str, Any]]:
    """Yield a day of downloads of `project-00`, `project-01` ..., some by people, some by CI."""
    for number in range(projects):
        for turn in range(each):
            yield downloaded(
                day,
                f"project-{number:02}",
                version=f"1.{turn % 2}",
                ci=True if turn == 0 else None,
                system="Darwin" if turn == 1 else "Linux",
                country=("DE", "US")[turn % 2],
            )
