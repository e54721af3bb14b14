"""A judged page made into bytes: what clients get, and until when it may be kept."""

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from indexgate.index.listing import Listing
from indexgate.index.packing import pack_parts, short
from indexgate.index.presentation import Addresses, Presentation, present
from indexgate.index.protocol import Snapshot
from indexgate.record import warned, withheld
from indexgate.simple import write
from indexgate.simple.accept import Coding, Form
from indexgate.store.records import VerdictSet
from indexgate.verdict_counts import PASSED, Said
from indexgate_policy.assessment import Assessment
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.page import PageVerdicts, judge_page, passing_test
from indexgate_policy.rules.verdict import Action, Verdict
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Client, Release


class Variant(Struct, frozen=True, kw_only=True):
    """The form of a page that a client asked for."""

    form: Form
    coding: Coding
    for_uv: bool = False


class JudgedBy(Struct, frozen=True, kw_only=True):
    """What a page was judged by, and when. To keep the verdicts is to keep an object a file."""

    assessment: Assessment | Unknown
    stamp: object
    policy: Policy
    client: Client
    at: datetime
    presentation: Presentation

    def verdicts(self, listed: Listing) -> PageVerdicts:
        """Return the verdicts; for the listing that the page was made from, they are its own."""
        return judge_page(
            listed.releases,
            self.assessment,
            self.policy,
            self.client,
            self.at,
            presentation=self.presentation,
        )

    def passing(self) -> Callable[[Release], bool]:
        """Return what tells of a release whether a file of it, not yanked, passes by the page."""
        return passing_test(
            self.assessment, self.policy, self.client, self.at, presentation=self.presentation
        )


class FinishedPage(Struct, frozen=True, kw_only=True):
    """A page of the index `index_id` as bytes.

    `until` is the first moment at which it may differ without any new fact. `private` tells that it
    differs by client; `refused` is set when it may not be shown (`hide`, and the whole project is
    refused). `withheld` and `warned` are what goes into the record when it is given out, `said` is
    what is counted then. `listed` is what it was made of, while that was read a moment ago.
    """

    index_id: str
    body: bytes
    etag: str
    until: datetime | None
    judged_by: JudgedBy
    snapshot: Snapshot
    private: bool
    refused: Verdict | None = None
    withheld: VerdictSet | None = None
    warned: VerdictSet | None = None
    said: tuple[Said, ...] = (PASSED,)
    listed: Listing | None = None

    def passing(self) -> Callable[[Release], bool]:
        """Return what tells of a release whether the page offers a file of it, not yanked."""
        if self.withheld is None:  # as on most pages: what is not yanked is offered
            return _is_not_yanked
        return self.judged_by.passing()


def finish(
    listed: Listing,
    verdicts: PageVerdicts,
    variant: Variant,
    *,
    judged_by: JudgedBy,
    addresses: Addresses,
    good_until: datetime,
) -> FinishedPage:
    """Return the page of *listed* by its *verdicts*, to be kept no longer than *good_until*."""
    policy, presentation = judged_by.policy, judged_by.presentation
    shown = present(
        listed.page,
        listed.releases,
        verdicts,
        addresses,
        presentation=presentation,
        for_uv=variant.for_uv,
    )
    kept_back = withheld(listed, verdicts, policy.digest)
    would_warn = warned(listed, verdicts, policy.digest)
    parts = write.json_parts(shown) if variant.form is Form.JSON else (write.html(shown),)
    body, digest = pack_parts(parts, gzip=variant.coding is Coding.GZIP)
    return FinishedPage(
        index_id=listed.project.index_id,
        body=body,
        etag=etag(digest, variant),
        until=sooner(verdicts.until, good_until),
        judged_by=judged_by,
        snapshot=listed.snapshot.bare(),
        private=policy.asks_client,
        refused=verdicts.refused_project if presentation == "hide" else None,
        withheld=kept_back,
        warned=would_warn,
        said=_said(kept_back, would_warn),
    )


def _is_not_yanked(release: Release) -> bool:
    return not release.yanked


def _said(withheld: VerdictSet | None, warned: VerdictSet | None) -> tuple[Said, ...]:
    """Return the rules by which a page withholds and warns, each once."""
    said = {
        (action, reason.rule): None
        for action, found in ((Action.REFUSE, withheld), (Action.WARN, warned))
        if found is not None
        for reason in found.reasons
    }
    return tuple(said) or (PASSED,)


def etag(digest: str, variant: Variant) -> str:
    """Return a strong ETag: the hash of the identity bytes, and what else tells variants apart."""
    form = "-v1" if variant.form is Form.HTML_V1 else ""  # the same bytes as text/html
    coding = "-gzip" if variant.coding is Coding.GZIP else ""
    return f'"{short(digest)}{form}{coding}"'


def sooner(left: datetime | None, right: datetime | None) -> datetime | None:
    """Return the earlier of two moments, where None is never."""
    moments = [moment for moment in (left, right) if moment is not None]
    return min(moments) if moments else None
