"""The links of a long list that are all written alike: one pattern reads them.

A parser of HTML takes minutes and gigabytes for the list of a whole index. What is written in any
other way is left to it: the text without these links, but with the first of them.
"""

import re
from collections.abc import Iterator

_LINK = r'<a href="{}([A-Za-z0-9][A-Za-z0-9._-]*)/?">([^<>&]*)</a>(?:<br ?/?>)?\s*'
_FIRST = re.compile(_LINK.format("((?:[A-Za-z0-9._~-]*/)*)"))
_SWALLOWING = re.compile(
    r"<(?:!--|!\[|\?|script|style|textarea|title\b(?![^<]*</title>)|xmp|iframe|noembed|noframes"
    r"|noscript|plaintext|template|svg|math)",
    re.IGNORECASE,
)


def plain_links(text: str) -> tuple[str, str, Iterator[tuple[str, str]]]:
    """Return *text* without its plain links but the first, what all begin with, and the links.

    A link is the last part of its address and its text. There are none if any other link is there,
    or if something before the first may hide what follows.
    """
    first = _FIRST.search(text)
    if first is None or _may_hide(text[: first.start()]):
        return text, "", iter(())
    link = _LINK.format(re.escape(first[1]))
    run = re.compile(f"(?:{re.sub(r'[(](?![?])', '(?:', link)})*+").match(text, first.end())
    end = first.end() if run is None else run.end()
    if re.search("<a[ \t\n>]", text[: first.start()] + text[end:], re.IGNORECASE):
        return text, "", iter(())
    links = re.compile(link).finditer(text, first.end(), end)
    return text[: first.end()] + text[end:], first[1], ((found[1], found[2]) for found in links)


def _may_hide(head: str) -> bool:
    """Tell whether *head* may begin something in which a link is none: a script, an attribute."""
    open_tag = head.rfind("<") > head.rfind(">")
    quotes = any(head.count(quote) % 2 for quote in "\"'")
    return open_tag or quotes or _SWALLOWING.search(head) is not None
