"""The gate's addresses in a lock of any kind: found, and swapped for upstream's and back, as text.

Only addresses change, no other byte; the way there and back gives the same text. What a lock takes
from another index stays as it is, where the lock tells that.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from indexgate.locks.entry import Format
from indexgate.locks.swap import Swap

_HERE = r"https?://(?:[^\s/\"'@]*@)?(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?/"
_TAIL = r"(?:simple(?![\w.+-])/?|files/https?/)[^\s\"'\\]*"

_VALUE = re.compile(r'(= ?"|: ?")([^"\n]*)(")')
_TOML_URL = re.compile(r'(\burl = ")([^"\n]*)(")')
_JSON_URL = re.compile(r'("url": ")([^"\n]*)(")')
_INDEX = re.compile(r'^(index = ")([^"\n]*)(")', re.MULTILINE)
_OPTION = re.compile(
    r"^(\s*(?:-i|--index-url|--pypi-url|--extra-index-url)[ =]\s*)(\S+)()", re.MULTILINE
)
_WORD = re.compile(r"()(https?://\S+)()")

_PACKAGE = re.compile(r"^(?=\[\[packages?\]\][ \t]*\r?$)", re.MULTILINE)
_PDM_ELSEWHERE = re.compile(r'^(?:url|path|git|hg|svn|bzr) = "', re.MULTILINE)
_PYLOCK_ELSEWHERE = re.compile(
    r"^(?:vcs|directory|archive) = |^\[packages\.(?:vcs|directory|archive)\]", re.MULTILINE
)
_POETRY_INDEX = re.compile(r'^type = "legacy"', re.MULTILINE)

_Change = Callable[[str], str]


class Held(Struct, frozen=True, kw_only=True):
    """An address of a gate in a lock, and its line."""

    url: str
    line: int


def gate_addresses(text: str, roots: tuple[str, ...]) -> Iterator[Held]:
    """Yield what in *text* is an address of the gate at *roots*, or of any gate on this machine."""
    named = "|".join(re.escape(root) for root in roots)
    pattern = re.compile(f"(?:{named}|{_HERE}){_TAIL}" if named else f"{_HERE}{_TAIL}")
    for number, line in enumerate(text.splitlines(), start=1):
        for found in pattern.finditer(line):
            yield Held(url=found[0].rstrip("),;"), line=number)


def to_upstream(text: str, format_: Format, swap: Swap) -> str:
    """Return the lock *text* with upstream in place of the gate."""
    if format_ == "uv":
        return swap.to_upstream(text)
    pattern = _WORD if format_ == "requirements" else _VALUE
    return _changed(pattern, text, lambda url: swap.file_of_upstream(swap.index_of_upstream(url)))


def to_gate(text: str, format_: Format, swap: Swap) -> str:
    """Return the lock *text* with the gate in place of upstream."""
    return _TO_GATE[format_](text, swap)


def _pylock(text: str, swap: Swap) -> str:
    def package(part: str) -> str:
        index = _INDEX.search(part)
        if index is not None and not swap.is_upstream(index[2]):
            return part
        if index is None and _PYLOCK_ELSEWHERE.search(part):
            return part
        part = _changed(_INDEX, part, swap.index_of_gate)
        return _changed(_TOML_URL, part, swap.file_of_gate)

    return _each_package(text, package)


def _pdm(text: str, swap: Swap) -> str:
    def package(part: str) -> str:
        if _PDM_ELSEWHERE.search(part):
            return part
        return _changed(_TOML_URL, part, swap.file_of_gate)

    return _each_package(text, package)


def _poetry(text: str, swap: Swap) -> str:
    def package(part: str) -> str:
        if not _POETRY_INDEX.search(part):
            return part
        return _changed(_TOML_URL, part, swap.index_of_gate)

    return _each_package(text, package)


def _pipenv(text: str, swap: Swap) -> str:
    return _changed(_JSON_URL, text, swap.index_of_gate)


def _requirements(text: str, swap: Swap) -> str:
    return _changed(_OPTION, text, swap.index_of_gate)


_TO_GATE: Mapping[Format, Callable[[str, Swap], str]] = {
    "uv": lambda text, swap: swap.to_gate(text),
    "pylock": _pylock,
    "pdm": _pdm,
    "poetry": _poetry,
    "pipenv": _pipenv,
    "requirements": _requirements,
}
REWRITTEN: tuple[Format, ...] = tuple(_TO_GATE)
"""The formats that can be rewritten."""


def _each_package(text: str, change: _Change) -> str:
    """Change each package; what stands before the first one is left alone."""
    head, *packages = _PACKAGE.split(text)
    return head + "".join(map(change, packages))


def _changed(pattern: re.Pattern[str], text: str, change: _Change) -> str:
    return pattern.sub(lambda found: found[1] + change(found[2]) + found[3], text)
