"""What may be asked for and granted: names, rules and spans of time held against the policy."""

import math
import re
from collections.abc import Iterable
from datetime import date, timedelta

from msgspec import Struct
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from indexgate.errors import GateError
from indexgate.store.exemption_requests import Wish
from indexgate_policy.rules import durations, malware
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.exemptions import BUILT_IN, NOT_WAIVABLE, REMOVED_UPSTREAM
from indexgate_policy.rules.strict import suggest

LONGEST_REASON = 300
_TARGET = re.compile(r"([A-Za-z0-9*?][A-Za-z0-9._*?-]*)\s*([=<>!~].*)?")
_GLOB = re.compile(r"[*?]")


class Target(Struct, frozen=True, kw_only=True):
    """What an exemption is for: a name or a pattern, and PEP 440 specifiers (empty: all)."""

    project: str
    version: str = ""

    @property
    def is_one_version(self) -> bool:
        """Whether it is one version of one project, and no pattern of either."""
        pins = [each for each in SpecifierSet(self.version) if each.operator in ("==", "===")]
        wide = _GLOB.search(self.project) or any(each.version.endswith("*") for each in pins)
        return bool(pins) and not wide


def target(text: str) -> Target:
    """Return what *text* (`demo`, `demo==2.0`, `internal-*`) names. Raises GateError."""
    match = _TARGET.fullmatch(text.strip())
    try:
        version = "" if match is None or match[2] is None else str(SpecifierSet(match[2]))
    except InvalidSpecifier:
        match = None
    if match is None:
        raise GateError(
            "exempt-name",
            f"`{ascii(text[:200])[1:-1]}` names no project and version",
            "Write `demo`, `demo==2.0`, `demo>=2,<3`, or a pattern such as `internal-*`.",
        )
    return Target(project=canonicalize_name(match[1]), version=version)


def line(text: str, flag: str) -> str:
    """Return *text* if it is one short line that can be printed. Raises GateError."""
    stripped = text.strip()
    if not stripped or len(stripped) > LONGEST_REASON or not stripped.isprintable():
        raise GateError(
            "exempt-text",
            f"`{flag}` is not one line of 1 to {LONGEST_REASON} printable characters",
        )
    return stripped


def days(text: str, policy: Policy) -> int:
    """Return the whole days that *text* means, held against *policy*. Raises GateError."""
    try:
        span = durations.parse(text)
    except ValueError as error:
        raise GateError(
            "exempt-span", f"`{ascii(text[:100])[1:-1]}` is no span of time", "Write `--for 14d`."
        ) from error
    count = max(1, math.ceil(span / timedelta(days=1)))
    longest = policy.max_exemption
    if longest is not None and timedelta(days=count) > longest:
        raise GateError(
            "exempt-too-long",
            f"the policy `{policy.source}` allows exemptions of at most {_days_of(longest)} days",
            f"Write `--for {_days_of(longest)}d` or less; `max_exemption` in the policy says so.",
        )
    return count


def waivable(rule: str, policy: Policy) -> str:
    """Return the id *rule* if the *policy* has it and it can be waived. Raises GateError."""
    if rule in NOT_WAIVABLE:
        raise GateError("exempt-never", f"`{rule}` cannot be waived: {BUILT_IN[rule]}")
    known = {each.id for each in policy.rules} | {REMOVED_UPSTREAM}
    if rule not in known:
        raise GateError(
            "exempt-rule",
            f"the policy `{policy.source}` has no rule `{ascii(rule[:100])[1:-1]}`",
            f"{suggest(rule, known)}; if the gate has another policy, name it with `--policy`",
        )
    return rule


def concerns_malware(rule: str, policy: Policy) -> bool:
    """Tell whether *rule* may be what keeps malware out."""
    return any(malware.keeps_out(each) for each in policy.rules if each.id == rule)


def check_malware(wanted: Target, rule: str, policy: Policy) -> bool:
    """Tell whether waiving *rule* needs a loud warning. Raises GateError where it is too wide."""
    if not concerns_malware(rule, policy):
        return False
    if not wanted.is_one_version:
        raise GateError(
            "exempt-malware",
            f"`{rule}` keeps malware out, so it is waived for one version of one project only",
            f"Write `{wanted.project.strip('*?') or 'demo'}==2.0`.",
        )
    return True


def besides_malware(policy: Policy) -> tuple[str, ...]:
    """Return the rules of *policy* that may refuse, apart from those that keep malware out."""
    return tuple(
        rule.id
        for rule in policy.rules
        if "refuse" in (rule.action, rule.unknown) and not malware.keeps_out(rule)
    )


def table(wish: Wish, *, id_: str, owner: str, today: date) -> dict[str, object]:
    """Return the `[[exemption]]` that grants *wish* from *today* on, by its keys."""
    version = {"version": wish.version} if wish.version else {}
    team = {} if wish.team is None else {"team": wish.team}
    return {
        "id": id_,
        "project": wish.project,
        **version,
        "rule": wish.rule,
        **team,
        "reason": wish.reason,
        "owner": owner,
        "granted": today,
        "expires": last_day(wish, today),
    }


def grandfather(
    packages: Iterable[str], rules: Iterable[str], *, id_: str, wish: Wish, owner: str, today: date
) -> dict[str, object]:
    """Return the `[[grandfather]]` that spares *packages* from *rules*, by its keys."""
    return {
        "id": id_,
        "packages": sorted(set(packages)),
        "rule": list(rules),
        "reason": wish.reason,
        "owner": owner,
        "granted": today,
        "expires": last_day(wish, today),
    }


def last_day(wish: Wish, today: date) -> date:
    """Return the last day, to its end in UTC, on which *wish* holds if it is granted *today*."""
    return today + timedelta(days=wish.days)


def _days_of(span: timedelta) -> int:
    return max(1, span // timedelta(days=1))
