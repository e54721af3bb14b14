"""How a refusal, or a failure of upstream, is said on the wire: one shape, and a reason phrase.

The reason phrase of HTTP/1.1 is the only text that pip, Poetry and older uv print; newer uv prints
`title` and `detail` of an RFC 9457 problem, if its Content-Type has no parameter. So both carry the
whole reason, and the link stands inside `detail`.
"""

from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec
from aiohttp import web
from msgspec import Struct, field
from packaging.utils import NormalizedName

from indexgate.index.protocol import UpstreamFailed
from indexgate.index.trace import current
from indexgate.web.refusal_details import Details
from indexgate.web.request_counts import result_of
from indexgate_policy.rules.verdict import Verdict
from indexgate_policy.rules.wording import plain, slug
from indexgate_policy.subject import File

PROBLEM = "application/problem+json"
LONGEST_PHRASE = 200
NO_STORE = {"Cache-Control": "no-store"}
_PREFIX = "urn:indexgate:"


class Problem(Struct, frozen=True, kw_only=True):
    """A failure as clients get it (RFC 9457); `phrase` is the HTTP reason phrase.

    The document names the request that it answers, and the request's log line says the rest.
    """

    type: str
    title: str
    status: int
    detail: str
    phrase: str
    instance: str = ""
    more: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def body(self, request_id: str | None = None) -> bytes:
        """Return the problem document, of the request with that id."""
        document = {
            "type": self.type,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **({"instance": self.instance} if self.instance else {}),
            **self.more,
            **({"request_id": request_id} if request_id else {}),
        }
        return msgspec.json.encode(document)

    def response(self) -> web.Response:
        """Return the answer. The Content-Type has no charset: uv compares the whole header."""
        phrase = plain(self.phrase, LONGEST_PHRASE)
        trace = current()
        if trace is not None:
            trace.result = result_of(self.status, self.type.removeprefix(_PREFIX))
            trace.why = phrase
            trace.rule = str(self.more.get("rule", ""))
        return web.Response(
            status=self.status,
            reason=phrase,
            body=self.body(None if trace is None else trace.id),
            headers={"Content-Type": PROBLEM, **NO_STORE, **self.headers},
        )


def blocked_path(file: File, verdict: Verdict) -> str:
    """Return the path, from the gate's root, of the page that explains why *file* is refused.

    The reason's slug is in it for PDM and old uv, which print nothing but the address.
    """
    version = quote(file.version, safe="")
    name = quote(file.filename, safe="")
    return f"blocked/{file.project.name}/{version}/{slug(verdict.reason)}?file={name}"


def refused(
    file: File,
    verdict: Verdict,
    link: str,
    *,
    details: Details,
    ask: str | None = None,
) -> Problem:
    """Return the problem of a refused file.

    `link` is where it is explained, `ask` the command that asks for an exemption.
    """
    what = f"{file.project.name} {file.version}"
    sentences = [plain(verdict.reason), plain(verdict.hint)]
    detail = ". ".join(text.rstrip(".") for text in sentences if text)
    if ask is not None:
        detail += f": `{ask}`"
    return Problem(
        type="urn:indexgate:refused",
        title="Blocked by indexgate policy",
        status=403,
        detail=f"{detail}. Explanation and how to allow it: {link}",
        phrase=f"Blocked by indexgate: {verdict.reason}",
        instance=link,
        more={
            "project": file.project.name,
            "version": file.version,
            "file": file.filename,
            **_decision(verdict, details),
            **({"ask": ask} if ask else {}),
            "subject": what,
        },
    )


def whole_project(name: NormalizedName, verdict: Verdict, details: Details) -> Problem:
    """Return the problem of a whole project that is refused, where refusals are hidden (`hide`)."""
    return Problem(
        type="urn:indexgate:refused",
        title="Blocked by indexgate policy",
        status=451,
        detail=f"{verdict.reason}. {verdict.hint}".strip(),
        phrase=f"Blocked by indexgate: {verdict.reason}",
        more={"project": name, **_decision(verdict, details)},
    )


def _decision(verdict: Verdict, details: Details) -> dict[str, Any]:
    """Return the fields that every refusal has."""
    return {
        "rule": verdict.rule,
        "action": verdict.action,
        "reason": verdict.reason,
        "hint": verdict.hint,
        **details.fields(),
        "until": _moment(verdict.until),
    }


def note_refused(verdict: Verdict) -> None:
    """Note for the log and the counts that the running request is refused by *verdict*."""
    trace = current()
    if trace is not None:
        trace.result, trace.why, trace.rule = "refused", plain(verdict.reason), verdict.rule


def upstream_trouble(error: UpstreamFailed, what: str, *, status: int) -> Problem:
    """Return the problem of an upstream that failed while *what* is not stored."""
    text = f"upstream {error.reason}; {what} is not in the local cache"
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
    return Problem(
        type=f"urn:indexgate:upstream-{error.kind}",
        title="indexgate could not reach its upstream index",
        status=status,
        detail=f"{text}. The state of the gate and its upstream: /-/health",
        phrase=f"indexgate: {text}",
        more={"upstream_status": error.status, "kind": error.kind},
        headers=headers,
    )


def status_for(error: UpstreamFailed, family: str) -> int:
    """Return the status a page's failure gets: what the client is known to print.

    uv, Poetry and PDM print the reason of a 424 at once; every other agent gets the usual 502, 503
    or 504. pip prints nothing of any error: see `pip_notice`.
    """
    if family in {"uv", "poetry", "pdm"}:
        return 424
    if error.kind == "timeout":
        return 504
    if error.kind == "offline" or error.status in {429, 503}:
        return 503
    return 502


def pip_notice(error: UpstreamFailed, what: str) -> web.Response:
    """Return the one answer of which pip prints anything: 200 with an explaining Content-Type."""
    text = f"upstream {error.reason} and {what} is not in the local cache - see /-/health"
    trace = current()
    if trace is not None:
        trace.result = result_of(200, f"upstream-{error.kind}")
        trace.why = plain(f"indexgate: {text}", LONGEST_PHRASE)
        text += f", request {trace.id}"
    return web.Response(
        body=b"",
        headers={"Content-Type": f"text/plain; indexgate: {plain(text, 300)}", **NO_STORE},
    )


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
