"""Most downloads are of versions two years old or older."""

from datetime import timedelta

from indexgate_policy.assessment import Case
from indexgate_policy.checks import readings
from indexgate_policy.checks.definition import Definition
from indexgate_policy.checks.mixes import WEEKS, total, weekly
from indexgate_policy.checks.volume import recent
from indexgate_policy.downloads.kinds import VERSION_AGES
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.health.wording import count
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import age

DEFINITION = Definition(
    id="stale-majority",
    short="Most downloads are of versions two years old or older",
    motivation=(
        "Who stays on old versions does not get their repairs; and a project that is only fetched "
        "in old versions lives in lock files, not in use"
    ),
    computes=(
        "The share of four weeks' consumer downloads that went to versions out for two years or "
        "longer is half or more, and how many releases came in these two years"
    ),
    source="Science fl-1",
    minimum_data="500 consumer downloads in 28 days, with their versions; a project over 900 days",
    severity=(
        "Low when nothing newer exists or that is not known, else medium; whether the old versions "
        "have advisories is asked by the condition `advisory` at the time of the request"
    ),
    known_false_alarms="Finished libraries whose last version is simply old",
    remediation="Look whether a pin of your own holds an old version, and move it",
)

LEAST = 500
MAJORITY = 0.5
GROWN = timedelta(days=900)
OLD = timedelta(days=730)


def check(case: Case) -> Flag | Unknown | None:
    """Flag a project of which mostly old versions are fetched."""
    volume = recent(case)
    if isinstance(volume, Unknown):
        return volume
    known = age(case.project.first_upload, case.now)
    if isinstance(known, Unknown):
        return known
    if known < GROWN or volume.consumers < LEAST:
        return None
    share = _old_share(case)
    if isinstance(share, Unknown):
        return share
    if share < MAJORITY:
        return None
    newer = _released_since(case)
    if isinstance(newer, Unknown):
        severity, why = Severity.LOW, "how many releases came since is not known"
    elif newer == 0:
        severity, why = Severity.LOW, "nothing newer was released: finished or abandoned"
    else:
        severity, why = Severity.MEDIUM, f"{count(newer, 'release')} came since: people are pinned"
    return Flag(
        check=DEFINITION.id,
        severity=severity,
        evidence=f"{share:.0%} of downloads are of versions two years old or older; {why}",
        facts={"old_share": round(share, 3), "consumer_downloads": round(volume.consumers)},
    )


def _old_share(case: Case) -> float | Unknown:
    weeks = weekly(case, "version_ages")
    if isinstance(weeks, Unknown):
        return readings.number(case, "old_version_share")
    counts = total(weeks[-WEEKS:])
    if not counts or sum(counts) == 0:
        return Unknown(reason="the versions of the last four weeks' downloads are not known")
    return counts[VERSION_AGES.index("2 years or older")] / sum(counts)


def _released_since(case: Case) -> int | Unknown:
    dated = case.dated
    if isinstance(dated, Unknown):
        return dated
    return sum(at > case.now - OLD for at in dated.times)
