"""`indexgate policy explain`: what a rule says, in plain words."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

import click

from indexgate.cli import settings_options
from indexgate.cli.settings_options import settings_options as with_settings
from indexgate.config import Given
from indexgate.errors import GateError
from indexgate.policy_text import PolicyText, cases_beside, read_cases, read_policy

if TYPE_CHECKING:
    from indexgate_policy.rules.document import Policy
    from indexgate_policy.rules.in_words import InWords, Line


@click.command(
    name="explain",
    epilog="RULE is the id that a refusal names. The text that it shows is that of a case beside"
    " the policy, if one shows the rule. Example: indexgate policy explain release-age --policy"
    " strict.",
)
@click.argument("rule", metavar="RULE")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings(("config", "policy"))
def command(*, rule: str, as_json: bool, **given: Given) -> int:
    """Say what a rule of the policy looks at, does, and how to go on."""
    from indexgate_policy.rules import document, document_text
    from indexgate_policy.rules.in_words import in_words
    from indexgate_policy.rules.strict import suggest

    read = read_policy(settings_options.settings(given).policy)
    now = datetime.now(UTC)
    policy = document.parse(read.text, source=read.place, now=now)
    body = document_text.read_toml(read.text, read.place).place.text
    told = in_words(policy, rule, body, now, example=_example(read, rule, now))
    if told is None:
        raise GateError(
            "no-such-rule",
            f"the policy `{read.place}` has no rule `{ascii(rule[:100])[1:-1]}`",
            suggest(rule, [each.id for each in policy.rules]) or "it has no rules at all",
        )
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
    else:
        _print(told, read, policy)
    return 0


def _example(read: PolicyText, rule: str, now: datetime) -> tuple[str, str]:
    """Return reason and hint of the first case beside the policy that *rule* decides."""
    from indexgate_policy.errors import PolicyError
    from indexgate_policy.rules import cases

    try:
        beside = read_cases(cases_beside(read.place))
        results = cases.run(read.text, beside.text, now=now, source=read.place)
    except (GateError, PolicyError):
        return "", ""  # then the policy has no cases that could show it
    return next(
        ((r.verdict.reason, r.verdict.hint) for r in results if r.verdict.rule == rule), ("", "")
    )


def _print(told: "InWords", read: PolicyText, policy: "Policy") -> None:
    from rich.console import Console
    from rich.padding import Padding

    from indexgate.cli.terminal_text import safe

    console = Console(highlight=False)
    where = f"{read.place}, line {told.line}" if told.line else read.place
    console.print(safe(f"{told.rule} ({where}; {len(policy.rules)} rules)", "bold"))
    for heading, lines in _sections(told):
        if heading:
            console.print()
            console.print(safe(heading, "bold"))
        for text, depth, style in lines:
            console.print(Padding(safe(text, style), (0, 0, 0, 2 * depth)))


_Line: TypeAlias = tuple[str, int, str]


def _sections(told: "InWords") -> Iterator[tuple[str, list[_Line]]]:
    """Yield headings with their lines, each with its depth and style."""
    yield "", [(sentence, 1, "") for sentence in told.sentences]
    if told.comment:
        yield "Why, as the policy says:", [(told.comment, 1, "")]
    if told.conditions:
        yield "Its condition:", [line for each in told.conditions for line in _condition(each)]
    if told.example:
        yield "Whoever installs reads, for example:", [(told.example, 1, "")]
    if told.waived_for:
        yield "Waived for:", [(each, 1, "") for each in told.waived_for]
    if told.exemption:
        yield "To waive it for one version, add to the policy:", [(told.exemption, 1, "")]
    else:
        yield "Nothing can waive it.", []


def _condition(line: "Line") -> Iterator[_Line]:
    yield f"{line.word} {line.written}".strip(), 1 + line.depth, ""
    if line.means:
        yield line.means, 3 + line.depth, "dim"
    if line.unknown:
        yield f"Unknown when {line.unknown}.", 3 + line.depth, "dim"
