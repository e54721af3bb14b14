"""Known incidents: a table of attacked projects, and what was to be seen of them at the time.

A table has a row an incident, columns parted by tabs, and a first line with their names: `id`,
`packages` (several are parted by `;`), `kind`, `last_good` (the newest honest version, `none` for
a project that was bad from its start), `bad_versions`, `first_bad_upload_utc`, `removed_utc`, and
`signals_expected` (signs that were visible, parted by `;`). Rows whose `id` or `kind` begins with
`benign` are honest releases, for comparison.
"""

import csv
import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from indexgate.replay.past_case import Uploads, case_at
from indexgate_policy.assessment import Case
from indexgate_policy.signals import Value

COLUMNS = (
    "id",
    "packages",
    "kind",
    "last_good",
    "bad_versions",
    "first_bad_upload_utc",
    "removed_utc",
    "signals_expected",
)
AFTER = timedelta(minutes=10)
"""When it is first looked at, after the upload."""

WATCHED = frozenset(["provenance_loss", "release_without_source_tag"])
"""Signs that only a gate could see that had watched the project before."""

TAGS_AFTER = timedelta(hours=12)
"""How long a missing tag may be on its way."""

WATCHED_FOR = timedelta(days=30)
"""How long a row without `removed_utc` is followed."""

_MONTH, _DORMANT = timedelta(days=30), timedelta(days=800)
_ASSUMED = 3


class Incident(Struct, frozen=True, kw_only=True):
    """One attacked or malicious project, its first bad version, and the signs that were visible."""

    id: str
    name: str
    kind: str
    last_good: str
    bad: str
    uploaded: datetime
    removed: datetime
    signs: frozenset[str]

    @property
    def is_takeover(self) -> bool:
        """Whether an honest project was there before."""
        return self.last_good not in {"none", ""}

    @property
    def is_benign(self) -> bool:
        """Whether it is an honest release, there for comparison."""
        return self.id.startswith("benign") or self.kind.startswith("benign")


def read_rows(lines: Iterable[str]) -> Iterator[Mapping[str, str]]:
    """Yield the rows of a table. Raises ValueError with what is wrong and where."""
    reader = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE, restval="")
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise ValueError(f"its first line lacks the columns {', '.join(missing)}")
    yield from reader


def incidents(rows: Iterable[Mapping[str, str]]) -> Iterator[Incident]:
    """Yield each named project of each row. Raises ValueError with the row's id."""
    for row in rows:
        try:
            uploaded = moment(row["first_bad_upload_utc"])
            removed = moment(row["removed_utc"]) if row["removed_utc"] else uploaded + WATCHED_FOR
        except (ValueError, TypeError) as error:
            raise ValueError(f"row `{row['id']}`: {error}") from error
        for name in row["packages"].split(";"):
            if name.startswith("("):  # only how many there were
                continue
            yield Incident(
                id=row["id"],
                name=name,
                kind=row["kind"],
                last_good="1.0" if row["last_good"] == "?" else row["last_good"],
                bad=first_version(row["bad_versions"], name),
                uploaded=uploaded,
                removed=max(removed, uploaded),
                signs=frozenset(row["signals_expected"].split(";")),
            )


def moment(text: str) -> datetime:
    """Return the moment of a day, month or time; the first one of it. Raises ValueError."""
    whole = f"{text}-01" if len(text) == len("2024-05") else text
    read = datetime.fromisoformat(whole)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def first_version(text: str, name: str) -> str:
    """Return the first bad version; 1.0.0 where the table does not name one."""
    for part in text.split(";"):
        version = part.strip().removeprefix(name).strip().split("-")[0]
        if version[:1].isdigit():
            return version
    return "1.0.0"


def assumed(incident: Incident) -> Uploads:
    """Return three releases before, a month apart, where an honest project was there."""
    if not incident.is_takeover:
        return ()
    pause = _DORMANT if any("dormant" in sign for sign in incident.signs) else _MONTH
    last = incident.uploaded - pause
    return [
        *((f"0.0.{place}", last - (_ASSUMED - place) * _MONTH) for place in range(1, _ASSUMED)),
        (incident.last_good, last),
    ]


def past(incident: Incident, before: Uploads, now: datetime | None = None) -> Case:
    """Return the case at *now*, a few minutes after the first bad upload if it is not given."""
    uploads = [*before, (incident.bad, incident.uploaded)]
    unlinked = {"no_project_urls", "no_source_repo"} & incident.signs
    link: dict[str, Value] = {"repository": ""} if unlinked else {}
    first = incident.uploaded + AFTER
    return case_at(now or first, incident.name, uploads, link, first_seen=first)


def seen(case: Case, incident: Incident) -> Case:
    """Return *case* with what a gate that watched the project would have known beside it."""
    *before, newest = case.releases
    if "provenance_loss" in incident.signs:
        attested = [
            dataclasses.replace(one, files=tuple(replace(f, provenance=True) for f in one.files))
            for one in before
        ]
        bare = dataclasses.replace(
            newest, files=tuple(replace(f, provenance=False) for f in newest.files)
        )
        case = replace(case, releases=(*attested, bare))
    signals: dict[str, Value] = {}
    late = case.now - incident.uploaded >= TAGS_AFTER
    if "release_without_source_tag" in incident.signs and late:
        signals["tags"] = tuple(one.version for one in before)
        signals["repository"] = f"https://example.test/{incident.name}/{incident.name}"
    added = case_at(case.now, incident.name, (), signals).signals
    kept = {**case.signals, **added}
    return replace(case, signals=type(case.signals)(kept.values()))
