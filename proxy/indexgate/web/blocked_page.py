"""The page that explains a refusal to a person: what, by which rule, the evidence, how to go on."""

from datetime import datetime
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING

from aiohttp import hdrs, web
from msgspec import Struct

from indexgate.index.trace import current
from indexgate.judged_files import JudgedFile
from indexgate.web.exemption_form import Offer
from indexgate.web.refusal import NO_STORE, note_refused
from indexgate_policy.assessment import Assessment
from indexgate_policy.rules.wording import moment, plain
from indexgate_policy.signals import Unknown, Value

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup

_CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none';"
    " form-action"
)


class _Part(Struct, frozen=True):
    """A part of an explanation: prose, or something to copy."""

    text: str
    code: bool


def blocked_page(
    judged: JudgedFile,
    assessment: Assessment | None,
    ask: Offer | None,
    *,
    root: str,
    team: str | Unknown | None = None,
) -> web.Response:
    """Return the page about *judged*; 403 while it is refused, 200 when it passes now.

    *ask* is how to ask for an exemption, *root* the way from the page to the gate's root, *team*
    that of who looks, None where no team matters.
    """
    has_form = ask is not None and bool(ask.token)
    verdict, trace = judged.verdict, current()
    if verdict.refused:
        note_refused(verdict)
    name = f"{judged.subject.project.name} {judged.subject.version}"
    body = _template().render(
        title=f"{name} is refused by indexgate" if verdict.refused else f"{name} passes now",
        refused=verdict.refused,
        reason=verdict.reason if verdict.refused else "Run the install again.",
        hint=verdict.hint,
        explanation=_parts(verdict.explanation),
        evidence=[*_evidence(judged, assessment), *_asker(team)],
        policy=judged.policy[:12],
        ask=ask,
        root=root,
        until=None if verdict.until is None else moment(verdict.until),
        request_id=None if trace is None else trace.id,
    )
    phrase = plain(f"Blocked by indexgate: {verdict.reason}", 200) if verdict.refused else "OK"
    return web.Response(
        status=403 if verdict.refused else 200,
        reason=phrase,
        text=body,
        headers={
            hdrs.CONTENT_TYPE: "text/html; charset=utf-8",
            "Content-Security-Policy": f"{_CSP} '{'self' if has_form else 'none'}'",
            # With no referrer at all, a browser would send the form without its origin.
            "Referrer-Policy": "same-origin" if has_form else "no-referrer",
            **NO_STORE,
        },
    )


@lru_cache(1)
def _template() -> "Template":
    """Return the template; jinja2 is imported only when somebody looks at such a page."""
    from jinja2 import Environment, PackageLoader, select_autoescape

    environment = Environment(
        loader=PackageLoader("indexgate.web"), autoescape=select_autoescape(), trim_blocks=True
    )
    environment.filters["code"] = _code
    return environment.get_template("blocked.html")


def _code(text: str) -> "Markup":
    """Return *text*, escaped, with what stands in backticks set as code."""
    from markupsafe import Markup

    parts = [str(escape(part)) for part in text.split("`")]
    spans = (f"<code>{part}</code>" if at % 2 else part for at, part in enumerate(parts))
    return Markup("".join(spans))  # noqa: S704 - every part was escaped


def _parts(explanation: str) -> list[_Part]:
    """Split an explanation into paragraphs; those that hold a TOML table are for copying."""
    paragraphs = [part.strip("\n") for part in explanation.split("\n\n") if part.strip()]
    return [_Part(text, code=text.lstrip().startswith("[[")) for text in paragraphs]


def _evidence(judged: JudgedFile, assessment: Assessment | None) -> list[tuple[str, str]]:
    subject = judged.subject
    rows = [
        ("file", subject.filename),
        ("rule", judged.verdict.rule or "none"),
        ("uploaded", _moment_or_why(subject.uploaded)),
        ("release began", _moment_or_why(subject.released)),
        ("project began", _moment_or_why(subject.project.first_upload)),
        ("releases", str(subject.project.releases)),
    ]
    if subject.project.status != "active":
        rows.append(("status", f"{subject.project.status} {subject.project.status_reason}".strip()))
    if subject.yanked is not False:
        rows.append(("yanked upstream", str(subject.yanked)))
    if assessment is None:
        return rows
    rows += [(f"flag {f.check} ({f.severity.label})", f.evidence) for f in assessment.flags]
    if not isinstance(assessment.advisories, Unknown):
        rows += [
            (f"advisory {advisory.id}", advisory.summary)
            for advisory in assessment.advisories.records
            if advisory.affects(subject.version) is True
        ]
    rows += [
        (signal.name.replace("_", " "), _value(signal.value))
        for signal in assessment.inputs
        if signal.name in {"owners", "organization", "repository"}
    ]
    rows.append(("facts from", moment(assessment.assessed_at)))
    return rows


def _asker(team: str | Unknown | None) -> list[tuple[str, str]]:
    return [] if team is None else [("your team", _value(team))]


def _moment_or_why(value: datetime | Unknown) -> str:
    return f"not known: {value.reason}" if isinstance(value, Unknown) else moment(value)


def _value(value: Value | Unknown) -> str:
    if isinstance(value, Unknown):
        return f"not known: {value.reason}"
    return (", ".join(value) if isinstance(value, tuple) else str(value)) or "none"
