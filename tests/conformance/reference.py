"""`docs/reference/standards.md`, rendered from the table of requirements."""

from tests.conformance.requirements import REQUIREMENTS, SECTIONS, Requirement

_HEAD = """\
# What of the standards is held, and how

A gate is an index to installers and a client to the index behind it. This is what the standards,
and the installers' own behaviour, ask of both sides. Numbers under "asked by" are PEPs; other names
are the RFC, the specification or the client that asks.

Every requirement that is held has tests, which run against gates in front of an upstream that
speaks JSON and one that speaks HTML only, each without a policy, with `presentation = "hide"`
and with `presentation = "explain"`. This page is made from the table of those tests.
"""

_MEANINGS = {
    "held": "as it is asked for",
    "held differently": "its purpose is served in another way, for the reason given",
    "not offered": "an interface beside the index that the gate does not have",
    "no case here": "nothing of the gate comes under it",
}


def page() -> str:
    """Return the page."""
    counts = [
        f"| {standing} | {sum(r.standing == standing for r in REQUIREMENTS.values())} | {means} |"
        for standing, means in _MEANINGS.items()
        if any(r.standing == standing for r in REQUIREMENTS.values())
    ]
    lines = [_HEAD, "| standing | requirements | meaning |", "| --- | --- | --- |", *counts]
    for section in SECTIONS:
        lines += ["", f"## {section.title}", "", "| id | requirement | asked by | standing |"]
        lines += ["| --- | --- | --- | --- |", *map(_row, section.requirements)]
    return "\n".join([*lines, ""])


def _row(one: Requirement) -> str:
    standing = f"{one.standing}: {one.note}" if one.note else one.standing
    return f"| {one.id} | {one.text} | {one.source} | {standing} |"
