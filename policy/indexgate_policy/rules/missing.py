"""Open or closed, declared: what happens when something is missing that a verdict leans on.

One table, for the code that acts on it, the health report, and the documentation.
"""

from msgspec import Struct


class Missing(Struct, frozen=True, kw_only=True):
    """One thing that can be missing, under a stable `id`.

    `page` and `file` say what happens to each, `health` what the gate's health report says (empty:
    nothing, since it is an ordinary state), `client` what whoever installs reads (empty: nothing).
    """

    id: str
    thing: str
    page: str
    file: str
    health: str
    client: str


_BY_RULE = "each rule that needs it does what its `unknown` says"
_SAME = "the same, judged again"

TABLE: tuple[Missing, ...] = (
    Missing(
        id="assessment",
        thing="the project has not been assessed yet",
        page=f"{_BY_RULE}; the assessment is queued",
        file=_SAME,
        health="",
        client="the reason of the rule, if it warns or refuses",
    ),
    Missing(
        id="advisory-feed",
        thing="the advisory feed is missing or older than `max_feed_age`",
        page="versions that an advisory names stay named; for all others " + _BY_RULE,
        file=_SAME,
        health="degraded: the advisory feed was last read at this time",
        client="when the feed was last read, if a rule warns or refuses",
    ),
    Missing(
        id="store",
        thing="the store cannot be read",
        page="as without an assessment and without the feed: " + _BY_RULE,
        file=_SAME,
        health="failing: the store cannot be read, and why",
        client="the reason of the rule, if it warns or refuses",
    ),
    Missing(
        id="page-stale",
        thing="upstream does not answer and an older page stands in for it",
        page="the older page is judged and served up to `max_stale`, then it counts as no page",
        file="judged on the older page; without any page 424, nothing is streamed",
        health="degraded: upstream has not answered since this time",
        client="nothing while a page stands in; then that upstream does not answer",
    ),
    Missing(
        id="upload-time",
        thing="upstream gives no upload time for a file",
        page=f"its ages are unknown: {_BY_RULE}",
        file=_SAME,
        health="",
        client="the reason of the rule, if it warns or refuses",
    ),
    Missing(
        id="upload-time-ahead",
        thing="an upload time lies in the future",
        page="it counts as age 0, and goes on doing so until that time has come",
        file=_SAME,
        health="",
        client="the reason of the rule, with the time as upstream gives it",
    ),
    Missing(
        id="clock",
        thing="the clock is off from upstream's `Date` by more than 5 minutes",
        page="judged by the gate's own clock",
        file=_SAME,
        health="degraded: by how much the clock is off, since ages are wrong by as much",
        client="",
    ),
    Missing(
        id="first-seen",
        thing="the gate's store is younger than the duration that `first_seen` asks for",
        page=f"unknown: {_BY_RULE}",
        file=_SAME,
        health="",
        client="the reason of the rule, if it warns or refuses",
    ),
    Missing(
        id="check",
        thing="a check could not be computed",
        page=f"its flag is unknown, not absent: {_BY_RULE}",
        file=_SAME,
        health="degraded: which check failed, and why",
        client="the reason of the rule, if it warns or refuses",
    ),
    Missing(
        id="version",
        thing="a version is not PEP 440",
        page=f"`version` and ranges of advisories are unknown for it: {_BY_RULE}",
        file=_SAME,
        health="",
        client="the reason of the rule, if it warns or refuses",
    ),
    Missing(
        id="policy",
        thing="the policy file is broken",
        page="at start: the gate does not start; later: the last good policy stays in force",
        file="the same policy as for pages",
        health="degraded: the error, with its place in the file",
        client="",
    ),
    Missing(
        id="fault",
        thing="the gate itself fails while it judges",
        page="the file is refused under the rule `gate-fault`",
        file="refused, and judged anew at the next request",
        health="degraded: how often it happened, and the last error",
        client="that the gate failed and refuses what it could not judge",
    ),
)
