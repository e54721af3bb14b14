"""The conditions of the policy language, in reading order. A new one is one more line here."""

from indexgate_policy.rules.conditions import (
    advice,
    ages,
    asker,
    facts,
    findings,
    health,
    names,
    standing,
)
from indexgate_policy.rules.conditions.definition import Definition, Scope, Test, UsualTest

ALL: tuple[Definition, ...] = (
    names.PROJECT,
    names.VERSION,
    names.FILE,
    ages.RELEASE_AGE,
    ages.FILE_AGE,
    ages.PROJECT_AGE,
    ages.FIRST_SEEN,
    standing.STATUS,
    standing.YANKED,
    standing.KIND,
    standing.PROVENANCE,
    health.HEALTH,
    health.CONFIDENCE,
    health.GRADE,
    health.HUMAN_INSTALLS,
    findings.FLAG,
    findings.ANY_FLAG,
    advice.ADVISORY,
    advice.FIXES_ADVISORY,
    facts.OWNERS,
    facts.RELEASES,
    facts.SIGNAL,
    asker.CLIENT,
)

BY_NAME = {definition.name: definition for definition in ALL}

__all__ = ["ALL", "BY_NAME", "Definition", "Scope", "Test", "UsualTest"]
