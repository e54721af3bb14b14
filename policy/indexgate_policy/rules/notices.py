"""What is legal in a policy but surely not meant, for its reader to be told at start."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from indexgate_policy.rules.exemptions import Exemption
from indexgate_policy.rules.expression import Condition
from indexgate_policy.rules.rule import Rule
from indexgate_policy.rules.verdict import Action


def of_rules(rules: tuple[Rule, ...], checks: Collection[str] | None) -> Iterator[str]:
    """Yield what is odd about *rules*, where only flags of *checks* are computed (None: of all)."""
    if not rules:
        yield "the policy has no rules, so it allows all"
    for number, rule in enumerate(rules):
        for above in rules[:number]:
            if above.action is Action.REFUSE and above.unless is None and _same(above, rule):
                yield f"the rule `{rule.id}` can never match: `{above.id}` refuses the same before"
        missing = sorted(rule.flags - set(checks if checks is not None else rule.flags))
        if missing:
            names = ", ".join(f"`{name}`" for name in missing)
            yield f"the rule `{rule.id}` waits for flags that are not computed yet: {names}"


def _same(left: Rule, right: Rule) -> bool:
    """Tell whether two rules ask for the very same one condition."""
    if not isinstance(left.when, Condition) or not isinstance(right.when, Condition):
        return False
    return (left.when.written, left.when.value) == (right.when.written, right.when.value)


def of_exemptions(
    waived: tuple[Exemption, ...], longest: timedelta | None, now: datetime
) -> Iterator[str]:
    """Yield which exemptions are over at *now*, or end later than the *longest* may from then."""
    for exemption in waived:
        rules = ", ".join(f"`{rule}`" for rule in sorted(exemption.rules))
        what = f"the exemption of `{exemption.written}` from {rules}"
        if exemption.ends <= now:
            yield f"{what} expired at the end of {exemption.expires} and waives nothing"
        elif longest is not None and exemption.granted is None and exemption.ends - now > longest:
            yield f"{what} ends on {exemption.expires}, later than `max_exemption` from now"
