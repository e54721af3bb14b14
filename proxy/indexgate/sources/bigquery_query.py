"""The questions that BigQuery is asked about the public log of downloads, as SQL. Pure.

What a query reads is what it costs, so each names the fewest columns, bounds `timestamp` by
literals (nothing else keeps the other days from being read) and filters by the top-level `project`,
by which the table is sorted. Whether the client's description could be read at all shows in the two
fields one of which every readable description has, the installer and the Python version: to ask
whether the whole record is null could be billed as the whole record.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from msgspec import Struct

from indexgate_policy.downloads.log_row import COLUMNS

DOWNLOADS: Final = "bigquery-public-data.pypi.file_downloads"
UPLOADS: Final = "bigquery-public-data.pypi.distribution_metadata"

BREAK_EVEN: Final = 500
"""From about so many projects on, reading them one by one costs as much as reading all.

One project's day is about a five-hundredth of the whole day (bills of another project, spring 2026:
4.6 GB for a project's 30 days, 2.32 TB for all).
"""

TOGETHER: Final = 20
"""Neighbours in the alphabet lie in the same blocks of the table, so a few may be asked at once.

Three hundred in one question made the database read everything; a question each costs a round trip
of seconds.
"""

DOWNLOADS_SCHEMA: Final = tuple(
    (name, {"ci": "BOOLEAN", "n": "INTEGER"}.get(name, "STRING"))
    for name in COLUMNS
    if name != "day"
)
UPLOADS_SCHEMA: Final = (
    ("project", "STRING"),
    ("version", "STRING"),
    ("uploaded", "TIMESTAMP"),
    ("wheel", "BOOLEAN"),
)


class Statement(Struct, frozen=True, kw_only=True):
    """A question: its SQL, the value of `@projects` in it (None: all) and the answer's columns."""

    sql: str
    projects: tuple[str, ...] | None
    schema: tuple[tuple[str, str], ...]


def downloads_of_day(
    day: date, projects: Iterable[str] | None, *, table: str = DOWNLOADS
) -> tuple[Statement, ...]:
    """Return the questions that together give all downloads of *day*, grouped, sorted by project.

    A few projects are asked for in small groups, very many or all in one question.
    """
    sql = _DOWNLOADS.replace("$table", table)
    sql = sql.replace("$day", day.isoformat()).replace("$next", str(day + timedelta(days=1)))
    if projects is None:
        groups: list[tuple[str, ...] | None] = [None]
    else:
        names = sorted(set(projects))
        step = TOGETHER if len(names) <= BREAK_EVEN else len(names)
        groups = [tuple(names[at : at + step]) for at in range(0, len(names), step)]
    return tuple(
        Statement(
            sql=sql.replace("$which", "" if group is None else _OF_PROJECTS),
            projects=group,
            schema=DOWNLOADS_SCHEMA,
        )
        for group in groups
    )


def uploads(
    projects: Iterable[str] | None, since: date | None, *, table: str = UPLOADS
) -> Statement:
    """Return the question when each version was first uploaded, and whether it has a wheel.

    Files that were deleted since are in that table too. *since* leaves earlier uploads out.
    """
    names = None if projects is None else tuple(sorted(set(projects)))
    wanted = ["upload_time IS NOT NULL"]
    if since is not None:
        wanted.append(f"upload_time >= TIMESTAMP '{since} 00:00:00+00'")
    if names is not None:
        wanted.append(f"{_NORMALISED} IN UNNEST(@projects)")
    sql = _UPLOADS.replace("$table", table).replace("$wanted", "\n  AND ".join(wanted))
    return Statement(sql=sql, projects=names, schema=UPLOADS_SCHEMA)


_OF_PROJECTS = "\n  AND project IN UNNEST(@projects)"

_DOWNLOADS = r"""
SELECT
  project,
  details.installer.name AS installer,
  REGEXP_EXTRACT(details.installer.version, r'^[0-9]+(?:\.[0-9]+)?') AS installer_version,
  details.ci AS ci,
  details.system.name AS system,
  details.distro.name AS distro,
  CASE
    WHEN REGEXP_CONTAINS(details.system.release, r'(?i)microsoft') THEN 'wsl'
    WHEN REGEXP_CONTAINS(details.system.release, r'(?i)linuxkit|orbstack') THEN 'desktop-vm'
    WHEN REGEXP_CONTAINS(details.system.release, r'(?i)azure|aws|gcp|amzn|cloud') THEN 'cloud'
    WHEN REGEXP_CONTAINS(details.system.release, r'(?i)server') THEN 'server'
  END AS kernel,
  COALESCE(REGEXP_EXTRACT(details.python, r'^[0-9]+\.[0-9]+'), details.python) AS python,
  country_code AS country,
  file.version AS version,
  file.type AS file_type,
  COUNT(*) AS n
FROM `$table`
WHERE timestamp >= TIMESTAMP '$day 00:00:00+00'
  AND timestamp < TIMESTAMP '$next 00:00:00+00'$which
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
ORDER BY project
"""

_NORMALISED = "REGEXP_REPLACE(LOWER(name), r'[-_.]+', '-')"

_UPLOADS = (
    "\nSELECT\n  "
    + _NORMALISED
    + r""" AS project,
  version,
  MIN(upload_time) AS uploaded,
  LOGICAL_OR(packagetype = 'bdist_wheel') AS wheel
FROM `$table`
WHERE $wanted
GROUP BY 1, 2
"""
)
