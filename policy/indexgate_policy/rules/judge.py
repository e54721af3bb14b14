"""Judging a file: the rules in order, refuse ends, warn collects, exemptions waive.

`judge` answers for one file, `page` for all files of a project. Both ask a `Bench`, so they cannot
come to different answers.
"""

from datetime import datetime

from msgspec import Struct

from indexgate_policy.assessment import Assessment
from indexgate_policy.rules.conditions import Scope
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.exemptions import GATE_FAULT, QUARANTINED, Exemption
from indexgate_policy.rules.kleene import earlier
from indexgate_policy.rules.known import Known, gather
from indexgate_policy.rules.malware import is_malware, keeps_out
from indexgate_policy.rules.plan import Plan, Ruling, plan, rule_on
from indexgate_policy.rules.refusal import explanation, hint
from indexgate_policy.rules.rule import Rule
from indexgate_policy.rules.usual import Apart
from indexgate_policy.rules.verdict import ALLOWED, Action, Verdict, Warned
from indexgate_policy.rules.wording import REASON_LENGTH, moment_after, plain
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Client, File

_STEPS = 4
"""How many moments ahead are tried to find out when a refused file passes by itself."""


def judge(
    file: File, assessment: Assessment | Unknown, policy: Policy, client: Client, now: datetime
) -> Verdict:
    """Return what *policy* says of *file* for *client* at *now* (an aware time).

    Never raises: what cannot be judged is refused under the rule `gate-fault`. Whether a file is
    refused for the sake of another one of its version is for `page.judge_release`.
    """
    try:
        return Bench(policy, gather(assessment, client, now, policy.max_feed_age)).verdict(file)
    except Exception as error:
        return fault(error)


def fault(error: Exception) -> Verdict:
    """Return the refusal of a file that could not be judged because of *error*.

    It leans on nothing of the file, since that may be what is broken.
    """
    return Verdict(
        action=Action.REFUSE,
        rule=GATE_FAULT,
        reason="indexgate failed while it judged this file, so the file is refused",
        explanation=plain(f"{type(error).__name__}: {error}", 400),
        hint="this is a fault of the gate, not of the package; please report it",
    )


class Weighed(Struct, frozen=True, kw_only=True):
    """What all rules together say: the one that refuses, what warns, the rules waived by what."""

    refusing: Ruling | None
    warning: tuple[Warned, ...]
    waived: tuple[tuple[str, Exemption], ...]
    until: datetime | None


class Bench:
    """A policy with the facts of one project at one moment. What a rule says of it is asked once.

    All files given to it must be of that project.
    """

    __slots__ = ("_ahead", "_known", "_plan", "_quiet", "_singling", "by_file", "policy")

    def __init__(self, policy: Policy, known: Known) -> None:
        self.policy = policy
        self._known = known
        self._plan: Plan | None = None
        self._quiet: dict[datetime | None, Verdict] = {None: ALLOWED}
        self._ahead: dict[datetime, Bench] = {}
        self.by_file = any(rule.scope is Scope.FILE for rule in policy.rules)
        self._singling = frozenset(rule.id for rule in policy.rules if rule.singles_out)

    def singles_out(self, rule: str) -> bool:
        """Tell whether the rule with this id refuses single files of a version."""
        return rule in self._singling

    def verdict(self, file: File) -> Verdict:
        """Return the verdict of *file*. Raises what a malformed file makes it raise."""
        if file.project.status == QUARANTINED:
            return _quarantined(file)
        weighed = self.weigh(file)
        if not isinstance(weighed, Weighed):
            return self._allowed(weighed)
        warnings = weighed.warning
        if weighed.refusing is not None:
            return self._refused(file, weighed, weighed.refusing, warnings)
        first = warnings[0] if warnings else Warned(rule="", reason="")
        return Verdict(
            action=Action.WARN if warnings else Action.ALLOW,
            rule=first.rule,
            reason=first.reason,
            warnings=warnings,
            waived=_rules_of(weighed),
            exemptions=_exemptions_of(weighed),
            until=weighed.until,
        )

    def weigh(self, file: File) -> Weighed | datetime | None:
        """Put the rules to *file* in order, up to the first that refuses and is not waived.

        When none says anything: the first moment at which one may, or None.
        """
        refusing: Ruling | None = None
        warning: list[Warned] = []
        waived: list[tuple[str, Exemption]] = []
        until: datetime | None = None
        for rule, settled in self._planned(file).steps:
            ruling = settled or self._ask(rule, file)
            if not isinstance(ruling, Ruling):
                until = earlier(until, ruling)
                continue
            until = earlier(until, ruling.until)
            waiver = self._waiver(rule, file)
            if waiver is not None:
                waived.append((rule.id, waiver))
                until = earlier(until, waiver.ends)
                if ruling.action is Action.REFUSE:
                    warning.append(_waived(ruling, waiver))
            elif ruling.action is Action.WARN:
                warning.append(Warned(rule=rule.id, reason=_reason(ruling)))
            else:
                refusing = ruling
                break
        if refusing is None and not warning and not waived:
            return until
        return Weighed(refusing=refusing, warning=tuple(warning), waived=tuple(waived), until=until)

    def apart(self, file: File) -> tuple[Apart, ...] | None:
        """Return the tests for releases of *file*'s project that may be judged unlike the others.

        The releases that none of them picks out have one verdict, unless it is a refusal, which
        names the version. None: any two may differ.
        """
        planned = self._planned(file)
        ruling = {rule.id for rule, settled in planned.steps if isinstance(settled, Ruling)}
        for each in self.policy.exemptions if ruling else ():
            same = each.version is None and each.packages is None and not each.spares_malware
            of_it = each.projects.fullmatch(file.project.name) is not None
            if of_it and not same and not ruling.isdisjoint(each.rules):
                return None
        return planned.apart

    def _planned(self, file: File) -> Plan:
        if self._plan is None:
            self._plan = plan(self.policy, file, self._known)
        return self._plan

    def _waiver(self, rule: Rule, file: File) -> Exemption | None:
        if not self.policy.exemptions:
            return None
        malware = is_malware(file, self._known)
        known = self._known
        return self.policy.waiver(rule.id, file, known.client, known.now, malware=malware)

    def _holds_at_once(self, file: File, refusing: Rule) -> bool:
        """Tell whether *file* is malware to a rule that stands: whichever rule says so first.

        Or whether it is only refused because nothing waives a rule for malware.
        """
        if not is_malware(file, self._known):
            return False
        if any(keeps_out(rule) and self._waiver(rule, file) is None for rule in self.policy.rules):
            return True
        known = self._known
        return self.policy.waiver(refusing.id, file, known.client, known.now) is not None

    def _ask(self, rule: Rule, file: File) -> Ruling | datetime | None:
        return rule_on(rule, file, self._known, f"{file.project.name} {file.version}")

    def _allowed(self, until: datetime | None) -> Verdict:
        """Return the verdict that says nothing until then: one object for all files alike."""
        verdict = self._quiet.get(until)
        if verdict is None:
            verdict = self._quiet[until] = Verdict(action=Action.ALLOW, until=until)
        return verdict

    def _refused(
        self, file: File, weighed: Weighed, ruling: Ruling, warnings: tuple[Warned, ...]
    ) -> Verdict:
        passes = self._passes_from(file, weighed.until)
        clock = f"; policy passes it from {moment_after(passes)}" if passes else ""
        return Verdict(
            action=Action.REFUSE,
            rule=ruling.rule.id,
            reason=plain(_reason(ruling), REASON_LENGTH - len(clock)) + clock,
            explanation=explanation(file, ruling.rule, ruling.why, self._known.now),
            hint=hint(file, ruling.rule, self._known, passes),
            warnings=warnings,
            waived=_rules_of(weighed),
            exemptions=_exemptions_of(weighed),
            until=weighed.until,
            at_once=self._holds_at_once(file, ruling.rule),
        )

    def _passes_from(self, file: File, until: datetime | None) -> datetime | None:
        """Return the first moment at which time alone lets *file* pass, if the facts stay so."""
        for _ in range(_STEPS):
            if until is None:
                return None
            if until not in self._ahead:
                self._ahead[until] = Bench(self.policy, self._known.at(until))
            ahead = self._ahead[until].weigh(file)
            if not isinstance(ahead, Weighed) or ahead.refusing is None:
                return until
            until = ahead.until
        return None


def _reason(ruling: Ruling) -> str:
    return ruling.rule.reason or plain(ruling.why) or f"the rule {ruling.rule.id} holds"


def _waived(ruling: Ruling, waiver: Exemption) -> Warned:
    """Return the warning that stands in the place of a refusal that is waived."""
    reason = plain(f"{plain(waiver.said, REASON_LENGTH)}: {_reason(ruling)}", 2 * REASON_LENGTH)
    return Warned(rule=ruling.rule.id, reason=reason, exemption=waiver.id)


def _rules_of(weighed: Weighed) -> tuple[str, ...]:
    return tuple(rule for rule, _ in weighed.waived)


def _exemptions_of(weighed: Weighed) -> tuple[str, ...]:
    return tuple(dict.fromkeys(waiver.id for _, waiver in weighed.waived))


def _quarantined(file: File) -> Verdict:
    project = file.project
    reason = f" ({project.status_reason})" if project.status_reason else ""
    return Verdict(
        action=Action.REFUSE,
        rule=QUARANTINED,
        reason=plain(f"{project.name} is quarantined upstream{reason}"),
        explanation=(
            "The index keeps this project in quarantine, which it does to projects that may harm "
            "whoever installs them. No policy and no exemption passes its files."
        ),
        hint="wait for the index to review it, or use another project",
        at_once=True,
    )
