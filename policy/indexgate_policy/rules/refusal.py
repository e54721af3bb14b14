"""What a refusal says beyond its reason: what was looked at, and how to go on."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from indexgate_policy.flags import Flag
from indexgate_policy.rules.durations import after
from indexgate_policy.rules.expression import Condition
from indexgate_policy.rules.known import Known
from indexgate_policy.rules.rule import Rule
from indexgate_policy.rules.wording import moment_after, plain
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import File

_ANY = "*"


def explanation(file: File, rule: Rule, why: str, now: datetime) -> str:
    """Return what *rule* looked at and found, and the exemption that would waive it.

    Several lines of ASCII; the exemption is TOML to paste into the policy.
    """
    looked = "\n".join(f"- {plain(c.written, 200)}" for c in rule.when.conditions())
    excuses = rule.unless.conditions() if rule.unless else ()
    unless = "\n".join(f"- unless {plain(c.written, 200)}" for c in excuses)
    lines = [
        f"The rule `{rule.id}` refuses this file. It looks at",
        looked,
        *([unless] if unless else []),
        f"and found: {plain(why, 400)}",
        "",
        "If it must be installed all the same, whoever answers for the policy can add:",
        "",
        exemption(file, rule.id, now),
    ]
    return "\n".join(lines)


def exemption(file: File, rule: str, now: datetime) -> str:
    """Return an exemption in TOML that waives *rule* for the version of *file* for 30 days."""
    version = [] if isinstance(file.parsed, Unknown) else [f'version = "=={file.parsed}"']
    return "\n".join(
        [
            "[[exemption]]",
            f'project = "{plain(file.project.name)}"',
            *version,
            f'rule = "{rule}"',
            'reason = "why it is needed"',
            'owner = "who answers for it"',
            f"expires = {after(now, timedelta(days=30)):%Y-%m-%d}",
        ]
    )


def hint(file: File, rule: Rule, known: Known, passes: datetime | None) -> str:
    """Return how to go on: the name that was meant, the rule's own hint, patience, an exemption."""
    name = None if isinstance(known.flags, Unknown) else meant(rule, known.flags)
    parts = [f"did you mean `{name}`?"] if name is not None else []
    parts += [rule.hint] if rule.hint else []
    if passes is not None:
        version = plain(f"{file.project.name} {file.version}", 80)
        parts.append(f"{version} passes by itself from {moment_after(passes)}")
    return "; ".join([*parts, f"ask for an exemption from the rule `{rule.id}`"])


def way_by_version(project: str, version: str) -> str:
    """Return the hint that another version passes."""
    return f"`{plain(project, 80)}=={plain(version, 40)}` passes now"


def way_by_file(project: str, version: str) -> str:
    """Return the hint that other files of the version pass."""
    return f"other files of {plain(project, 80)} {plain(version, 40)} pass now"


def meant(rule: Rule, flags: Iterable[Flag]) -> str | None:
    """Return the project that was meant, where *rule* looks for names that imitate; else None.

    That a name is somewhat like another is no reason to name that one in a refusal of something
    else: whoever reads it, a program above all, would take the other project instead.
    """
    looked_for = {check for condition in rule.when.conditions() for check in _checks(condition)}
    names = (
        flag.facts.get("imitates")
        for flag in flags
        if not looked_for.isdisjoint({flag.check, _ANY})
    )
    return next((plain(name, 80) for name in names if isinstance(name, str)), None)


def _checks(condition: Condition) -> tuple[str, ...]:
    """Return the checks whose flags *condition* looks for."""
    if condition.definition.name == "any_flag":
        return (_ANY,)
    if condition.definition.name != "flag" or not isinstance(condition.value, Mapping):
        return ()
    wanted = condition.value["id"]
    return (wanted,) if isinstance(wanted, str) else tuple(wanted)
