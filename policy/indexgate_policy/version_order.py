"""The order of versions (PEP 440), without a parser for those that are numbers and dots alone.

Most are; a large project has thousands of them, of which one looks for the highest or the nearest.
"""

import re
from functools import lru_cache
from typing import TypeAlias

from packaging.version import InvalidVersion, Version

from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Release

_Part: TypeAlias = tuple[int | str | tuple[int, int | str], ...]
Order: TypeAlias = tuple[int, tuple[int, ...], tuple[_Part, _Part, _Part, _Part]]
"""Compares like the version: epoch, numbers without zeros at the end, then pre-release, post-,
development release and local version, of each whether it is there and how it sorts if not."""

_PLAIN = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})*").fullmatch
_BELOW: _Part = (-1,)
_ABOVE: _Part = (1,)
_FINAL = (_ABOVE, _BELOW, _ABOVE, ())


def order(release: Release) -> Order | None:
    """Return what *release* is sorted by among versions, None when its own is not PEP 440."""
    plain = _plain(release.version)
    if plain is not None:
        return plain
    parsed = release.parsed
    return None if isinstance(parsed, Unknown) else of_version(parsed)


def of_text(text: str) -> Order | None:
    """Return what *text* is sorted by among versions, None when it is none."""
    plain = _plain(text)
    if plain is not None:
        return plain
    try:
        return of_version(Version(text))
    except InvalidVersion:
        return None


@lru_cache(maxsize=4096)  # whoever assesses, judges and looks for a hint asks the same of one page
def _plain(text: str) -> Order | None:
    if not _PLAIN(text):
        return None
    numbers = tuple(map(int, text.split(".")))
    return 0, numbers if numbers[-1] else _numbers(numbers), _FINAL


def is_final(place: Order) -> bool:
    """Tell whether a version of this order is neither a pre-release nor a development release."""
    pre, _, dev, _ = place[2]
    return pre == _ABOVE == dev


def _numbers(release: tuple[int, ...]) -> tuple[int, ...]:
    while release and not release[-1]:
        release = release[:-1]
    return release


def of_version(parsed: Version) -> Order:
    """Return what *parsed* is sorted by."""
    pre, post, dev = parsed.pre, parsed.post, parsed.dev
    if pre is not None:
        first: _Part = (0, *pre)
    else:  # 1.0.dev1 comes before 1.0a1, and 1.0.post1.dev1 after 1.0
        first = _BELOW if post is None and dev is not None else _ABOVE
    local = parsed.local.split(".") if parsed.local else []
    rest = (
        first,
        _BELOW if post is None else (0, post),
        _ABOVE if dev is None else (0, dev),
        tuple((1, int(part)) if part.isdecimal() else (0, part) for part in local),
    )
    return parsed.epoch, _numbers(parsed.release), rest
