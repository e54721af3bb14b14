"""The reference of how downloads are shared out, rendered from the rules that do it."""

from collections.abc import Iterator

from indexgate_policy.downloads.installers import KNOWN
from indexgate_policy.downloads.kinds import CLASSES, INSTALLERS
from indexgate_policy.downloads.rule_table import CHANGES, RULES, VERSION, Shares

_OPENING = """\
# Who fetched

Every row of the public download log is shared out over {count} classes: {classes}. The first
rule that applies decides, then modifiers may move some of it. A client's own statement counts
whole; the other shares are judgements, each with its reason. The log has neither user ids nor
addresses, so nobody can count people in it; it can only be said what looks like people.

This page is made from the program's own table, version `{version}`.
"""


def render() -> str:
    """Return `docs/reference/downloads.md`."""
    opening = _OPENING.format(
        count=len(CLASSES), classes=", ".join(f"`{name}`" for name in CLASSES), version=VERSION
    )
    return "\n".join([*opening.splitlines(), *_rules(), *_changes(), *_installers()]) + "\n"


def _rules() -> Iterator[str]:
    yield from ("", "## Rules", "", "| rule | when | shares | why | modifiers |")
    yield "| --- | --- | --- | --- | --- |"
    for rule in RULES:
        modifiers = ", ".join(f"`{c.id}`" for c in CHANGES if c.id in rule.open_to)
        yield f"| `{rule.id}` | {rule.when} | {_shares(rule.shares)} | {rule.why} | {modifiers} |"


def _changes() -> Iterator[str]:
    yield from ("", "## Modifiers", "", "| modifier | when | what it does | why |")
    yield "| --- | --- | --- | --- |"
    for change in CHANGES:
        yield f"| `{change.id}` | {change.when} | {change.does} | {change.why} |"


def _installers() -> Iterator[str]:
    yield from ("", "## Clients", "", "| name in the log | role | says CI | counted with |")
    yield "| --- | --- | --- | --- |"
    for one in KNOWN:
        counted = "left out" if one.bucket is None else INSTALLERS[one.bucket]
        yield f"| `{one.name}` | {one.role} | {'yes' if one.says_ci else 'no'} | {counted} |"


def _shares(shares: Shares) -> str:
    parts = zip(CLASSES, shares, strict=True)
    return ", ".join(f"{name} {share:g}" for name, share in parts if share)
