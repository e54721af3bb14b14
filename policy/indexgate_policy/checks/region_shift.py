"""Another country than ever before."""

from indexgate_policy.assessment import Case
from indexgate_policy.checks import mix_shift, series
from indexgate_policy.checks.definition import Definition
from indexgate_policy.downloads.kinds import REGIONS
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.signals import Unknown

DEFINITION = Definition(
    id="region-shift",
    short="The downloads come from another country than before",
    motivation="People do not move all at once; machines that fetch on somebody's behalf do",
    computes=mix_shift.COMPUTES,
    source=mix_shift.SOURCE + "; countries of pipelines and people only",
    minimum_data=mix_shift.MINIMUM,
    severity=(
        "Low; medium with another shift, surge, drop or burst of stars in force, or when its "
        "owners changed in the last 45 days"
    ),
    known_false_alarms="A service that moves to another cloud region, a course",
    remediation="Look at the timeline; do not take the number of downloads for trust",
)


def check(case: Case) -> Flag | Unknown | None:
    """Flag a project that is suddenly fetched from another country."""
    found = series.in_force(case, "region")
    if found is None or isinstance(found, Unknown):
        return found
    also = series.owners_changed(case) or series.moved_too(case, "region")
    return mix_shift.flag_of(
        case,
        found,
        check=DEFINITION.id,
        part=mix_shift.part_of(found, REGIONS),
        severity=Severity.MEDIUM if also else Severity.LOW,
        also=also,
    )
