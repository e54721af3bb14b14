"""Checks: one file each, with its definition and its function. `CHECKS` is the registration."""

from indexgate_policy.checks import typosquat
from indexgate_policy.checks.definition import Check, Definition

CHECKS: tuple[Check, ...] = (Check(definition=typosquat.DEFINITION, run=typosquat.check),)
"""All checks in reading order."""

__all__ = ["CHECKS", "Check", "Definition"]
