"""Everything the gate knows of one project, found the way a request would find it."""

from packaging.utils import NormalizedName
from packaging.version import InvalidVersion, Version

from indexgate.config import Settings
from indexgate.errors import GateError
from indexgate.explanation import Explanation, ReleaseVerdict
from indexgate.index.listing import Listing
from indexgate.index.protocol import NoSuchProject, UpstreamFailed
from indexgate.indexes import NO_PROJECT_HINT
from indexgate.owners import Owner
from indexgate.sources import operator_evidence
from indexgate.store.engines import StoreFailed
from indexgate.teams import client_of
from indexgate.upstream_choice import UpstreamChoice
from indexgate.web.parts import Parts, open_parts
from indexgate_policy.assessment import Assessment
from indexgate_policy.rules.page import PageVerdicts, judge_page
from indexgate_policy.signals import Signal, Unknown
from indexgate_policy.subject import Client, Release

SHOWN = 5
"""How many of the newest versions are shown beside the one that was asked for."""


async def explain(
    settings: Settings,
    upstream: UpstreamChoice,
    name: NormalizedName,
    version: str | None,
    *,
    team: str | None = None,
) -> Explanation:
    """Explain *name* to a client of *team*; None: its team is not known.

    Raises GateError when the index has no such project, or cannot be read, or there is no such
    team.
    """
    async with open_parts(settings, upstream, base="/") as parts:
        client = client_of(team, settings.teams, parts.gate.policy.current())
        try:
            owner = await parts.indexes.owner(name)
            listed = await parts.indexes.listing(name)
        except NoSuchProject as error:
            raise GateError(
                "no-such-project", parts.indexes.without(name), NO_PROJECT_HINT
            ) from error
        except UpstreamFailed as error:
            raise GateError(
                "upstream-failed",
                f"upstream {error.reason}, and the page of `{name}` is not in the local cache",
                "Try again when the index answers.",
            ) from error
        facts = owner.index.gate.facts
        await facts.of(listed)
        await facts.settled()  # unlike an installer, a person can wait for the JSON
        assessment = (await facts.of(listed)).assessment
        about = parts.about(owner.index.gate)
        return _explanation(about, owner, listed, assessment, version=version, client=client)


def _explanation(
    parts: Parts,
    owner: Owner,
    listed: Listing,
    assessment: Assessment | Unknown,
    *,
    version: str | None,
    client: Client,
) -> Explanation:
    now = parts.clock()
    policy = parts.gate.policy.current()
    verdicts = judge_page(
        listed.releases,
        assessment,
        policy,
        client,
        now,
        presentation=parts.gate.presentation,
    )
    asked = None if version is None else _asked(listed, version)
    shown = _newest(listed)[:SHOWN]
    if asked is not None and asked not in shown:
        shown = [*shown, asked]
    known = None if isinstance(assessment, Unknown) else assessment
    unknown = assessment if isinstance(assessment, Unknown) else Unknown(reason="")
    return Explanation(
        project=listed.project.name,
        asked=None if asked is None else asked.version,
        at=now,
        index=owner.index.url,
        index_name=owner.index.name,
        index_why=_why(parts, owner),
        public=owner.index.gate.public,
        fetched_at=listed.snapshot.fetched_at,
        stale=listed.snapshot.stale,
        status=listed.project.status,
        status_reason=listed.project.status_reason,
        releases=listed.project.releases,
        first_upload=listed.project.first_upload,
        first_seen=listed.project.first_seen,
        assessed_at=known.assessed_at if known else unknown,
        signals=_signals(parts, listed, known),
        flags=known.flags if known else (),
        score=known.score if known else unknown,
        advisories=known.advisories if known else unknown,
        policy=parts.gate.policy.place,
        policy_digest=policy.digest,
        verdicts=tuple(_row(release, verdicts) for release in shown),
        refused_project=verdicts.refused_project,
    )


def _why(parts: Parts, owner: Owner) -> str:
    """Say why the project comes from this index."""
    several = len(parts.indexes.all)
    if several == 1:
        return "it is the only index"
    if owner.namespace:
        return f"the name is in its namespace `{owner.namespace}`"
    if not owner.without:
        return f"it is the first of {several} that are asked, and has it"
    passed = " and ".join(f"`{name}`" for name in owner.without)
    have = "has" if len(owner.without) == 1 else "have"
    why = f"it is the first of {several} that has it; {passed} {have} no such project"
    return f"{why}, as far as is known: upstream {owner.unsure}" if owner.unsure else why


def _signals(parts: Parts, listed: Listing, assessment: Assessment | None) -> tuple[Signal, ...]:
    """Return what went into *assessment*, with what is entered by hand as it stands now."""
    inputs = () if assessment is None else assessment.inputs
    try:
        entries = parts.store.evidence.of(parts.gate.index_id, listed.project.name)
    except StoreFailed:
        return inputs
    others = (signal for signal in inputs if signal.source != operator_evidence.SOURCE)
    return (*others, *operator_evidence.signals(entries))


def _row(release: Release, verdicts: PageVerdicts) -> ReleaseVerdict:
    """Return the verdict of a version: that of a file that passes, if one does."""
    of_files = [verdicts.verdicts[file.filename] for file in release.files]
    verdict = next((verdict for verdict in of_files if not verdict.refused), of_files[0])
    return ReleaseVerdict(version=release.version, released=release.released, verdict=verdict)


def _newest(listed: Listing) -> list[Release]:
    regular = [(r.parsed, r) for r in listed.releases if isinstance(r.parsed, Version)]
    others = [r for r in listed.releases if not isinstance(r.parsed, Version)]
    regular.sort(key=lambda pair: pair[0], reverse=True)
    return [*(release for _, release in regular), *others]


def _asked(listed: Listing, version: str) -> Release:
    """Return the release of *version*, compared as PEP 440 does. Raises GateError."""
    try:
        wanted: Version | None = Version(version)
    except InvalidVersion:
        wanted = None
    for release in listed.releases:
        if release.version == version or (wanted is not None and release.parsed == wanted):
            return release
    raise GateError(
        "no-such-version",
        f"the index lists no files of `{listed.project.name}` {ascii(version)[1:-1]}",
        "Leave the version out to see those that it lists.",
    )
