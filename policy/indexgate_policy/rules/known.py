"""What a judgement may lean on besides the file: the project's facts, made ready once a page."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from indexgate_policy.advisories import Advisories, Advisory
from indexgate_policy.assess import FAILED_CHECK, unchecked_by
from indexgate_policy.assessment import Assessment
from indexgate_policy.flags import Flag
from indexgate_policy.health.result import HealthScore
from indexgate_policy.rules.affected import Affected
from indexgate_policy.rules.durations import after
from indexgate_policy.rules.kleene import FAILS, Outcome, fails, unknown
from indexgate_policy.rules.wording import moment
from indexgate_policy.signals import Signals, Unknown
from indexgate_policy.subject import Client


class Known(Struct, frozen=True, kw_only=True):
    """The facts that are the same for all files of a page.

    `flags` are those in force at `now`; `failed` has the checks that could not be computed and
    `unchecked` those that lacked facts, each with the reason; `score` is the health score;
    `unlisted` is what it means that no advisory names a version: a fact only while the
    feed is fresh.
    """

    client: Client
    now: datetime
    signals: Signals | Unknown
    flags: tuple[Flag, ...] | Unknown
    failed: Mapping[str, str]
    unchecked: Mapping[str, str]
    score: HealthScore | Unknown
    affected: Affected
    unlisted: Outcome

    def at(self, moment: datetime) -> "Known":
        """Return what will be known at *moment*, if the same facts go on being read."""
        flags = self.flags
        if not isinstance(flags, Unknown):
            flags = _in_force(flags, moment)
        unlisted = FAILS if self.unlisted.truth is False else self.unlisted
        return replace(self, now=moment, flags=flags, unlisted=unlisted)


def gather(
    assessment: Assessment | Unknown, client: Client, now: datetime, max_feed_age: timedelta
) -> Known:
    """Return what is known of a project at *now*, with a feed that counts up to *max_feed_age*."""
    if isinstance(assessment, Unknown):
        return Known(
            client=client,
            now=now,
            signals=assessment,
            flags=assessment,
            failed={},
            unchecked={},
            score=assessment,
            affected=Affected(()),
            unlisted=unknown(assessment.reason),
        )
    advisories = assessment.advisories
    signals = Signals(assessment.inputs)
    return Known(
        client=client,
        now=now,
        signals=signals,
        flags=_in_force(assessment.flags, now),
        failed=_failed(assessment),
        unchecked=unchecked_by(signals),
        score=assessment.score,
        affected=Affected(_records(advisories)),
        unlisted=_unlisted(advisories, now, max_feed_age),
    )


def _in_force(flags: tuple[Flag, ...], now: datetime) -> tuple[Flag, ...]:
    return tuple(flag for flag in flags if flag.ends is None or flag.ends > now)


def _records(advisories: Advisories | Unknown) -> tuple[Advisory, ...]:
    """Return the advisories that count: public ones say nothing of an index of one's own."""
    if isinstance(advisories, Unknown) or not advisories.applicable:
        return ()
    return advisories.records


def _failed(assessment: Assessment) -> dict[str, str]:
    return {
        signal.name.removeprefix(FAILED_CHECK): signal.value.reason
        for signal in assessment.inputs
        if signal.name.startswith(FAILED_CHECK) and isinstance(signal.value, Unknown)
    }


def _unlisted(advisories: Advisories | Unknown, now: datetime, max_age: timedelta) -> Outcome:
    if isinstance(advisories, Unknown):
        return unknown(advisories.reason)
    if not advisories.applicable:
        return FAILS
    if isinstance(advisories.feed, Unknown):
        return unknown(advisories.feed.reason)
    stale_from = after(advisories.feed, max_age)
    if now >= stale_from:
        return unknown(f"the advisory feed was last read {moment(advisories.feed)}")
    return fails(stale_from)
