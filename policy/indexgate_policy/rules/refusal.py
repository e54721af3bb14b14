"""What a refusal says beyond its reason: what was looked at, and how to go on."""

from datetime import datetime, timedelta

from indexgate_policy.rules.document import Rule
from indexgate_policy.rules.durations import after
from indexgate_policy.rules.known import Known
from indexgate_policy.rules.wording import moment_after, plain
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import File

_FLAG_CONDITIONS = {"flag", "any_flag"}


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
    parts = [*_meant(rule, known), *([rule.hint] if rule.hint else [])]
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


def _meant(rule: Rule, known: Known) -> list[str]:
    if isinstance(known.flags, Unknown) or rule.names.isdisjoint(_FLAG_CONDITIONS):
        return []
    names = [flag.facts.get("imitates") for flag in known.flags]
    return [f"did you mean `{plain(name, 80)}`?" for name in names if isinstance(name, str)][:1]
