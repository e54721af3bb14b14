"""Whether a policy can tell two assessments of a project apart.

Projects are assessed again in the background, most often with the same outcome. What was judged by
the one before need not be judged again then; that would be to read a whole page for nothing.
"""

from collections.abc import Mapping

from indexgate_policy.advisories import Advisories
from indexgate_policy.assess import FAILED_CHECK, unchecked_by
from indexgate_policy.assessment import Assessment
from indexgate_policy.flags import Flag
from indexgate_policy.health.result import HealthScore
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.reads import Reads, minds
from indexgate_policy.signals import Signals, Unknown

_ANY_SIGNAL = "signal"
"""The condition that reads whatever signal it names."""

_READ = ("owners", "human_installs", "human_installs_low", "human_installs_high")
"""The signals that other conditions read."""

_POINTS, _CONFIDENCE = 0.01, 0.005
"""What a score may differ by: within the day that an assessment holds, age alone makes as much."""


def indifferent(policy: Policy, before: Assessment, now: Assessment) -> bool:
    """Tell whether *policy* says the same of a page by *now* as by *before*.

    Both are of one project, with the advisories as they were at their time. That the feed was read
    since is no difference: by the older reading it is the sooner too old.
    """
    reads = policy.reads
    old, new = Signals(before.inputs), Signals(now.inputs)
    return (
        _read(reads, before.flags) == _read(reads, now.flags)
        and _same_to(reads, before.score, now.score)
        and _same_advisories(before.advisories, now.advisories)
        and _failed(reads, old) == _failed(reads, new)
        and _same_checks(policy, unchecked_by(old), unchecked_by(new))
        and (not reads.signals or all(old.value(name) == new.value(name) for name in _READ))
        and (not _reads_any(policy) or _values(old) == _values(new))
    )


def _read(reads: Reads, flags: tuple[Flag, ...]) -> list[Flag]:
    return [flag for flag in flags if reads.asks(flag.check)]


def _same_to(reads: Reads, old: HealthScore | Unknown, new: HealthScore | Unknown) -> bool:
    least = reads.score
    if least is None or not (_counts(old, least) or _counts(new, least)):
        return True
    return _same_score(old, new)


def _counts(score: HealthScore | Unknown, least: float) -> bool:
    """Tell whether a rule may go by *score*; without one it may where it asks for no confidence."""
    return least <= 0 if isinstance(score, Unknown) else score.confidence >= least


def _same_score(old: HealthScore | Unknown, new: HealthScore | Unknown) -> bool:
    if isinstance(old, Unknown) or isinstance(new, Unknown):
        return old == new
    return (
        (old.grade, old.caps, round(old.value)) == (new.grade, new.caps, round(new.value))
        and abs(old.value - new.value) < _POINTS
        and abs(old.confidence - new.confidence) < _CONFIDENCE
    )


def _same_advisories(old: Advisories | Unknown, new: Advisories | Unknown) -> bool:
    if isinstance(old, Unknown) or isinstance(new, Unknown):
        return old == new
    unread = old.feed if isinstance(old.feed, Unknown) else None
    still = new.feed if isinstance(new.feed, Unknown) else None
    return (old.records, old.applicable, unread) == (new.records, new.applicable, still)


def _failed(reads: Reads, signals: Signals) -> set[str]:
    failed = {name.removeprefix(FAILED_CHECK) for name in signals if name.startswith(FAILED_CHECK)}
    return set(filter(reads.asks, failed))


def _same_checks(policy: Policy, old: Mapping[str, str], new: Mapping[str, str]) -> bool:
    """Tell whether it is no difference to any rule which checks could not look, and why."""
    turned = {check for check in old.keys() | new.keys() if old.get(check) != new.get(check)}
    return not any(minds(rule, turned) for rule in policy.rules)


def _reads_any(policy: Policy) -> bool:
    return any(_ANY_SIGNAL in rule.names for rule in policy.rules)


def _values(signals: Signals) -> dict[str, object]:
    return {one.name: one.value for one in signals.values()}
