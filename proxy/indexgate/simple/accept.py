"""Which form of a page, and which coding, a request asks for (PEP 691, RFC 9110 section 12).

Nothing in here raises: what cannot be understood of a header is passed over.
"""

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import lru_cache


class Form(StrEnum):
    """A form of the Simple API; the value is its Content-Type."""

    JSON = "application/vnd.pypi.simple.v1+json"
    HTML_V1 = "application/vnd.pypi.simple.v1+html"
    HTML = "text/html"


class Coding(StrEnum):
    """A content coding, as Content-Encoding names it."""

    IDENTITY = "identity"
    GZIP = "gzip"


_FORMS = {
    "application/vnd.pypi.simple.v1+json": Form.JSON,
    "application/vnd.pypi.simple.latest+json": Form.JSON,
    "application/vnd.pypi.simple.v1+html": Form.HTML_V1,
    "application/vnd.pypi.simple.latest+html": Form.HTML_V1,
    "text/html": Form.HTML,
}
# Between equals: what carries most. Whoever takes anything is a person or an old tool: HTML.
_RICHEST = (Form.JSON, Form.HTML_V1, Form.HTML)
_FOR_ANYONE = (Form.HTML, Form.JSON, Form.HTML_V1)

_EXACT, _ONE_TYPE, _ANY = 2, 1, 0
_WILDCARDS = {"application/*": (Form.JSON, Form.HTML_V1), "text/*": (Form.HTML,)}

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_QUALITY = re.compile(r"[0-9]{1,3}(?:\.[0-9]{0,9})?|\.[0-9]{1,9}")
_LONGEST_KEPT = 1_000


def choose(accept_lines: Sequence[str], format_query: str | None = None) -> Form | None:
    """Return the form to answer with, None when no form is acceptable (406).

    *accept_lines* are the values of all Accept headers, *format_query* the decoded `?format=`,
    which wins; in it a literal `+` may have become a blank.
    """
    if format_query is not None and format_query.strip():
        return _FORMS.get(format_query.strip().replace(" ", "+").lower())
    line = ",".join(accept_lines)
    return _best_form(line) if len(line) <= _LONGEST_KEPT else _best_form.__wrapped__(line)


def coding(accept_encoding_lines: Sequence[str]) -> Coding:
    """Return the coding to answer with; without a header that is identity."""
    line = ",".join(accept_encoding_lines)
    return _best_coding(line) if len(line) <= _LONGEST_KEPT else _best_coding.__wrapped__(line)


@lru_cache(maxsize=512)
def _best_form(line: str) -> Form | None:
    """Weigh each form by the most specific range that names it."""
    weights: dict[Form, tuple[int, float]] = {}
    ranges = [item for item in _items(line) if "/" in item[0]] or [("*/*", 1.0)]
    for media, quality in ranges:
        for form, specificity in _named(media):
            weights[form] = max(weights.get(form, (-1, 0.0)), (specificity, quality))
    liked = {form: (q, specificity) for form, (specificity, q) in weights.items() if q > 0}
    if not liked:
        return None
    best = max(liked.values())
    order = _FOR_ANYONE if best[1] == _ANY else _RICHEST
    return next(form for form in order if liked.get(form) == best)


def _named(media: str) -> Iterator[tuple[Form, int]]:
    """Yield the forms that the media range *media* covers, with its specificity."""
    if media == "*/*":
        yield from ((form, _ANY) for form in Form)
    elif media in _WILDCARDS:
        yield from ((form, _ONE_TYPE) for form in _WILDCARDS[media])
    elif media in _FORMS:
        yield _FORMS[media], _EXACT


@lru_cache(maxsize=512)
def _best_coding(line: str) -> Coding:
    weights: dict[str, float] = {}
    for name, quality in _items(line):
        weights[name] = max(weights.get(name, 0.0), quality)
    gzip = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    # Identity that is not named is acceptable, and the last choice.
    return Coding.GZIP if gzip > 0 and gzip >= weights.get("identity", 0.0) else Coding.IDENTITY


def _items(line: str) -> Iterator[tuple[str, float]]:
    """Yield (lower-case name, quality) of every list item that can be read."""
    for item in _QUOTED.sub("", line).split(","):
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        quality = _quality(parameters)
        if name and quality is not None:
            yield name, quality


def _quality(parameters: list[str]) -> float | None:
    """Return the q of *parameters* (1 without one), None when it is malformed."""
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            value = value.strip()
            return min(float(value), 1.0) if _QUALITY.fullmatch(value) else None
    return 1.0
