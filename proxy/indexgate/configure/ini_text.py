"""Changing pip's `index-url` in the text of its settings file, so that all else stays.

Whatever is written is read again: a change that does not give exactly the settings that it should
is not made.
"""

import configparser
import copy
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from msgspec import Struct

from indexgate.configure.hunks import NotByLines, Values, lines

Sections: TypeAlias = dict[str, dict[str, str]]
_MAIN = "global"
_KEY = "index-url"
_HEADING = re.compile(r"\[(?P<name>.+)\]")
_OPTION = re.compile(r"(?P<before>(?P<indent>\s*)(?P<key>[^=:]+?)\s*[=:]\s*)(?P<value>.*)$")


class _Option(Struct, frozen=True, kw_only=True):
    """A setting on lines *first* to *end* (not included), as pip reads it."""

    first: int
    end: int
    section: str
    key: str
    before: str


def sections(text: str) -> Sections:
    """Return the settings in *text* by section. Raises ValueError."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise ValueError("it is not a configuration file that pip can read") from error
    return {name: dict(parser.items(name)) for name in parser.sections()}


def values(text: str) -> Values:
    """Return the values of the settings in *text*. Raises ValueError."""
    found = sections(text)
    return Counter(
        (f"{name}\n{key}", value) for name, own in found.items() for key, value in own.items()
    )


def index_urls(text: str) -> list[str]:
    """Return the indexes that stand in *text*, whichever command each is for. Raises ValueError."""
    found = sections(text).values()
    return [value.strip() for own in found for key, value in own.items() if _normal(key) == _KEY]


def with_index(text: str, url: str) -> str:
    """Return *text* with *url* as the index of every pip command. Raises ValueError."""
    wanted = copy.deepcopy(sections(text))
    wanted.setdefault(_MAIN, {})
    for own in wanted.values():
        for key in own:
            if _normal(key) == _KEY:
                own[key] = url
    if not any(_normal(key) == _KEY for key in wanted[_MAIN]):
        wanted[_MAIN][_KEY] = url
    new = _with_main(_replaced(lines(text), url), url)
    if sections(new) != wanted:
        raise NotByLines
    return new


def _replaced(found: list[str], url: str) -> list[str]:
    for option in reversed(list(_options(found))):
        if _normal(option.key) == _KEY:
            last = found[option.end - 1]
            end = last[len(last.rstrip("\r\n")) :]
            space = "" if option.before.endswith((" ", "\t")) else " "
            found[option.first : option.end] = [f"{option.before}{space}{url}{end}"]
    return found


def _with_main(found: list[str], url: str) -> str:
    """Return the text with *url* in its main section, made if need be."""
    if any(o.section == _MAIN and _normal(o.key) == _KEY for o in _options(found)):
        return "".join(found)
    end = "\r\n" if found and found[0].endswith("\r\n") else "\n"
    line = f"{_KEY} = {url}{end}"
    heading = next((at for at, name in _headings(found) if name == _MAIN), None)
    if found and not found[-1].endswith("\n"):
        found[-1] += end
    if heading is not None:
        return "".join([*found[: heading + 1], line, *found[heading + 1 :]])
    gap = [end] if any(each.strip() for each in found) else []
    return "".join([*found, *gap, f"[{_MAIN}]{end}", line])


def _options(found: Sequence[str]) -> Iterator[_Option]:
    """Yield the settings. Lines that are indented more than a setting go on with its value."""
    section, open_ = "", None
    indent = 0
    for at, line in enumerate([*found, "[end]"]):
        text = line.strip()
        if not text or text.startswith(("#", ";")):
            continue
        if open_ is not None and len(line) - len(line.lstrip()) > indent:
            open_ = _Option(
                first=open_.first,
                end=at + 1,
                section=open_.section,
                key=open_.key,
                before=open_.before,
            )
            continue
        if open_ is not None:
            yield open_
            open_ = None
        heading = _HEADING.match(text)
        if heading is not None:
            section = heading["name"]
            continue
        option = _OPTION.match(line.rstrip("\r\n"))
        if option is not None:
            indent = len(option["indent"])
            open_ = _Option(
                first=at, end=at + 1, section=section, key=option["key"], before=option["before"]
            )


def _headings(found: Sequence[str]) -> Iterator[tuple[int, str]]:
    for at, line in enumerate(found):
        heading = _HEADING.match(line.strip())
        if heading is not None and not line[:1].isspace():
            yield at, heading["name"]


def _normal(key: str) -> str:
    return key.lower().replace("_", "-").removeprefix("--")
