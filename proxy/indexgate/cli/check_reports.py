"""A check in the forms of CI systems, written where each looks for it, and its exit code."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from msgspec import Struct

from indexgate.checked import Check, Outcome
from indexgate.errors import GateError
from indexgate.own_version import own_version
from indexgate.reports import annotations, ci_system
from indexgate.reports.finding import Finding, Rule
from indexgate.reports.sarif import sarif

FailOn: TypeAlias = Literal["refuse", "warn", "unjudged", "never"]
FAIL_ON: tuple[FailOn, ...] = get_args(FailOn)
ANNOTATIONS = ("github", "gitlab", "azure", "teamcity", "auto")
STDOUT = "-"
REFUSED = 1
FAILED = 2

_FAILING: Mapping[FailOn, frozenset[Outcome]] = {
    "refuse": frozenset({"refuse", "unlisted"}),
    "warn": frozenset({"refuse", "unlisted", "warn"}),
    "unjudged": frozenset({"refuse", "unlisted", "not judged", "failed"}),
    "never": frozenset(),
}


class Around(Struct, frozen=True, kw_only=True):
    """The process that reports: its variables, its folder, and how it speaks.

    `say` prints a line on stdout or, where that is taken, on stderr; `tell` always on stderr.
    """

    environ: Mapping[str, str]
    folder: Path
    say: Callable[[str], None]
    tell: Callable[[str], None]

    @property
    def root(self) -> Path:
        """The repository's folder."""
        return ci_system.root(self.environ, self.folder)


def exit_code(check: Check, fail_on: Sequence[FailOn], *, strict: bool) -> int:
    """Return the exit code of *check*: 1 for what *fail_on* names, 2 for what failed, else 0.

    What leads past the gate is a warning, and nobody judges what comes that way.
    """
    failing = frozenset[Outcome]().union(*(_FAILING[each] for each in fail_on))
    if strict:
        failing |= {"not judged"}
    counts = check.counts
    if any(counts[outcome] for outcome in failing):
        return REFUSED
    if check.ways_past and (strict or not {"warn", "unjudged"}.isdisjoint(fail_on)):
        return REFUSED
    return FAILED if counts["failed"] and "never" not in fail_on else 0


def write_sarif(
    target: str, findings: Iterable[Finding], rules: Iterable[Rule], around: Around
) -> None:
    """Write a SARIF log to the file *target*, `-` for stdout. Raises GateError."""
    log = sarif(findings, rules, version=own_version(), root=around.root)
    text = json.dumps(log, indent=2) + "\n"
    if target == STDOUT:
        sys.stdout.write(text)
        return
    write(Path(target), text)


def annotate(form: str, findings: Iterable[Finding], around: Around) -> None:
    """Print *findings* as annotations of *form*; `auto` is that of the system around, if any."""
    system = ci_system.detect(around.environ) if form == "auto" else form
    if system == "gitlab":
        write(Path(annotations.CODE_QUALITY), annotations.code_quality(findings, around.root))
        around.tell(f"note: GitLab's report is in `{annotations.CODE_QUALITY}`")
    elif system in {"github", "azure", "teamcity"}:
        for line in annotations.lines(findings, system, around.root):  # type: ignore[arg-type]
            around.say(line)


def write(path: Path, text: str) -> None:
    """Write *text* to *path*. Raises GateError `report-not-written`."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise GateError(
            "report-not-written", f"cannot write `{ascii(str(path))[1:-1]}`: {why}"
        ) from error
