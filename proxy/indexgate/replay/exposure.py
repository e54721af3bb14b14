"""Known incidents tried on policies: for how long each would have refused the first bad version.

Nothing later than each moment is used, and no advisory. What the table does not tell (owners,
downloads, health) is not kept, so a rule that asks for it is not judged. A bad version is followed
from ten minutes after its upload until it was removed, and looked at when a rule says that its
answer may change, and now and then as flags age.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from indexgate.replay.incidents import AFTER, WATCHED, Incident, assumed, past, seen
from indexgate_policy.advisories import Advisories
from indexgate_policy.assess import assess
from indexgate_policy.assessment import Case
from indexgate_policy.checks.shares import wilson
from indexgate_policy.rules.as_of import NOT_KEPT, Then
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.figures import Share
from indexgate_policy.rules.page import Presentation
from indexgate_policy.rules.replay import Ask, Tried, try_on
from indexgate_policy.rules.verdict import Action

_LEAST_STEP = timedelta(hours=1)
_LEAST_UP = timedelta(hours=1)
"""How long something counts as up that came and went on one day."""

KEPT_OUT = 0.999
"""The share of the time from which a version counts as kept out until it was removed."""
_DAY = timedelta(days=1)


class Cover(Struct, frozen=True, kw_only=True):
    """How far a policy would have kept the version out.

    `gained` are the days for which it was refused before it was removed, `share` is that of the
    time it was up, from ten minutes after the upload; `rules` refused it. `passes_after` are the
    days after the upload at which it passed after all, None for never. `not_judged` is the share of
    the time for which facts that are not kept decide.
    """

    share: float
    rules: tuple[str, ...]
    gained: float
    passes_after: float | None
    not_judged: float


class Exposed(Struct, frozen=True, kw_only=True):
    """An incident under both policies.

    `draft` and `in_force` go by name and release times alone; `draft_watched` and
    `in_force_watched` by what a gate that had watched the project would have known too.
    """

    id: str
    project: str
    version: str
    kind: str
    benign: bool
    days_up: float
    draft: Cover
    draft_watched: Cover
    in_force: Cover
    in_force_watched: Cover


class Kept(Struct, frozen=True, kw_only=True):
    """What a policy did with all bad projects, and with the benign ones.

    `out` were refused for the whole time, `late` for a part of it; `benign` were ever refused.
    """

    out: Share
    late: int
    benign: Share


class Exposure(Struct, frozen=True, kw_only=True):
    """All incidents of a table, under the draft and under the policy in force."""

    draft_policy: str
    in_force_policy: str
    incidents: tuple[Exposed, ...]
    draft: Kept
    draft_watched: Kept
    in_force: Kept
    in_force_watched: Kept


def expose(
    incidents: Sequence[Incident],
    draft: Policy,
    in_force: Policy,
    *,
    places: tuple[str, str],
    presentation: Presentation,
    step: Callable[[], None] = lambda: None,
) -> Exposure:
    """Try both policies on *incidents*; *step* is called after each."""
    rows = []
    for incident in incidents:
        rows.append(_exposed(incident, draft, in_force, presentation))
        step()
    return Exposure(
        draft_policy=places[0],
        in_force_policy=places[1],
        incidents=tuple(rows),
        draft=_kept(rows, lambda row: row.draft),
        draft_watched=_kept(rows, lambda row: row.draft_watched),
        in_force=_kept(rows, lambda row: row.in_force),
        in_force_watched=_kept(rows, lambda row: row.in_force_watched),
    )


def _exposed(
    incident: Incident, draft: Policy, in_force: Policy, presentation: Presentation
) -> Exposed:
    def plain(now: datetime) -> Case:
        return past(incident, assumed(incident), now)

    def watched(now: datetime) -> Case:
        return seen(plain(now), incident)

    def cover(policy: Policy, case_at: Callable[[datetime], Case]) -> Cover:
        return _cover(incident, policy, case_at, presentation)

    draft_plain, in_force_plain = cover(draft, plain), cover(in_force, plain)
    more = bool(WATCHED & incident.signs)
    return Exposed(
        id=incident.id,
        project=incident.name,
        version=incident.bad,
        kind=incident.kind,
        benign=incident.is_benign,
        days_up=(incident.removed - incident.uploaded) / _DAY,
        draft=draft_plain,
        draft_watched=cover(draft, watched) if more else draft_plain,
        in_force=in_force_plain,
        in_force_watched=cover(in_force, watched) if more else in_force_plain,
    )


class _Span(Struct, frozen=True):
    begin: datetime
    end: datetime
    tried: Tried

    @property
    def length(self) -> timedelta:
        return self.end - self.begin


def _cover(
    incident: Incident,
    policy: Policy,
    case_at: Callable[[datetime], Case],
    presentation: Presentation,
) -> Cover:
    spans = list(_spans(incident, policy, case_at, presentation))
    whole = sum((span.length for span in spans), timedelta(0))
    refused = [span for span in spans if span.tried.refused]
    passed = [span for span in spans if span.tried.action in (Action.ALLOW, Action.WARN)]
    blind = [span for span in spans if span.tried.action is None]
    return Cover(
        share=_total(refused) / whole,
        rules=tuple(dict.fromkeys(span.tried.rule for span in refused)),
        gained=_total(refused) / _DAY,
        passes_after=(passed[0].begin - incident.uploaded) / _DAY if passed else None,
        not_judged=_total(blind) / whole,
    )


def _total(spans: Iterable[_Span]) -> timedelta:
    return sum((span.length for span in spans), timedelta(0))


def _spans(
    incident: Incident,
    policy: Policy,
    case_at: Callable[[datetime], Case],
    presentation: Presentation,
) -> Iterable[_Span]:
    now = incident.uploaded + AFTER
    end = max(incident.removed, now + _LEAST_UP)
    while now < end:
        tried = _tried(case_at(now), incident, policy, presentation)
        until = min(end, now + max(_LEAST_STEP, (now - incident.uploaded) / 4))
        if tried.until is not None and tried.until > now:
            until = min(until, tried.until)
        yield _Span(now, until, tried)
        now = until


def _tried(case: Case, incident: Incident, policy: Policy, presentation: Presentation) -> Tried:
    nothing = Advisories(records=(), feed=case.now)
    assessment = replace(assess(case, exact=False), score=NOT_KEPT, advisories=nothing)
    release = case.releases[-1]
    ask = Ask(
        at=case.now,
        index_id=case.project.index_id,
        project=case.project.name,
        version=incident.bad,
        filename=release.files[0].filename,
    )
    then = Then(release=release, assessment=assessment, facts="some")
    return try_on(policy, then, ask, presentation=presentation)


def _kept(rows: Iterable[Exposed], cover: Callable[[Exposed], Cover]) -> Kept:
    bad = [cover(row).share for row in rows if not row.benign]
    benign = [cover(row).share for row in rows if row.benign]
    return Kept(
        out=_share(sum(share > KEPT_OUT for share in bad), len(bad)),
        late=sum(0 < share <= KEPT_OUT for share in bad),
        benign=_share(sum(share > 0 for share in benign), len(benign)),
    )


def _share(found: int, of: int) -> Share:
    low, high = wilson(found, of)
    return Share(found=found, of=of, low=low, high=high)
