"""A large page decoded piece by piece, since other threads wait while a decoder is at work.

The text is cut behind a file, or what looks like one. Whether it is cut rightly is not looked for
but shown: what comes before the list leaves a reader within it, each piece is a list of files by
itself, and what comes after goes on where the list was. JSON can be read in one way only, so that
the whole is then what its pieces are.
"""

import re

import msgspec
from msgspec import Raw

from indexgate.simple import wire

_PIECE = 1 << 16  # bytes: decoded in a fraction of a millisecond
_LIST = re.compile(rb'"files":\s*\[')

_before = msgspec.json.Decoder(dict[str, Raw]).decode
_around = msgspec.json.Decoder(wire.LargePage).decode
_files = msgspec.json.Decoder(list[wire.File]).decode


def in_pieces(body: bytes) -> tuple[wire.Head, list[wire.File]] | None:
    """Return the page but for its files, and these; None if *body* is to be decoded as a whole."""
    begins = _LIST.search(body)
    start, end = begins.end() if begins else 0, body.rfind(b"}]") + 1
    if not 0 < start < end:
        return None
    try:
        head = _head(body[:start], body[end:])
        return None if head is None else (head, _decoded(body, start, end))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _head(before: bytes, after: bytes) -> wire.Head | None:
    """Return the page without its files; None if they may not all be between *before* and *after*.

    Of two lists of one name the last would count, and the name can be written with escapes.
    """
    if b"\\" in before or b"\\" in after or b'"files"' in after:
        return None
    *_, last = _before(before + b"]}")
    return _around(before + after) if last == "files" else None


def _decoded(body: bytes, start: int, end: int) -> list[wire.File]:
    files: list[wire.File] = []
    while start < end:
        cut = body.find(b"},{", start + _PIECE, end) + 1 or end
        files += _files(b"[%b]" % body[start:cut])
        start = cut + 1
    return files
