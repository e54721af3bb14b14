"""`/-/runs/.../break-glass`: a run of `indexgate run` has its refusals turned into warnings.

Only this machine is answered, and only who holds the run's own key, which is made from the state
folder's secret: a program that the run starts, and that knows the run's token, does not. What is
done is in the log and in the book of exemptions before it holds.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from aiohttp import hdrs, web

from indexgate.broken_glass import LONGEST
from indexgate.errors import GateError
from indexgate.exempting import line
from indexgate.fellows import ALONE, Fellows
from indexgate.policy_file import PolicyInForce
from indexgate.proving import glass_key, is_key
from indexgate.store.engines import StoreFailed
from indexgate.store.exemption_requests import ExemptionRequests, Wish
from indexgate.web.client import is_run
from indexgate.web.proof import local_end
from indexgate.web.refusal import NO_STORE

_LARGEST = 4_096
_PATIENCE = 5.0
"""Seconds for which the other workers are waited for."""
_EVERYTHING = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlass:
    """The routes that break and mend the glass of a run."""

    policy: PolicyInForce
    book: ExemptionRequests
    secret: str = field(repr=False)
    clock: Callable[[], datetime]
    log: Callable[[str, str], None]
    fellows: Fellows = ALONE

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, for the application's table."""
        return [
            web.post("/-/runs/{run}/break-glass", self.open),
            web.delete("/-/runs/{run}/break-glass", self.close),
        ]

    async def open(self, request: web.Request) -> web.Response:
        """Break the glass for the run, if the policy allows it."""
        run = self._run(request)
        try:
            owner, reason = await _said(request)
        except (GateError, ValueError):
            return _answer(400, error="it does not say in a line each who breaks it and why")
        if not self.policy.current().break_glass:
            place = self.policy.place
            return _answer(403, error=f'the policy `{place}` says `break_glass = "refuse"`')
        wish = Wish(
            author=owner,
            project=_EVERYTHING,
            version="",
            rule=_EVERYTHING,
            reason=reason,
            days=1,
        )
        try:
            await self.book.note_soon(wish, "break-glass", by=owner, id_=run)
        except StoreFailed as error:
            return _answer(503, error=f"it cannot be written down: {error.message}")
        self.log("break-glass", f"by {owner} for {run}: {reason}; its refusals are warnings now")
        now = self.clock()
        self.policy.glass.open(run, owner=owner, reason=reason, now=now)
        # In all workers before the answer: the run's next request may come to any of them.
        await self.fellows.ask(
            "glass-opened", run, owner, reason, now.isoformat(), within=_PATIENCE
        )
        return _answer(200, hours=LONGEST.total_seconds() / 3600)

    async def close(self, request: web.Request) -> web.Response:
        """Mend the glass of the run."""
        run = self._run(request)
        mended = await self.fellows.ask("glass-mended", run, within=_PATIENCE)
        was_broken = any((self.policy.glass.close(run), *mended))
        if was_broken:
            self.log("glass-mended", f"{run} has ended; refusals refuse again")
        return _answer(200, mended=was_broken)

    def _run(self, request: web.Request) -> str:
        """Return the run, for who holds its key. Raises HTTPNotFound for everybody else."""
        run = request.match_info["run"]
        given = request.headers.get(hdrs.AUTHORIZATION, "").removeprefix("Bearer ")
        key = glass_key(self.secret, run)
        from_page = hdrs.ORIGIN in request.headers
        if local_end(request) is None or from_page or not is_run(run) or not is_key(given, key):
            raise web.HTTPNotFound
        return run


async def _said(request: web.Request) -> tuple[str, str]:
    """Return who and why. Raises GateError, ValueError."""
    if request.content_length is None or request.content_length > _LARGEST:
        raise ValueError("too long")
    said: dict[str, Any] = msgspec.json.decode(await request.read(), type=dict[str, Any])
    return line(str(said.get("by", "")), "by"), line(str(said.get("reason", "")), "reason")


def _answer(status: int, **document: object) -> web.Response:
    headers = {hdrs.CONTENT_TYPE: "application/json", **NO_STORE}
    return web.Response(status=status, body=msgspec.json.encode(document), headers=headers)
