"""Checks: one file each, with its definition and its function. `CHECKS` is the registration."""

from indexgate_policy.checks import (
    automation_only,
    automation_shift,
    clockwork,
    dormant_release,
    download_surge,
    downloads_without_engagement,
    drop_part,
    drop_to_zero,
    installer_mix_shift,
    maintainer_change,
    malware,
    milestone_gap,
    new_10k,
    packaging_change,
    phantom_name,
    popular_here_only,
    provenance_lost,
    quarantined,
    region_concentration,
    region_shift,
    release_burst,
    repo_mismatch,
    stale_majority,
    star_inflation,
    typosquat,
    version_jump,
    version_shift,
    yanked,
)
from indexgate_policy.checks.definition import Check, Definition

SERIES_CHECKS: tuple[Check, ...] = (
    Check(definition=download_surge.DEFINITION, run=download_surge.check, ages=False),
    Check(definition=drop_to_zero.DEFINITION, run=drop_to_zero.check, ages=False),
    Check(definition=drop_part.DEFINITION, run=drop_part.check, ages=False),
    Check(definition=star_inflation.DEFINITION, run=star_inflation.check, ages=False),
    Check(definition=automation_shift.DEFINITION, run=automation_shift.check, ages=False),
    Check(definition=installer_mix_shift.DEFINITION, run=installer_mix_shift.check, ages=False),
    Check(definition=version_shift.DEFINITION, run=version_shift.check, ages=False),
    Check(definition=region_shift.DEFINITION, run=region_shift.check, ages=False),
)
"""The checks that find something only where `series.findings` does, so that many projects can be
looked at together first."""

CHECKS: tuple[Check, ...] = (
    Check(definition=quarantined.DEFINITION, run=quarantined.check, ages=False),
    Check(definition=malware.DEFINITION, run=malware.check, ages=False),
    Check(definition=typosquat.DEFINITION, run=typosquat.check),
    Check(definition=phantom_name.DEFINITION, run=phantom_name.check),
    Check(definition=version_jump.DEFINITION, run=version_jump.check),
    Check(definition=dormant_release.DEFINITION, run=dormant_release.check),
    Check(definition=maintainer_change.DEFINITION, run=maintainer_change.check),
    Check(definition=provenance_lost.DEFINITION, run=provenance_lost.check),
    Check(definition=repo_mismatch.DEFINITION, run=repo_mismatch.check),
    Check(definition=packaging_change.DEFINITION, run=packaging_change.check),
    Check(definition=release_burst.DEFINITION, run=release_burst.check),
    Check(definition=new_10k.DEFINITION, run=new_10k.check),
    Check(
        definition=downloads_without_engagement.DEFINITION, run=downloads_without_engagement.check
    ),
    Check(definition=milestone_gap.DEFINITION, run=milestone_gap.check),
    Check(definition=automation_only.DEFINITION, run=automation_only.check),
    Check(definition=clockwork.DEFINITION, run=clockwork.check, ages=False),
    Check(definition=region_concentration.DEFINITION, run=region_concentration.check, ages=False),
    Check(definition=popular_here_only.DEFINITION, run=popular_here_only.check),
    Check(definition=stale_majority.DEFINITION, run=stale_majority.check),
    *SERIES_CHECKS,
    Check(definition=yanked.DEFINITION, run=yanked.check, ages=False),
)
"""All checks in reading order."""

__all__ = ["CHECKS", "SERIES_CHECKS", "Check", "Definition"]
