"""What a run tells the CI system that it runs in: its summary, its annotations, its log.

GitHub has a file for job summaries, Azure Pipelines takes one by a logging command; GitLab and
Buildkite have sections in the log. What none of them has is told as in a terminal.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from indexgate.reports import annotations, ci_system
from indexgate.reports.ci_system import System
from indexgate.reports.finding import Finding, Level, Rule
from indexgate.run.places import Places
from indexgate.run.summary import Kind, Told, heading, sentence

_LEVELS: Mapping[Kind, Level] = {"refused": "error", "withheld": "note", "warned": "warning"}
_SUMMARY = "GITHUB_STEP_SUMMARY"
_AZURE_FOLDER = "AGENT_TEMPDIRECTORY"
_START = "\x1b[0Ksection_start:{time}:indexgate[collapsed=false]\r\x1b[0K{heading}"
_END = "\x1b[0Ksection_end:{time}:indexgate\r\x1b[0K"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The job around a run: its system, its variables and its folder, and how it is spoken to.

    `say` prints on stdout, `tell` on stderr; `write` puts text into a file, or after what is in it.
    """

    system: System
    environ: Mapping[str, str] = field(repr=False)
    folder: Path
    say: Callable[[str], None]
    tell: Callable[[str], None]
    write: Callable[[Path, str, bool], None]
    time: Callable[[], float]

    def report(self, things: Sequence[Told], *, markdown: str, text: str, places: Places) -> None:
        """Tell the system of *things*; *markdown* and *text* are their summaries."""
        found = tuple(findings(things, places))
        root = ci_system.root(self.environ, self.folder)
        match self.system:
            case "github":
                self._annotate(found, "github", root)
                if path := self.environ.get(_SUMMARY):
                    self.write(Path(path), markdown + "\n", True)
                self._tell(text)
            case "azure":
                self._annotate(found, "azure", root)
                place = Path(self.environ.get(_AZURE_FOLDER) or self.folder)
                path = str(place / "indexgate-summary.md")
                self.write(Path(path), markdown + "\n", False)
                self.tell(f"##vso[task.uploadsummary]{path}")
                self._tell(text)
            case "gitlab":
                report = annotations.code_quality(found, root)
                self.write(self.folder / annotations.CODE_QUALITY, report, False)
                head = f"indexgate: {heading(things)}"
                self.tell(_START.format(time=int(self.time()), heading=head))
                self._tell(text)
                self.tell(_END.format(time=int(self.time())))
            case "buildkite":
                self.tell(f"{'+++' if things else '---'} indexgate: {heading(things)}")
                self._tell(text)
            case "teamcity":
                for line in annotations.lines(found, "teamcity", root):
                    self.say(line)  # TeamCity reads stdout only
                self._tell(text)

    def _annotate(self, found: Sequence[Finding], form: annotations.Form, root: Path) -> None:
        for line in annotations.lines(found, form, root):
            self.tell(line)

    def _tell(self, text: str) -> None:
        if text:
            self.tell(text)


def findings(things: Sequence[Told], places: Places) -> Iterator[Finding]:
    """Yield *things* as findings, at the places where their projects are asked for."""
    for thing in things:
        place = places.of(thing.project)
        yield Finding(
            rule=thing.rule,
            level=_LEVELS[thing.kind],
            message=f"{thing.kind}: {sentence(thing)}",
            path=None if place is None else str(places.folder / place[0]),
            line=None if place is None else place[1],
            project=thing.project,
            version=thing.versions[0],
        )


def rules(things: Sequence[Told]) -> Iterator[Rule]:
    """Yield what the rules of *things* did in a run."""
    for thing in things:
        yield Rule(
            id=thing.rule,
            level=_LEVELS[thing.kind],
            text=f"The rule `{thing.rule}` of the policy",
            help="`indexgate explain NAME==VERSION` tells what is known of a release, and what"
            " passes instead.",
        )
