"""From verdicts to the record: what a page withheld or warned of, and each refused file."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeAlias

from indexgate.index.listed_releases import versions_of
from indexgate.index.listing import Listing
from indexgate.run_memory import RunMemory
from indexgate.store.decisions import Decisions
from indexgate.store.records import Reason, Refusal, VerdictSet, verdict_set
from indexgate.verdict_counts import Said, VerdictCounts
from indexgate_policy.assessment import Assessment
from indexgate_policy.rules.page import PageVerdicts
from indexgate_policy.rules.verdict import ALLOWED, Verdict
from indexgate_policy.subject import Client, File, Release

_Versions: TypeAlias = Mapping[tuple[str, str], Sequence[str]]  # by rule and reason


class Served(Protocol):
    """A page that was given out."""

    @property
    def withheld(self) -> VerdictSet | None:
        """What the page withheld."""

    @property
    def warned(self) -> VerdictSet | None:
        """What the page would have warned of, had clients a place for warnings."""

    @property
    def said(self) -> tuple[Said, ...]:
        """What the policy said of the page, to be counted."""


class Recorder:
    """Writes down what was decided. No address of a client is ever kept."""

    def __init__(self, decisions: Decisions, clock: Callable[[], datetime]) -> None:
        self.decisions = decisions
        self.runs = RunMemory()
        self.verdicts = VerdictCounts()
        self._clock = clock

    def now(self) -> datetime:
        """Return the time by the record's clock."""
        return self._clock()

    def page_served(self, page: Served, client: Client, run: str | None, times: int = 1) -> None:
        """Count what *page* withheld or warned of, each of the *times* that it was given out."""
        self.verdicts.page(page.said, times)
        family, now = client.family, self._clock()
        if (held := page.withheld) is not None:
            self.decisions.noticed("withheld", held, run=run, family=family, hour=now, count=times)
        if (told := page.warned) is not None:
            self.decisions.noticed("warned", told, run=run, family=family, hour=now, count=times)

    async def file_refused(
        self,
        file: File,
        verdict: Verdict,
        *,
        policy: str,
        client: Client,
        run: str | None,
        assessment: Assessment | None,
    ) -> None:
        """Return once the refusal of *file* is on the disk, or safely waiting for it."""
        await self.decisions.refused(
            Refusal(
                at=self._clock(),
                index_id=file.project.index_id,
                project=file.project.name,
                version=file.version,
                filename=file.filename,
                rule=verdict.rule,
                reason=verdict.reason,
                policy_digest=policy,
                run=run,
                family=client.family,
                formula=None if assessment is None else assessment.formula,
                assessed_at=None if assessment is None else assessment.assessed_at,
            )
        )


def withheld(listed: Listing, verdicts: PageVerdicts, policy: str) -> VerdictSet | None:
    """Return the versions that a page withholds, by rule and reason; None for none."""
    refusals = ((version, v.rule, v.reason) for version, v in verdicts.refused_versions.items())
    return _set(listed, policy, _by_reason(refusals))


def warned(listed: Listing, verdicts: PageVerdicts, policy: str) -> VerdictSet | None:
    """Return the versions that a page warns of, by rule and reason; None for none."""
    by_file, usual = verdicts.verdicts.apart, verdicts.verdicts.usual or ALLOWED
    if not verdicts.apart:  # as of most projects: the same is said of all
        versions = versions_of(listed.releases) if usual.warnings else ()
        return _set(listed, policy, {(w.rule, w.reason): versions for w in usual.warnings})
    apart = set(map(id, verdicts.apart))
    warnings = (
        (release.version, warning.rule, warning.reason)
        for release in (listed.releases if usual.warnings else verdicts.apart)
        for verdict in (_of_first(release, by_file) if id(release) in apart else (usual,))
        for warning in verdict.warnings
    )
    return _set(listed, policy, _by_reason(warnings))


def _of_first(release: Release, by_file: Mapping[str, Verdict]) -> Iterable[Verdict]:
    return (by_file[name] for name in release.filenames[:1])


def _by_reason(found: Iterable[tuple[str, str, str]]) -> _Versions:
    versions: dict[tuple[str, str], list[str]] = {}
    for version, rule, reason in found:
        versions.setdefault((rule, reason), []).append(version)
    return versions


def _set(listed: Listing, policy: str, versions: _Versions) -> VerdictSet | None:
    reasons = tuple(
        Reason(rule=rule, reason=reason, versions=tuple(of))
        for (rule, reason), of in versions.items()
        if of
    )
    if not reasons:
        return None
    return verdict_set(listed.project.index_id, listed.project.name, policy, reasons)
