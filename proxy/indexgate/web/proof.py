"""`/-/proof/`: whether a gate on a port is ours; `/-/runs/`: what it decided for a run.

Both rest on the state folder's secret, which never travels. The proof covers the address and the
port that the question came in on, so a program on another port that passes the question on to the
real gate proves nothing. Only this machine is answered, and no answer changes anything.
"""

import re
from datetime import timedelta
from ipaddress import IPv6Address, ip_address
from typing import Any

import msgspec
from aiohttp import hdrs, web
from msgspec import Struct, convert
from packaging.utils import NormalizedName

from indexgate.fellows import ALONE, Fellows
from indexgate.proving import is_key, proof, report_key
from indexgate.record import Recorder
from indexgate.run_memory import Seen, joined
from indexgate.store.engines import StoreFailed
from indexgate.web.refusal import NO_STORE

_NONCE = re.compile(r"[0-9a-f]{32,128}")
_SINCE = timedelta(days=7)
_MOST = 20_000
_PATIENCE = 5.0
"""Seconds for which the other workers are waited for."""


class Proof(Struct, frozen=True, kw_only=True):
    """The routes for `indexgate run`."""

    secret: str
    recorder: Recorder
    fellows: Fellows = ALONE

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, for the application's table."""
        return [
            web.get("/-/proof/{nonce}", self.prove, allow_head=False),
            web.get("/-/runs/{run}", self.report, allow_head=False),
        ]

    async def prove(self, request: web.Request) -> web.Response:
        """Answer a challenge of this machine."""
        nonce = request.match_info["nonce"]
        place = local_end(request)
        if place is None or not _NONCE.fullmatch(nonce):
            raise web.HTTPNotFound
        return _json({"proof": proof(self.secret, nonce, *place)})

    async def report(self, request: web.Request) -> web.Response:
        """Tell what was refused, withheld, warned of and served in a run, to who holds its key."""
        run = request.match_info["run"]
        given = request.headers.get(hdrs.AUTHORIZATION, "").removeprefix("Bearer ")
        key = report_key(self.secret, run)
        if local_end(request) is None or not is_key(given, key):
            raise web.HTTPNotFound
        return _json(await self._report(run))

    async def _report(self, run: str) -> dict[str, Any]:
        decisions = self.recorder.decisions
        others = await self.fellows.ask("seen", run, within=_PATIENCE)
        memories = [convert(other["seen"], dict[NormalizedName, Seen]) for other in others]
        await decisions.flush()
        troubles = (decisions.health().reason, *(other["trouble"] for other in others))
        try:
            found = decisions.query(since=self.recorder.now() - _SINCE, run=run, limit=_MOST)
        except StoreFailed as error:
            return {"trouble": error.message, "decisions": [], "seen": {}}
        return {
            "trouble": next(filter(None, troubles), None),
            "decisions": [
                {
                    "kind": line.kind,
                    "project": line.project,
                    "versions": line.versions,
                    "rule": line.rule,
                    "reason": line.reason,
                }
                for line in reversed(found)
            ],
            "seen": joined((self.recorder.runs.of(run), *memories)),
        }


def local_end(request: web.Request) -> tuple[str, int] | None:
    """Return the address and port that this connection was made to; None for another machine's."""
    transport = request.transport
    if transport is None:
        return None
    there, here = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
    if not there or not here or not ip_address(_plain(there[0])).is_loopback:
        return None
    return _plain(here[0]), here[1]


def _plain(address: str) -> str:
    """Return *address* as its own family writes it: a socket for both says `::ffff:127.0.0.1`."""
    parsed = ip_address(address.partition("%")[0])
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return str(mapped or parsed)


def _json(document: dict[str, Any]) -> web.Response:
    headers = {hdrs.CONTENT_TYPE: "application/json", **NO_STORE}
    return web.Response(body=msgspec.json.encode(document), headers=headers)
