"""How a run is told when its command has ended, and the exit code that comes of it."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from indexgate.cli.check_reports import write
from indexgate.errors import GateError
from indexgate.own_version import own_version
from indexgate.reports import ci_system
from indexgate.reports.ci_system import System
from indexgate.reports.sarif import sarif
from indexgate.run import ci_report, summary
from indexgate.run.ci_report import Job
from indexgate.run.job_summary import markdown
from indexgate.run.places import Places
from indexgate.run.session import Ended
from indexgate.run.summary import Kind

Form: TypeAlias = Literal["text", "json", "none"]
FailOn: TypeAlias = Literal["refuse", "withheld", "warn", "never"]
FAIL_ON: tuple[FailOn, ...] = get_args(FailOn)
UNTOLD = 2
_LARGEST = 16_000_000

_FAILING: Mapping[FailOn, frozenset[Kind]] = {
    "refuse": frozenset({"refused"}),
    "withheld": frozenset({"refused", "withheld"}),
    "warn": frozenset({"refused", "withheld", "warned"}),
    "never": frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """How a run is told: the `form` of the summary, the CI system if any, where SARIF goes.

    `flags` are those that `explain` needs to judge as the run did, `asking` those of `exempt`.
    """

    command: Sequence[str]
    form: Form
    system: System | None
    sarif: str | None
    flags: str
    asking: str = ""
    environ: Mapping[str, str] = field(repr=False)
    folder: Path
    say: Callable[[str], None]
    tell: Callable[[str], None]


def close(ended: Ended, telling: Telling) -> None:
    """Tell what the gate did in the run. Raises GateError `report-not-written`."""
    if ended.untold is not None:
        if telling.form != "none":
            telling.tell(f"indexgate: {ended.untold}")
        return
    places = Places(telling.folder, telling.command, _read)
    text = _text(ended, telling)
    if telling.system is not None:
        _job(telling, telling.system).report(
            ended.things,
            markdown=markdown(
                ended.things,
                command=telling.command,
                code=ended.code,
                policy=ended.policy,
                flags=telling.flags,
                trouble=ended.trouble,
            ),
            text=text,
            places=places,
        )
    elif text:
        telling.tell(text)
    if telling.sarif is not None:
        log = sarif(
            ci_report.findings(ended.things, places),
            ci_report.rules(ended.things),
            version=own_version(),
            root=ci_system.root(telling.environ, telling.folder),
        )
        write(Path(telling.sarif), json.dumps(log, indent=2) + "\n")


def exit_code(ended: Ended, fail_on: FailOn) -> int:
    """Return the command's own exit code; where it is 0, 1 for what *fail_on* names."""
    if ended.code or fail_on == "never":
        return ended.code
    if ended.untold is not None:
        return UNTOLD
    return int(any(thing.kind in _FAILING[fail_on] for thing in ended.things))


def _text(ended: Ended, telling: Telling) -> str:
    if telling.form == "none":
        return ""
    if telling.form == "json":
        return summary.as_json(ended.things, trouble=ended.trouble)
    return summary.text(
        ended.things, trouble=ended.trouble, flags=telling.flags, asking=telling.asking
    )


def _job(telling: Telling, system: System) -> Job:
    return Job(
        system=system,
        environ=telling.environ,
        folder=telling.folder,
        say=telling.say,
        tell=telling.tell,
        write=_write,
        time=time.time,
    )


def _write(path: Path, text: str, after: bool) -> None:
    if not after:
        write(path, text)
        return
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise GateError(
            "report-not-written", f"cannot write `{ascii(str(path))[1:-1]}`: {why}"
        ) from error


def _read(path: Path) -> bytes:
    """Return what is in *path*. Raises OSError."""
    with path.open("rb") as file:
        return file.read(_LARGEST)
