"""How one index behind the gate is: for `/-/health`, which lists them all."""

from collections.abc import Iterator
from typing import Any

from indexgate.web.index_parts import IndexParts

CLOCK_TRUST = 300.0
"""Seconds by which the clock may differ from an upstream's before health says so."""


def report(index: IndexParts) -> dict[str, Any]:
    """Return the state of *index*; nothing in it is a secret."""
    choice = index.choice
    about = {"namespaces": list(choice.namespaces), "public": choice.public}
    return {"name": choice.name, **reached(index), **about}


def reached(index: IndexParts) -> dict[str, Any]:
    """Return whether *index* is asked, and how it answered last."""
    upstream, url = index.upstream, index.choice.url
    if upstream is None:
        return {"url": url, "asked": False, "reason": "the gate is offline"}
    failure, breaker = upstream.last_failure, upstream.breaker
    return {
        "url": url,
        "asked": True,
        "last_success": upstream.last_success,
        "last_failure": None if failure is None else failure[0],
        "reason": None if failure is None else failure[1],
        "breaker": {
            "state": breaker.state,
            "for_seconds": round(breaker.lasting),
            "opened": breaker.opened,
            "reason": breaker.reason,
        },
    }


def troubles(index: IndexParts) -> Iterator[str]:
    """Yield everything of *index* that is not as it should be, in words."""
    upstream, gate, name = index.upstream, index.gate, index.choice.name
    of = f" of `{name}`" if name else ""
    if upstream is not None and upstream.last_failure is not None:
        at, reason = upstream.last_failure
        if upstream.last_success is None or at > upstream.last_success:
            yield f"upstream: `{name}` {reason}" if name else f"upstream: {reason}"
    if upstream is not None and abs(upstream.clock_ahead) > CLOCK_TRUST:
        theirs = f"that of `{name}`" if name else "upstream's"
        yield f"clock: {abs(upstream.clock_ahead):.0f} s off from {theirs}"
    if gate.facts.failed_checks:
        last = gate.facts.last_failed_check
        yield f"checks{of}: failed {gate.facts.failed_checks} times, last: {last}"
    if gate.faults.count:
        yield f"gate{of}: failed {gate.faults.count} times while judging, last: {gate.faults.last}"
