"""`indexgate policy test`: the cases beside a policy, and which of them it does not keep."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexgate.cli import settings_options
from indexgate.cli.settings_options import settings_options as with_settings
from indexgate.config import Given
from indexgate.errors import GateError
from indexgate.policy_text import PolicyText, cases_beside, read_cases, read_policy

if TYPE_CHECKING:
    from indexgate_policy.rules.cases import Result

DIFFERS = 1


@click.command(
    name="test",
    epilog="A case is a table [[case]] with facts and what the policy is meant to say of them;"
    " those of a.toml stand in a.cases.toml. The exit code is 1 when the policy says something else"
    " in a case, 2 when the policy or the cases cannot be read.",
)
@click.argument("policy", metavar="[POLICY]", required=False)
@click.argument("cases", metavar="[CASES]...", nargs=-1)
@click.option("-k", "words", metavar="TEXT", help="Only cases with this in their name.")
@click.option(
    "--junit",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the results to this file too, as JUnit XML.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings(("config",))
def command(
    *,
    policy: str | None,
    cases: tuple[str, ...],
    words: str | None,
    junit: Path | None,
    as_json: bool,
    **given: Given,
) -> int:
    """Run the cases of a policy (default: those beside the policy in force)."""
    from indexgate_policy.rules import document
    from indexgate_policy.rules.cases import unshown

    read = read_policy(policy or settings_options.settings(given).policy)
    now = datetime.now(UTC)
    places = cases or (cases_beside(read.place),)
    results = [(place, result) for place in places for result in _run(read, place, now)]
    chosen = [
        (place, result)
        for place, result in results
        if words is None or words.casefold() in result.name.casefold()
    ]
    if not chosen:
        raise GateError("no-cases", f"no case has `{words}` in its name", "Leave out `-k`.")
    if junit is not None:
        _write_junit(junit, read, chosen)
    if as_json:
        _print_json(read, chosen)
    else:
        _print(read, chosen)
        every = document.parse(read.text, source=read.place, now=now)
        silent = unshown(every, (result for _, result in results))
        if silent:
            told = ", ".join(f"`{rule}`" for rule in silent)
            click.echo(f"note: no case shows what these rules do: {told}", err=True)
    return DIFFERS if any(not result.passed for _, result in chosen) else 0


def _run(policy: PolicyText, place: str, now: datetime) -> "tuple[Result, ...]":
    from indexgate_policy.rules import cases

    read = read_cases(place)
    return cases.run(policy.text, read.text, now=now, source=policy.place, cases_source=read.place)


def _print(policy: PolicyText, results: "Sequence[tuple[str, Result]]") -> None:
    failed = [(place, result) for place, result in results if not result.passed]
    for place, result in failed:
        where = f"{place}:{result.position.line}" if result.position else place
        click.echo(f"{click.style('differs', fg='red')} {where}: {_printable(result.name)}")
        click.echo(f"    expected: {_printable(str(result.expected))}")
        click.echo(f"    got:      {result.got}")
        for line in _explained(result):
            click.echo(f"    {line}")
    click.echo(f"{len(results) - len(failed)} of {len(results)} cases pass under `{policy.place}`")


def _printable(text: str) -> str:
    """Return *text* without what terminals obey and XML cannot hold."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _explained(result: "Result") -> list[str]:
    """Return why the policy said what it said, a line each."""
    verdict = result.verdict
    lines = [f"`{warned.rule}` warns: {warned.reason}" for warned in verdict.warnings]
    if verdict.refused:
        lines.append(f"`{verdict.rule}` refuses: {verdict.reason}")
        lines += [line for line in verdict.explanation.splitlines() if line.startswith("- ")]
    lines += [f"`{rule}` held and is waived by an exemption" for rule in verdict.waived]
    return lines or ["no rule says anything"]


def _print_json(policy: PolicyText, results: "Sequence[tuple[str, Result]]") -> None:
    import msgspec

    rows = [_row(place, result) for place, result in results]
    failed = sum(not result.passed for _, result in results)
    told = {"policy": policy.place, "cases": len(rows), "failed": failed, "results": rows}
    click.echo(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())


def _row(place: str, result: "Result") -> dict[str, Any]:
    from indexgate_policy.rules.cases import warning_rules

    expected, verdict = result.expected, result.verdict
    return {
        "name": result.name,
        "file": place,
        "line": result.position.line if result.position else None,
        "passed": result.passed,
        "difference": result.difference,
        "expected": {
            "action": expected.action,
            "rule": expected.rule,
            "warnings": expected.warnings,
        },
        "got": {
            "action": verdict.action,
            "rule": verdict.rule,
            "warnings": warning_rules(verdict),
            "reason": verdict.reason,
            "waived": verdict.waived,
        },
    }


def _write_junit(path: Path, policy: PolicyText, results: "Sequence[tuple[str, Result]]") -> None:
    """Write *results* in the form that CI systems read."""
    from xml.etree import ElementTree as ET

    failed = sum(not result.passed for _, result in results)
    suite = ET.Element(
        "testsuite",
        name=_printable(policy.place),
        tests=str(len(results)),
        failures=str(failed),
        errors="0",
    )
    for place, result in results:
        line = str(result.position.line) if result.position else "0"
        case = ET.SubElement(
            suite, "testcase", name=_printable(result.name), classname=_printable(place), line=line
        )
        if not result.passed:
            failure = ET.SubElement(case, "failure", message=_printable(result.difference))
            failure.text = "\n".join(map(_printable, _explained(result)))
    try:
        ET.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        raise GateError(
            "junit-unwritable",
            f"`{path}` cannot be written: {error.strerror or error}",
            "Name a file in a folder that exists.",
        ) from error
