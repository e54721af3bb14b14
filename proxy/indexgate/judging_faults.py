"""What could not be judged: such files are refused, and health tells how many and why."""

from collections.abc import Iterable

from indexgate_policy.rules.exemptions import GATE_FAULT
from indexgate_policy.rules.verdict import Verdict


class JudgingFaults:
    """Counts the verdicts that stand for a failure of the gate itself, and keeps the `last`."""

    def __init__(self) -> None:
        self.count = 0
        self.last: str | None = None

    def note(self, verdicts: Iterable[Verdict]) -> None:
        """Count those of *verdicts* that are such."""
        for verdict in verdicts:
            if verdict.rule == GATE_FAULT:
                self.count += 1
                self.last = verdict.explanation
