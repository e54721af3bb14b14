"""Another installer than ever before."""

from indexgate_policy.assessment import Case
from indexgate_policy.checks import mix_shift, series
from indexgate_policy.checks.definition import Definition
from indexgate_policy.downloads.kinds import INSTALLERS
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.signals import Unknown

DEFINITION = Definition(
    id="installer-mix-shift",
    short="The downloads come by other tools than before",
    motivation=(
        "Scripts and unknown clients that take the place of installers are somebody's machine, "
        "not somebody's choice"
    ),
    computes=mix_shift.COMPUTES,
    source=mix_shift.SOURCE,
    minimum_data=mix_shift.MINIMUM,
    severity="Low; medium when downloads surged too or its owners changed in the last 45 days",
    known_false_alarms="A large user that moves to another installer",
    remediation="Look at the timeline; do not take the number of downloads for trust",
)


def check(case: Case) -> Flag | Unknown | None:
    """Flag a project whose mix of installers has shifted."""
    found = series.in_force(case, "installer")
    if found is None or isinstance(found, Unknown):
        return found
    surge = series.in_force(case, "surge")
    surged = surge is not None and not isinstance(surge, Unknown) and not surge.is_explained
    also = series.owners_changed(case) or ("downloads surged too" if surged else None)
    return mix_shift.flag_of(
        case,
        found,
        check=DEFINITION.id,
        part=mix_shift.part_of(found, INSTALLERS),
        severity=Severity.MEDIUM if also else Severity.LOW,
        also=also,
    )
