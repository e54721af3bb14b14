"""Back to versions of two years ago and older."""

from indexgate_policy.assessment import Case
from indexgate_policy.checks import mix_shift, series
from indexgate_policy.checks.definition import Definition
from indexgate_policy.downloads.kinds import VERSION_AGES
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.signals import Unknown

DEFINITION = Definition(
    id="version-shift",
    short="Many have gone back to versions of two years ago or older",
    motivation=(
        "Users who pin an old version all at once flee from a new one, and machines that fetch one "
        "old version count for nobody"
    ),
    computes=mix_shift.COMPUTES,
    source=mix_shift.SOURCE,
    minimum_data=mix_shift.MINIMUM,
    severity="Medium",
    known_false_alarms="A distribution with long-term support that takes up an old version",
    remediation="Read the issues of the newest releases before taking one",
)


def check(case: Case) -> Flag | Unknown | None:
    """Flag a project whose old versions have come back."""
    found = series.in_force(case, "version")
    if found is None or isinstance(found, Unknown):
        return found
    return mix_shift.flag_of(
        case,
        found,
        check=DEFINITION.id,
        part=f"versions {mix_shift.part_of(found, VERSION_AGES)}",
        severity=Severity.MEDIUM,
        also=None,
    )
