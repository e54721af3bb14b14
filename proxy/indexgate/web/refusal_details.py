"""What a program needs of a refusal beside its sentences: evidence, what passes, what was meant.

Coding agents install names that nobody wrote down before; they must be able to tell a name that was
invented from a release that is a day too young, without reading prose.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from indexgate.judged_files import JudgedFile
from indexgate_policy.assessment import Assessment
from indexgate_policy.flags import Flag
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.refusal import meant
from indexgate_policy.rules.wording import plain
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Client

MOST_VERSIONS = 5
"""How many versions that pass are told."""

EvidenceKind: TypeAlias = Literal["advisory", "flag", "release", "project", "upstream"]


class Evidence(Struct, frozen=True, kw_only=True):
    """A fact that stands behind a refusal, or beside it.

    `id` names it within its `kind`: an advisory's id, a flag's, else what was observed; `severity`
    is empty where there is none.
    """

    kind: EvidenceKind
    id: str
    text: str
    severity: str = ""


class Details(Struct, frozen=True, kw_only=True):
    """What is added to the document of a refusal; `imitates` is the project that was meant.

    `team` is that of the client, None where the policy speaks of no team.
    """

    policy: str
    evidence: tuple[Evidence, ...]
    passing_versions: tuple[str, ...]
    imitates: str | None
    team: str | Unknown | None = None

    def fields(self) -> dict[str, Any]:
        """Return the fields of the problem document."""
        return {
            "evidence": self.evidence,
            "passing_versions": self.passing_versions,
            "imitates": self.imitates,
            "policy": self.policy,
            **self._of_team(),
        }

    def _of_team(self) -> dict[str, str | None]:
        if isinstance(self.team, Unknown):
            return {"team": None, "team_unknown": self.team.reason}
        return {} if self.team is None else {"team": self.team}


def details(
    judged: JudgedFile,
    assessment: Assessment | None,
    policy: Policy,
    passing: tuple[str, ...],
    client: Client,
) -> Details:
    """Return the details of the refusal of *judged*; *passing* are the versions that pass."""
    flags = () if assessment is None else assessment.flags
    return Details(
        policy=judged.policy,
        evidence=tuple(_evidence(judged, assessment)),
        passing_versions=passing,
        imitates=_imitated(policy, judged.verdict.rule, flags),
        team=asking_team(policy, client),
    )


def asking_team(policy: Policy, client: Client) -> str | Unknown | None:
    """Return the team of *client*; None where *policy* speaks of no team."""
    return client.team if policy.teams else None


def project_details(assessment: Assessment | None, policy: Policy, rule: str) -> Details:
    """Return the details of the refusal of a whole project by the *rule* of *policy*."""
    flags = () if assessment is None else assessment.flags
    return Details(
        policy=policy.digest,
        evidence=tuple(_flagged(flags)),
        passing_versions=(),
        imitates=_imitated(policy, rule, flags),
    )


def _flagged(flags: tuple[Flag, ...]) -> Iterator[Evidence]:
    for flag in flags:
        text = plain(flag.evidence, 400)
        yield Evidence(kind="flag", id=flag.check, text=text, severity=flag.severity.label)


def _imitated(policy: Policy, rule: str, flags: tuple[Flag, ...]) -> str | None:
    deciding = next((each for each in policy.rules if each.id == rule), None)
    return None if deciding is None else meant(deciding, flags)


def _evidence(judged: JudgedFile, assessment: Assessment | None) -> Iterator[Evidence]:
    subject = judged.subject
    project = subject.project
    if assessment is not None and not isinstance(assessment.advisories, Unknown):
        for advisory in assessment.advisories.records:
            if advisory.affects(subject.version) is True:
                severity = advisory.severity
                yield Evidence(
                    kind="advisory",
                    id=advisory.id,
                    text=plain(advisory.summary, 400),
                    severity="" if isinstance(severity, Unknown) else severity.label,
                )
    yield from _flagged(() if assessment is None else assessment.flags)
    yield Evidence(kind="release", id="uploaded", text=_moment(subject.uploaded))
    yield Evidence(kind="release", id="released", text=_moment(subject.released))
    yield Evidence(kind="project", id="first-upload", text=_moment(project.first_upload))
    yield Evidence(kind="project", id="releases", text=str(project.releases))
    if project.status != "active":
        told = f"{project.status} {project.status_reason}".strip()
        yield Evidence(kind="upstream", id="status", text=plain(told, 400))
    if subject.yanked is not False:
        reason = subject.yanked if isinstance(subject.yanked, str) else ""
        yield Evidence(kind="upstream", id="yanked", text=plain(reason, 400) or "yanked")


def _moment(value: datetime | Unknown) -> str:
    if isinstance(value, Unknown):
        return f"not known: {value.reason}"
    return value.isoformat().replace("+00:00", "Z")
