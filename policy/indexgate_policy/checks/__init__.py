"""Checks: one file each, with its definition and its function. `CHECKS` is the registration."""

from indexgate_policy.checks import (
    dormant_release,
    quarantined,
    release_burst,
    typosquat,
    version_jump,
    yanked,
)
from indexgate_policy.checks.definition import Check, Definition

CHECKS: tuple[Check, ...] = (
    Check(definition=quarantined.DEFINITION, run=quarantined.check),
    Check(definition=typosquat.DEFINITION, run=typosquat.check),
    Check(definition=dormant_release.DEFINITION, run=dormant_release.check),
    Check(definition=release_burst.DEFINITION, run=release_burst.check),
    Check(definition=version_jump.DEFINITION, run=version_jump.check),
    Check(definition=yanked.DEFINITION, run=yanked.check),
)
"""All checks in reading order."""

__all__ = ["CHECKS", "Check", "Definition"]
