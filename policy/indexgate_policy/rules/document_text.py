"""The text of a policy document as TOML, or an error that says what is wrong with it, and where."""

import re
import tomllib
from collections.abc import Iterator

from indexgate_policy.errors import PolicyError
from indexgate_policy.rules.strict import Field, Place
from indexgate_policy.rules.wording import plain

LARGEST = 256 * 1024
"""Bytes that a policy may have; the largest sensible one has a hundredth of it."""

DEEPEST = 16
"""How deep tables and lists may nest."""

_TOMLLIB_PLACE = re.compile(r"at line ([0-9]+), column ([0-9]+)")


def read_toml(text: bytes | str, source: str) -> Field:
    """Return a document's top-level table. Raises PolicyError and nothing else."""
    body = _decoded(text, source)
    return Field(key="", value=_toml(body, source), place=Place(source=_path(source), text=body))


def _path(source: str) -> str:
    """Return *source* whole, as its end tells the file, and printable."""
    return "".join(letter if letter.isprintable() else "?" for letter in source)


def _decoded(text: bytes | str, source: str) -> str:
    where = f"`{_path(source)}`"
    try:
        raw = text.encode() if isinstance(text, str) else text
    except UnicodeEncodeError:
        raise PolicyError("policy-not-utf8", f"{where} is not UTF-8 text") from None
    if len(raw) > LARGEST:
        raise PolicyError(
            "policy-too-large",
            f"{where} has {len(raw)} bytes, more than {LARGEST}",
            "is this the right file?",
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"{where} is not UTF-8 text (byte {error.start})"
        raise PolicyError("policy-not-utf8", what, "save the file as UTF-8") from None


def _toml(body: str, source: str) -> dict[str, object]:
    where = f"`{_path(source)}`"
    try:
        data = tomllib.loads(body)
    except RecursionError:
        raise _too_deep(where) from None
    except (ValueError, OverflowError) as error:
        what = f"{where} is not TOML: {plain(str(error), 200)}"
        at = _TOMLLIB_PLACE.search(str(error))
        line, column = (int(at[1]), int(at[2])) if at else (0, 0)
        raise PolicyError("policy-not-toml", what, line=line, column=column) from None
    level: list[object] = [data]
    for _ in range(DEEPEST):
        level = [inner for value in level for inner in _inside(value)]
        if not level:
            return data
    raise _too_deep(where)


def _inside(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _too_deep(where: str) -> PolicyError:
    return PolicyError("policy-too-deep", f"{where} nests deeper than {DEEPEST} levels")
