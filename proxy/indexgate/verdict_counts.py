"""How often the policy said what: of pages given out, and of files that were asked for."""

from collections import Counter
from collections.abc import Iterable
from typing import TypeAlias

from indexgate_policy.rules.verdict import Action, Verdict

MOST = 300
"""Most different pairs that are told apart: a policy that is edited often brings ever new rules."""

OTHER = "other"
"""The rule that stands for all that came after these."""

Said: TypeAlias = tuple[Action, str]
"""What was said, and by which rule; the rule is empty for what passes without a word."""

PASSED: Said = (Action.ALLOW, "")


class VerdictCounts:
    """Verdicts by action and rule.

    A page counts once for each rule by which it withholds or would warn; a file for the rule that
    refused it, or for each that warned.
    """

    def __init__(self) -> None:
        self.pages: Counter[Said] = Counter()
        self.files: Counter[Said] = Counter()

    def page(self, said: Iterable[Said], times: int = 1) -> None:
        """Count a page that was given out so many *times*."""
        for one in said:
            _count(self.pages, one, times)

    def file(self, verdict: Verdict, times: int = 1) -> None:
        """Count a file that was asked for so many *times*."""
        if verdict.refused:
            _count(self.files, (Action.REFUSE, verdict.rule), times)
        elif verdict.warnings:
            for rule in {warning.rule for warning in verdict.warnings}:
                _count(self.files, (Action.WARN, rule), times)
        else:
            _count(self.files, PASSED, times)


def _count(counts: Counter[Said], said: Said, times: int) -> None:
    if said not in counts and len(counts) >= MOST:
        said = (said[0], OTHER)
    counts[said] += times
