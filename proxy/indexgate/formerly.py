"""Files that were served once and that upstream lists no more: refused, unless that is waived."""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate.simple.filename import parse
from indexgate_policy.assessment import Assessment
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.exemptions import REMOVED_UPSTREAM, Exemption
from indexgate_policy.rules.judge import judge
from indexgate_policy.rules.verdict import Action, Verdict, Warned
from indexgate_policy.rules.wording import REASON_LENGTH, plain
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Client, File, Project

_GONE = Unknown(reason="the index no longer lists the file")


class Formerly(Struct, frozen=True, kw_only=True):
    """What is remembered of a file that was served: the project whose page listed it."""

    project: NormalizedName
    filename: str


def subject(former: Formerly, *, index_id: str, public: bool, status: str) -> File:
    """Return the file as it is judged: its name tells the version, all else is unknown.

    `status` is what the project page says of the project, if there is still one.
    """
    named = parse(former.filename, former.project)
    version = named.version or "unknown"
    return File(
        project=Project(
            name=former.project,
            index_id=index_id,
            public=public,
            status=status,
            first_upload=_GONE,
            first_seen=_GONE,
            releases=0,
        ),
        filename=former.filename,
        kind=named.kind,
        version=version,
        parsed=Unknown(reason=f"`{version}` is not a PEP 440 version")
        if named.parsed is None
        else named.parsed,
        uploaded=_GONE,
        released=_GONE,
        provenance=_GONE,
    )


def verdict(
    file: File, assessment: Assessment | Unknown, policy: Policy, client: Client, now: datetime
) -> Verdict:
    """Return the verdict of a file that was removed upstream.

    The policy is asked first, for what can be known without the page: quarantine, malware, names.
    Else the built-in `removed-upstream` refuses, unless an exemption waives it.
    """
    by_policy = judge(file, assessment, policy, client, now)
    if by_policy.refused:
        return by_policy
    gone = plain(f"{file.filename} was removed from the index after it was served here")
    waiver = policy.waiver(REMOVED_UPSTREAM, file, client, now)
    if waiver is not None:
        return _waived(by_policy, gone, waiver)
    return Verdict(
        action=Action.REFUSE,
        rule=REMOVED_UPSTREAM,
        reason=gone,
        explanation="The index no longer lists this file. Files are removed by their owners, or by "
        "the index's administrators because they do harm.",
        hint=f"choose another version, or ask for an exemption from the rule `{REMOVED_UPSTREAM}`",
        at_once=True,
    )


def _waived(by_policy: Verdict, gone: str, waiver: Exemption) -> Verdict:
    """Return what the policy says of a file that *waiver* lets in, and that it is let in."""
    reason = plain(f"{plain(waiver.said)}: {gone}", 2 * REASON_LENGTH)
    warning = Warned(rule=REMOVED_UPSTREAM, reason=reason, exemption=waiver.id)
    return replace(
        by_policy,
        action=Action.WARN,
        rule=by_policy.rule or warning.rule,
        reason=by_policy.reason or warning.reason,
        warnings=(*by_policy.warnings, warning),
        waived=(*by_policy.waived, REMOVED_UPSTREAM),
        exemptions=(*by_policy.exemptions, waiver.id),
        until=min(waiver.ends, by_policy.until or waiver.ends),
    )
