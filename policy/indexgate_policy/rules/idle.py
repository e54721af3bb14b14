"""Whether an exemption still has something to waive."""

from collections.abc import Iterable
from datetime import datetime

from indexgate_policy.assessment import Assessment
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.exemptions import REMOVED_UPSTREAM, Exemption
from indexgate_policy.rules.known import Known, gather
from indexgate_policy.rules.plan import Ruling, rule_on
from indexgate_policy.rules.rule import Rule
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Client, File


def lost(exemption: Exemption, policy: Policy) -> frozenset[str]:
    """Return the rules that *exemption* waives and that *policy* does not have (any more)."""
    known = {rule.id for rule in policy.rules} | {REMOVED_UPSTREAM}
    return frozenset(rule for rule in exemption.rules if rule not in known)


def quiet(
    exemption: Exemption,
    files: Iterable[File],
    assessment: Assessment | Unknown,
    policy: Policy,
    now: datetime,
) -> bool | Unknown:
    """Tell whether no rule that *exemption* waives says anything of the *files* that it covers.

    The *files* are of one project, and *assessment* is that project's. Where nobody can tell now,
    or who asks decides, it is unknown, unless the rule warns or refuses for that. Raises what a
    malformed file makes it raise.
    """
    if REMOVED_UPSTREAM in exemption.rules:
        return False  # what is no longer listed is not among the files
    asker = Client() if exemption.team is None else Client(team=exemption.team)
    known = gather(assessment, asker, now, policy.max_feed_age)
    doubt: Unknown | None = None
    waived = [rule for rule in policy.rules if rule.id in exemption.rules]
    for file in filter(exemption.covers, files):
        for rule in waived:
            if isinstance(rule_on(rule, file, known, file.project.name), Ruling):
                return False
            doubt = doubt or _doubt(rule, file, known)
    return doubt or True


def _doubt(rule: Rule, file: File, known: Known) -> Unknown | None:
    """Return why a *rule* that says nothing of *file* now may do so all the same."""
    if "client" in rule.names:
        return Unknown(reason=f"what `{rule.id}` says depends on who asks")
    when = rule.when.judge(file, known)
    return Unknown(reason=when.why) if when.truth is None else None
