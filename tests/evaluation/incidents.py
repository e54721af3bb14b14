"""What the flags from facts would have said of known incidents, and of ordinary releases.

    python -m tests.evaluation.incidents FOLDER

FOLDER holds `incidents.tsv` (known incidents: the bad versions, when they came and went, and the
signs that were visible), `release-histories-dev.json.gz` (releases of ordinary and of attacked
projects as a public feed showed them) and `benign-hard-cases-dev.tsv`. Nothing later than the first
bad upload is used, and no advisory.

An incident is judged twice: by the name and the release times alone, and with what a gate that had
watched tags, attestations and owners would have known, as far as the table says that it was to be
seen (column "watched"). Where the releases before are not listed, three a month apart stand for
them.
"""

import gzip
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

from packaging.utils import canonicalize_name

from indexgate.replay.incidents import (
    AFTER,
    TAGS_AFTER,
    Incident,
    assumed,
    incidents,
    moment,
    past,
    seen,
)
from indexgate_policy.assess import assess
from indexgate_policy.assessment import Assessment
from indexgate_policy.checks import CHECKS, Check
from indexgate_policy.flags import Severity
from tests.evaluation.past import case_at, rows

TRUNCATED = timedelta(days=60)  # a list that begins in the middle says nothing of first releases
WAITING = timedelta(hours=24)
Histories: TypeAlias = Mapping[str, list[tuple[str, datetime, str]]]


def main() -> None:
    """Print the incidents, then how often the same checks speak on ordinary releases."""
    folder = Path(sys.argv[1])
    histories, longer = read_histories(folder / "release-histories-dev.json.gz")
    print("| incident | project | up for | by name and releases | watched | release age of 24 h |")
    print("| --- | --- | --- | --- | --- | --- |")
    for incident in read_incidents(folder / "incidents.tsv"):
        print(line(incident, histories))
    print()
    print_ordinary(histories, "a half year's")
    print()
    # One look a week cannot tell how many releases a day had.
    unsampled = [check for check in CHECKS if check.definition.id != "release-burst"]
    print_ordinary(longer, "five years', sampled weekly,", unsampled)
    print()
    print_odd_numbers(folder / "benign-hard-cases-dev.tsv")


def read_incidents(path: Path) -> Iterator[Incident]:
    """Yield each project of each incident that was one."""
    return (one for one in incidents(rows(path)) if not one.is_benign)


def read_histories(path: Path) -> tuple[Histories, Histories]:
    """Return (version, upload, repository) of each project, earliest first: all, and over years."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        document = json.load(file)
    kept = {
        name: sorted((upload_of(one) for one in uploads), key=lambda upload: upload[1])
        for group in document["groups"].values()
        for name, uploads in group.items()
    }
    longer = {}
    for name, seen_then in document["long"].items():
        uploads = {version: (version, moment(at), "") for _, version, at, *_ in seen_then if at}
        longer[name] = sorted(uploads.values(), key=lambda upload: upload[1])
    return kept, longer


def upload_of(kept: Sequence[str]) -> tuple[str, datetime, str]:
    """Return version, time and repository; of hosts of no name only that there was one is kept."""
    version, at, link = kept[0], kept[1], kept[4]
    host, _, path = link.partition(":")
    return version, moment(at), f"https://{host}.example.test/{path.lower()}" if path else ""


def line(incident: Incident, histories: Histories) -> str:
    """Return the row of the table."""
    kept = histories.get(canonicalize_name(incident.name), [])
    listed = [(v, at) for v, at, _ in kept if at < incident.uploaded and v != incident.bad]
    up = incident.removed - incident.uploaded
    plain = told(assess(past(incident, listed)))
    later = past(incident, listed or assumed(incident), incident.uploaded + TAGS_AFTER)
    watched = told(assess(seen(later, incident)))
    waits = "refused until removed" if up < WAITING else "refused for the first day"
    shown = f"{up.days} d" if up >= WAITING else "under a day"
    return f"| {incident.id} | {incident.name} | {shown} | {plain} | {watched} | {waits} |"


def told(assessment: Assessment) -> str:
    """Return the flags and their severities."""
    return ", ".join(f"{flag.check} {flag.severity.label}" for flag in assessment.flags) or "-"


def print_ordinary(histories: Histories, of_what: str, checks: Sequence[Check] = CHECKS) -> None:
    """Print how often each check speaks right after an ordinary release."""
    releases, projects = 0, set()
    flags: Counter[tuple[str, Severity]] = Counter()
    of: defaultdict[str, set[str]] = defaultdict(set)
    for name, kept in histories.items():
        for place, (_, at, link) in enumerate(kept):
            if at < kept[0][1] + TRUNCATED:
                continue
            releases += 1
            projects.add(name)
            before = kept[place - 1][2]
            changed = {
                "repository_changed_on": at.date().isoformat(),
                "repository_before": before,
                "repository": link,
            }
            signals = changed if link and before and link != before else {}
            case = case_at(at + AFTER, name, [(v, when) for v, when, _ in kept], signals)
            for flag in assess(case, checks).flags:
                flags[flag.check, flag.severity] += 1
                of[flag.check].add(name)
    print(f"{releases} of {of_what} releases of {len(projects)} projects, minutes after each:")
    print()
    print("| flag | severity | releases | per 1,000 | projects with the flag at any severity |")
    print("| --- | --- | --- | --- | --- |")
    for (check, severity), count in sorted(flags.items()):
        rate = 1000 * count / releases
        print(f"| {check} | {severity.label} | {count} | {rate:.1f} | {len(of[check])} |")


def print_odd_numbers(path: Path) -> None:
    """Print how many honest calendar and large numbers would pass for a first release far up."""
    odd = [row for row in rows(path) if row["case"] in {"calendar-version", "high-major-version"}]
    at = datetime(2026, 6, 1, tzinfo=UTC)
    flagged: Counter[str] = Counter()
    for row in odd:
        case = case_at(at + AFTER, row["name"], [(row["since_or_value"], at)], {})
        flagged[row["case"]] += assess(case).flag("version-jump") is not None
    every = Counter(row["case"] for row in odd)
    for kind, count in sorted(every.items()):
        print(f"{kind}: version-jump on {flagged[kind]} of {count}, were each a first release")


if __name__ == "__main__":
    main()
