"""`/-/health`: live, ready, and the state of everything that a verdict rests on."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from aiohttp import web
from msgspec import Struct

from indexgate.fellows import ALONE, Fellows
from indexgate.gate import Gate
from indexgate.indexes import Indexes
from indexgate.sources.osv_records import FeedState
from indexgate.store.asked import Asked
from indexgate.store.decisions import Decisions
from indexgate.store.engines import StoreFailed
from indexgate.store.served import Served
from indexgate.web import index_health
from indexgate.web.index_parts import IndexParts
from indexgate.web.joined_health import joined
from indexgate.web.refusal import NO_STORE

_PATIENCE = 2.0
"""Seconds for which the other workers are waited for."""


class Health(Struct, frozen=True, kw_only=True):
    """What health looks at: `each` index, the `main` one of them, and whose a project is."""

    version: str
    main: IndexParts
    each: tuple[IndexParts, ...]
    indexes: Indexes
    feed: Callable[[], FeedState | None]
    feed_failure: Callable[[], str | None]
    feed_wanted: bool
    decisions: Decisions
    asked: Asked
    served: Served
    clock: Callable[[], datetime]
    fellows: Fellows = ALONE

    @property
    def gate(self) -> Gate:
        """The first gate: its policy is the policy of all."""
        return self.each[0].gate

    def routes(self) -> list[web.RouteDef]:
        """Return the route, for the application's table."""
        return [web.get("/-/health", self.answer)]

    async def answer(self, _request: web.Request) -> web.Response:
        """Answer 200 while the gate can serve; what is degraded is said, not hidden."""
        others = await self.fellows.ask("health", within=_PATIENCE)
        return web.Response(
            body=msgspec.json.encode(joined(self.report(), others, self.fellows.count)),
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
                self._feed_trouble(feed, policy.max_feed_age.total_seconds()),
                f"record: {record.reason}" if record.reason else None,
                self._own_traffic_trouble(),
                *(text for index in self.each for text in index_health.troubles(index)),
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
            "upstream": index_health.reached(self.main),
            "indexes": [index_health.report(index) for index in self.each],
            "owners": self._owners(),
            "feeds": {"osv": self._feed(feed)},
            "record": {
                "kept": record.reason is None,
                "reason": record.reason,
                "waiting": record.spooled,
                "lost": record.dropped,
            },
            "own_traffic": _counting(self.asked),
            "served_files": _counting(self.served),
        }

    def _owners(self) -> dict[str, Any]:
        """Tell of projects that come from another index than they did."""
        owners = self.indexes.owners
        return {
            "changed": 0 if owners is None else owners.changes,
            "last": None if owners is None else owners.last_change,
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

    def _feed_trouble(self, state: FeedState | StoreFailed | None, max_age: float) -> str | None:
        if isinstance(state, StoreFailed):
            return f"store: {state.message}"
        if not self.feed_wanted or self.fellows.number:  # the first worker reads it, and knows
            return None
        if state is None:
            return f"osv: not read yet ({self.feed_failure() or 'being fetched'})"
        age = (self.clock() - state.fetched_at).total_seconds()
        return f"osv: last read {age / 3600:.0f} h ago" if age > max_age else None

    def _own_traffic_trouble(self) -> str | None:
        fault = self.asked.fault or self.served.fault
        return None if fault is None else f"own traffic: {fault.message}"


def _counting(counted: Asked | Served) -> dict[str, Any]:
    """Tell whether what is counted reaches the store, and what was lost."""
    return {
        "kept": counted.fault is None,
        "reason": None if counted.fault is None else counted.fault.message,
        "waiting": counted.waiting,
        "dropped": counted.dropped,
    }
