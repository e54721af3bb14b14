"""How many malicious, and how many other, first releases the flags and the policies catch.

    python -m tests.evaluation.first_releases STREAM

STREAM is a table of first sightings in a public release feed (tab separated, may be packed) with
the columns `name`, `first_version_seen`, `upload_time`, `looks_first_release`, `repo_host` and
`label`. Each is judged twice with what was known then: an hour after its upload, when everything
new is refused for its age, and a day later, when only the findings are left. No advisory is known.
Of links to a repository only the host was kept: each is taken for one of neither name.
"""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from msgspec.structs import replace

from indexgate_policy.advisories import Advisories
from indexgate_policy.assess import assess
from indexgate_policy.assessment import Assessment, Case
from indexgate_policy.checks.shares import wilson
from indexgate_policy.flags import Severity
from indexgate_policy.policies import shipped
from indexgate_policy.rules import document
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.judge import judge
from indexgate_policy.rules.verdict import Action, Verdict
from indexgate_policy.subject import Client
from tests.evaluation.past import case_at, is_popular, rows

MALICIOUS = {"malicious", "highly_suspicious"}
BENIGN = "presumed-benign"
FAR_UP = 90
SOON, LATER = timedelta(hours=1), timedelta(hours=25)
NO_ADVISORY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One first release: its flags an hour after it, the verdicts then and a day later."""

    label: str
    flags: Assessment
    verdicts: Mapping[str, Verdict]


def main() -> None:
    """Print the table."""
    groups = defaultdict(list)
    for row in rows(Path(sys.argv[1])):
        if is_first(row) and not is_popular(row["name"]):
            seen = see(row)
            groups[seen.label].append(seen)
    labels = sorted(groups, key=lambda label: (label == BENIGN, label))
    print("| what | " + " | ".join(f"{label} ({len(groups[label])})" for label in labels) + " |")
    print("| --- |" + " --- |" * len(labels))
    for what, holds in MEASURES:
        print(f"| {what} | " + " | ".join(share(groups[label], holds) for label in labels) + " |")


def is_first(row: Mapping[str, str]) -> bool:
    """Tell whether the row looks like a first release: by its number, or by one far too high.

    The feed was not read from the beginning, so other numbers may be updates of older projects.
    """
    leading = row["first_version_seen"].partition(".")[0]
    far_up = leading.isdecimal() and FAR_UP <= int(leading) < 1900
    return row["looks_first_release"] == "yes" or (far_up and row["label"] != "compromised-legit")


def see(row: Mapping[str, str]) -> Seen:
    """Judge the first release of *row* as it would have been judged then."""
    at = datetime.fromisoformat(row["upload_time"]).astimezone(UTC)
    link = "https://example.test/somebody/something" if row["repo_host"] else ""
    uploads = [(row["first_version_seen"], at)]
    case = case_at(at + SOON, row["name"], uploads, {"repository": link})
    soon, later = known(case), known(replace(case, now=at + LATER))
    file = case.releases[0].files[0]
    return Seen(
        label="malicious" if row["label"] in MALICIOUS else row["label"],
        flags=soon,
        verdicts={
            f"{policy} {when}": judge(file, facts, rules(policy), Client(), facts.assessed_at)
            for policy in ("balanced", "strict")
            for when, facts in (("at once", soon), ("a day later", later))
        },
    )


def known(case: Case) -> Assessment:
    """Return the assessment of *case* with a feed that was just read and says nothing."""
    feed = Advisories(records=(), feed=case.now - NO_ADVISORY)
    return replace(assess(case), advisories=feed)


@cache
def rules(policy: str) -> Policy:
    """Return the shipped *policy*; no rule of it depends on when it is read."""
    return document.parse(shipped(policy), source=policy, now=datetime.now(UTC))


def flagged(check: str, least: Severity) -> Callable[[Seen], bool]:
    """Return the test for a flag of *check* of at least this severity, an hour after the upload."""

    def test(seen: Seen) -> bool:
        flag = seen.flags.flag(check)
        return flag is not None and flag.severity >= least

    return test


def said(policy: str, least: Action) -> Callable[[Seen], bool]:
    """Return the test for a policy's refusal, or for that or a warning."""

    def test(seen: Seen) -> bool:
        found = seen.verdicts[policy]
        return found.refused or (least is Action.WARN and bool(found.warnings))

    return test


MEASURES: tuple[tuple[str, Callable[[Seen], bool]], ...] = (
    ("typosquat high", flagged("typosquat", Severity.HIGH)),
    ("typosquat medium or more", flagged("typosquat", Severity.MEDIUM)),
    ("phantom-name", flagged("phantom-name", Severity.LOW)),
    ("version-jump high", flagged("version-jump", Severity.HIGH)),
    ("any flag of medium or more", lambda seen: _worst(seen) >= Severity.MEDIUM),
    ("balanced refuses at once", said("balanced at once", Action.REFUSE)),
    ("balanced refuses a day later", said("balanced a day later", Action.REFUSE)),
    ("balanced refuses or warns a day later", said("balanced a day later", Action.WARN)),
    ("strict refuses a day later", said("strict a day later", Action.REFUSE)),
)


def _worst(seen: Seen) -> Severity:
    return max((flag.severity for flag in seen.flags.flags), default=Severity.INFO)


def share(group: Iterable[Seen], holds: Callable[[Seen], bool]) -> str:
    """Return how many of *group* the test holds for, with the 95 % interval."""
    answers = [holds(seen) for seen in group]
    low, high = wilson(sum(answers), len(answers))
    part = sum(answers) / len(answers)
    return f"{sum(answers)} = {part:.1%} ({low:.1%} to {high:.1%})"


if __name__ == "__main__":
    main()
