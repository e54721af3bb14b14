"""`/-/health`: live, ready, and the state of everything that a verdict rests on."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from aiohttp import web

from indexgate.gate import Gate
from indexgate.index.upstream import Upstream
from indexgate.sources.osv_records import FeedState
from indexgate.store.asked import Asked
from indexgate.store.decisions import Decisions
from indexgate.store.engines import StoreFailed
from indexgate.web.refusal import NO_STORE


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What health looks at. `upstream` is None when the gate is offline."""

    version: str
    upstream_url: str
    upstream: Upstream | None
    gate: Gate
    feed: Callable[[], FeedState | None]
    feed_failure: Callable[[], str | None]
    feed_wanted: bool
    decisions: Decisions
    asked: Asked
    clock: Callable[[], datetime]
    clock_ahead: Callable[[], float]

    def routes(self) -> list[web.RouteDef]:
        """Return the route, for the application's table."""
        return [web.get("/-/health", self.answer)]

    async def answer(self, _request: web.Request) -> web.Response:
        """Answer 200 while the gate can serve; what is degraded is said, not hidden."""
        return web.Response(
            body=msgspec.json.encode(self.report()),
            headers={"Content-Type": "application/json", **NO_STORE},
        )

    def report(self) -> dict[str, Any]:
        """Return the report. `degraded` lists every part that is not as it should be, in words."""
        policy = self.gate.policy.current()
        record = self.decisions.health()
        feed = self._feed_state()
        degraded = [
            text
            for text in (
                self._policy_trouble(),
                self._grants_trouble(),
                self._upstream_trouble(),
                self._feed_trouble(feed, policy.max_feed_age.total_seconds()),
                f"record: {record.reason}" if record.reason else None,
                self._own_traffic_trouble(),
                self._clock_trouble(),
                self._failed_checks(),
                self._fault(),
            )
            if text is not None
        ]
        return {
            "live": True,
            "ready": True,
            "version": self.version,
            "degraded": degraded,
            "policy": {
                "place": self.gate.policy.place,
                "digest": policy.digest,
                "rules": len(policy.rules),
                "broken": self.gate.policy.broken,
                "notices": list(policy.notices),
            },
            "upstream": self._upstream(),
            "feeds": {"osv": self._feed(feed)},
            "record": {
                "kept": record.reason is None,
                "reason": record.reason,
                "waiting": record.spooled,
                "lost": record.dropped,
            },
            "own_traffic": {
                "kept": self.asked.fault is None,
                "reason": None if self.asked.fault is None else self.asked.fault.message,
                "waiting": self.asked.waiting,
                "dropped": self.asked.dropped,
            },
        }

    def _upstream(self) -> dict[str, Any]:
        if self.upstream is None:
            return {"url": self.upstream_url, "asked": False, "reason": "the gate is offline"}
        failure, breaker = self.upstream.last_failure, self.upstream.breaker
        return {
            "url": self.upstream_url,
            "asked": True,
            "last_success": self.upstream.last_success,
            "last_failure": None if failure is None else failure[0],
            "reason": None if failure is None else failure[1],
            "breaker": {
                "state": breaker.state,
                "for_seconds": round(breaker.lasting),
                "opened": breaker.opened,
                "reason": breaker.reason,
            },
        }

    def _feed_state(self) -> FeedState | StoreFailed | None:
        try:
            return self.feed()
        except StoreFailed as error:
            return error

    def _feed(self, state: FeedState | StoreFailed | None) -> dict[str, Any]:
        if state is None or isinstance(state, StoreFailed):
            failure = self.feed_failure() if state is None else state.message
            return {"wanted": self.feed_wanted, "read": None, "failure": failure}
        return {
            "wanted": self.feed_wanted,
            "read": state.fetched_at,
            "age_seconds": round((self.clock() - state.fetched_at).total_seconds()),
            "records": state.records,
            "failure": self.feed_failure(),
        }

    def _policy_trouble(self) -> str | None:
        broken = self.gate.policy.broken
        return f"policy: {broken}; the policy read before stays in force" if broken else None

    def _grants_trouble(self) -> str | None:
        broken = self.gate.policy.grants_broken
        return f"exemptions: {broken}; what was read before holds" if broken else None

    def _upstream_trouble(self) -> str | None:
        if self.upstream is None or self.upstream.last_failure is None:
            return None
        at, reason = self.upstream.last_failure
        success = self.upstream.last_success
        return f"upstream: {reason}" if success is None or at > success else None

    def _feed_trouble(self, state: FeedState | StoreFailed | None, max_age: float) -> str | None:
        if isinstance(state, StoreFailed):
            return f"store: {state.message}"
        if not self.feed_wanted:
            return None
        if state is None:
            return f"osv: not read yet ({self.feed_failure() or 'being fetched'})"
        age = (self.clock() - state.fetched_at).total_seconds()
        return f"osv: last read {age / 3600:.0f} h ago" if age > max_age else None

    def _own_traffic_trouble(self) -> str | None:
        fault = self.asked.fault
        return None if fault is None else f"own traffic: {fault.message}"

    def _failed_checks(self) -> str | None:
        facts = self.gate.facts
        if not facts.failed_checks:
            return None
        return f"checks: failed {facts.failed_checks} times, last: {facts.last_failed_check}"

    def _fault(self) -> str | None:
        if not self.gate.faults:
            return None
        return f"gate: failed {self.gate.faults} times while judging, last: {self.gate.last_fault}"

    def _clock_trouble(self) -> str | None:
        ahead = self.clock_ahead()
        return (
            f"clock: {abs(ahead):.0f} s off from upstream's" if abs(ahead) > CLOCK_TRUST else None
        )


CLOCK_TRUST = 300.0
"""Seconds by which the clock may differ from upstream's before health says so."""
