"""`/exemptions`: the form on the page of a refusal, and what became of what was asked with it.

The form only asks: nothing that a browser sends grants anything. It is served on loopback alone. A
request counts if it comes from a page of the gate's own, which shows in its Origin and in the token
that this gate put into the form; what it asks for is judged again.
"""

import asyncio
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from msgspec import Struct

from indexgate.exempting import LONGEST_REASON
from indexgate.index.protocol import NoSuchProject, UpstreamFailed
from indexgate.indexes import Indexes
from indexgate.judged_files import JudgedFile
from indexgate.proving import form_token, is_key
from indexgate.simple.projects import valid_name
from indexgate.store.engines import StoreFailed
from indexgate.store.exemption_requests import BROWSER, ExemptionRequests, Request, Wish
from indexgate.web.client import client_of
from indexgate.web.new_names import NewNames
from indexgate.web.refusal import NO_STORE, Problem
from indexgate_policy.rules.exemptions import NOT_WAIVABLE
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Client

if TYPE_CHECKING:
    from jinja2 import Template

_A_MINUTE = 20
_LARGEST = 8_192
_ID = re.compile(r"[0-9a-f]{8}")
_DAYS = (7, 14, 30, 90)
_DEADLINE = 12.0
_ONE_DAY = timedelta(days=1)
_CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)


class Offer(Struct, frozen=True, kw_only=True):
    """How to ask for an exemption of a file from the rule that refused it.

    `command` is what asks in a terminal; without a `token` there is no form, and `command` is for
    whoever runs the gate. `days` are the spans to choose from.
    """

    project: str
    version: str
    rule: str
    filename: str
    command: str
    token: str = ""
    days: tuple[int, ...] = ()


def offer(judged: JudgedFile) -> Offer | None:
    """Return how to ask for an exemption of *judged* without a form; None: nothing can waive it."""
    verdict, subject = judged.verdict, judged.subject
    if not verdict.refused or verdict.rule in NOT_WAIVABLE:
        return None
    version = "" if isinstance(subject.parsed, Unknown) else f"=={subject.parsed}"
    what = f"{subject.project.name}{version} --rule {verdict.rule}"
    return Offer(
        project=subject.project.name,
        version=version,
        rule=verdict.rule,
        filename=subject.filename,
        command=f"indexgate exempt grant {what} --reason '...' --for 14d",
    )


class ExemptionForm:
    """The form: what is put into the page, and the routes that take it.

    *flags* are those by which a command on this machine finds the policy and the state of the gate.
    """

    def __init__(
        self,
        indexes: Indexes,
        requests: ExemptionRequests,
        *,
        secret: str,
        flags: str,
        clock: Callable[[], datetime],
        log: Callable[[str, str], None],
    ) -> None:
        self._indexes = indexes
        self._requests = requests
        self._secret = secret
        self._flags = flags
        self._clock = clock
        self._log = log
        self._bound = NewNames(clock, _A_MINUTE)

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, for the application's table."""
        return [
            web.post("/exemptions", self.ask),
            web.get("/exemptions/{id}", self.answer),
        ]

    def offer(self, judged: JudgedFile) -> Offer | None:
        """Return how to ask for an exemption of *judged*; None where nothing can waive it."""
        plain = offer(judged)
        if plain is None:
            return None
        longest = self._indexes.first.policy.current().max_exemption
        spans = tuple(d for d in _DAYS if longest is None or timedelta(days=d) <= longest)
        what = f"{plain.project}{plain.version} --rule {plain.rule}"
        return Offer(
            project=plain.project,
            version=plain.version,
            rule=plain.rule,
            filename=plain.filename,
            command=f"indexgate exempt request {what} {self._flags}".rstrip(),
            token=self._token(plain, self._clock().date()),
            days=spans or (1,),
        )

    async def ask(self, request: web.Request) -> web.Response:
        """Keep what a form asks for, and lead to the page about it."""
        if not _is_own(request):
            return _foreign().response()
        if request.content_type != "application/x-www-form-urlencoded" or (
            request.content_length is None or request.content_length > _LARGEST
        ):
            return _wrong("it is not what the form sends").response()
        try:
            given = await request.post()
        except (LookupError, ValueError):
            return _wrong("it is not text in a known encoding").response()
        try:
            self._bound.count(request.remote or "")
        except UpstreamFailed:
            return _too_many().response()
        try:
            async with asyncio.timeout(_DEADLINE):
                fields = {key: str(value) for key, value in given.items()}
                kept = await self._kept(fields, client_of(request))
        except (TimeoutError, UpstreamFailed, NoSuchProject, StoreFailed) as error:
            return _trouble(error).response()
        if isinstance(kept, Problem):
            return kept.response()
        wish = kept.wish
        self._log("exemption-asked", f"{kept.id}: {wish.project}{wish.version} from {wish.rule}")
        location = f"exemptions/{kept.id}"
        return web.Response(status=303, headers={hdrs.LOCATION: location, **NO_STORE})

    async def answer(self, request: web.Request) -> web.Response:
        """Tell what became of a request."""
        id_ = request.match_info["id"]
        try:
            found = self._requests.get(id_) if _ID.fullmatch(id_) else None
        except StoreFailed as error:
            return _trouble(error).response()
        if found is None:
            raise web.HTTPNotFound
        return web.Response(
            text=_template().render(
                request=found, wish=found.wish, state=self._state(found), flags=self._flags
            ),
            headers={
                hdrs.CONTENT_TYPE: "text/html; charset=utf-8",
                "Content-Security-Policy": _CSP,
                "Referrer-Policy": "no-referrer",
                **NO_STORE,
            },
        )

    def _state(self, request: Request) -> str:
        """Return what *request* is now: what was granted ends by itself, or by the policy."""
        if request.state != "granted":
            return request.state
        exemptions = self._indexes.first.policy.current().exemptions
        now = self._clock()
        holds = any(each.id == request.id and each.ends > now for each in exemptions)
        return "granted" if holds else "over"

    async def _kept(self, given: dict[str, str], client: Client) -> Request | Problem:
        name = valid_name(given.get("project", ""))
        if name is None:
            return _wrong("it names no project")
        judged = await self._indexes.blocked(name, given.get("file", ""), client)
        offered = None if judged is None else self.offer(judged)
        if offered is None or offered.rule != given.get("rule"):
            return _wrong("what it asks for is not refused by that rule now; open the page again")
        if not self._is_ours(offered, given.get("token", "")):
            return _foreign()
        reason = given.get("reason", "").strip()
        if not reason or len(reason) > LONGEST_REASON or not reason.isprintable():
            return _wrong(f"the reason is not one line of 1 to {LONGEST_REASON} characters")
        days = given.get("days", "")
        wish = Wish(
            author=BROWSER,
            project=offered.project,
            version=offered.version,
            rule=offered.rule,
            reason=reason,
            days=int(days) if days in map(str, offered.days) else offered.days[0],
        )
        return await self._requests.ask_soon(wish)

    def _is_ours(self, offered: Offer, token: str) -> bool:
        """Tell whether *token* is of a form that was made today or yesterday."""
        today = self._clock().date()
        return any(is_key(token, self._token(offered, day)) for day in (today, today - _ONE_DAY))

    def _token(self, offered: Offer, day: date) -> str:
        return form_token(
            self._secret, offered.project, offered.version, offered.rule, day.isoformat()
        )


def _is_own(request: web.Request) -> bool:
    """Tell whether a page of the gate's own sent *request*; the guard has looked at its Host."""
    origin = urlsplit(request.headers.get(hdrs.ORIGIN, ""))
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    return bool(origin.netloc) and origin.netloc == request.host and site == "same-origin"


@lru_cache(1)
def _template() -> "Template":
    """Return the template; jinja2 is imported only when somebody looks at such a page."""
    from jinja2 import Environment, PackageLoader, select_autoescape

    environment = Environment(
        loader=PackageLoader("indexgate.web"), autoescape=select_autoescape(), trim_blocks=True
    )
    return environment.get_template("exemption.html")


def _foreign() -> Problem:
    """Say that the request does not come from a form of this gate."""
    return Problem(
        type="urn:indexgate:not-our-form",
        title="Not asked from a page of this gate",
        status=403,
        detail="Only the form on the page of a refusal asks, within a day; open that page again",
        phrase="Forbidden: not asked from a page of this gate",
    )


def _wrong(why: str) -> Problem:
    """Say what is wrong with what the form sent."""
    return Problem(
        type="urn:indexgate:exemption-not-asked",
        title="The exemption was not asked for",
        status=400,
        detail=f"Nothing was asked for: {why}",
        phrase=f"Bad Request: {why}",
    )


def _too_many() -> Problem:
    """Say that a script asks, or that somebody's patience is at an end."""
    why = f"there were {_A_MINUTE} requests in a minute"
    return Problem(
        type="urn:indexgate:exemption-not-kept",
        title="The exemption was not asked for",
        status=503,
        detail=f"Nothing was asked for: {why}. Wait for the next, or ask in a terminal",
        phrase=f"Service Unavailable: {why}",
        headers={hdrs.RETRY_AFTER: "60"},
    )


def _trouble(error: Exception) -> Problem:
    """Say that the request could not be taken now."""
    why = "".join(_clauses(error)) or "the index did not answer in time"
    return Problem(
        type="urn:indexgate:exemption-not-kept",
        title="The exemption was not asked for",
        status=503,
        detail=f"Nothing was asked for: {why}. Ask in a terminal with `indexgate exempt request`",
        phrase=f"Service Unavailable: {why}",
    )


def _clauses(error: Exception) -> Iterator[str]:
    if isinstance(error, UpstreamFailed):
        yield f"upstream {error.reason}"
    elif isinstance(error, StoreFailed):
        yield error.message
    elif isinstance(error, NoSuchProject):
        yield "the index has no such project"
