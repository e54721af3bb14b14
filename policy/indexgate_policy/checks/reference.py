"""The reference of the flags, rendered from the definitions that the checks work by."""

from collections.abc import Iterator

from indexgate_policy.checks import CHECKS
from indexgate_policy.checks.definition import Definition
from indexgate_policy.flags import Severity

_OPENING = """\
# Flags

A flag says that something about a project is unusual, with its evidence. It refuses nothing by
itself: a rule of the policy can ask for it with the condition `flag`.

This page is made from the program's own definitions. Severities are, from the least: {severities}.
"""

_ROWS = (
    ("why", "motivation"),
    ("computes", "computes"),
    ("needs", "minimum_data"),
    ("severity", "severity"),
    ("false alarms", "known_false_alarms"),
    ("what to do", "remediation"),
    ("source", "source"),
)


def render() -> str:
    """Return `docs/reference/flags.md`."""
    severities = ", ".join(f"`{severity.label}`" for severity in sorted(Severity))
    lines = [
        *_OPENING.format(severities=severities).splitlines(),
        "",
        "| flag | meaning |",
        "| --- | --- |",
        *(
            f"| [`{check.definition.id}`](#{check.definition.id}) | {_short(check.definition)} |"
            for check in CHECKS
        ),
    ]
    for check in CHECKS:
        lines.extend(_flag(check.definition))
    return "\n".join(lines) + "\n"


def _flag(definition: Definition) -> Iterator[str]:
    yield from ("", f"## `{definition.id}`", "", f"{_short(definition)}.", "")
    yield from (f"- {title}: {getattr(definition, field)}" for title, field in _ROWS)
    yield from (
        "",
        "```toml",
        "version = 1",
        "",
        "[[rule]]",
        f'id = "on-{definition.id}"',
        'action = "warn"',
        f'when = {{ flag = {{ id = "{definition.id}" }} }}',
        'unknown = "warn"',
        "```",
    )


def _short(definition: Definition) -> str:
    return definition.short.rstrip(".")
