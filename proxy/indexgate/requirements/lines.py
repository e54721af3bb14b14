"""From the bytes of a requirements file to its logical lines, as pip cuts them.

In this order: physical lines that end in a backslash are joined, comments go, variables are put in.
"""

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping

from indexgate.errors import GateError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CODING = re.compile(rb"coding[:=]\s*([-\w.]+)")
_COMMENT = re.compile(r"(^|\s+)#.*$")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")


def decode(content: bytes, name: str) -> str:
    """Return the text of a file called *name*: by its byte order mark, its PEP 263 line, or UTF-8.

    Raises GateError `requirements-text`; pip would guess by the machine's locale.
    """
    encoding, text = _encoding(content)
    try:
        return text.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise GateError(
            "requirements-text",
            f"`{name}` is not {ascii(encoding)[1:-1]} text",
            "Save it as UTF-8, or name its encoding in the first line: `# coding: latin-1`.",
        ) from error


def logical_lines(text: str, environ: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """Yield the lines that say something, each with the number of its first physical line.

    `${NAME}` is replaced from *environ*; one that is not set, or empty, stays as it is written.
    """
    for number, joined in _joined(enumerate(text.splitlines(), start=1)):
        line = _COMMENT.sub("", joined).strip()
        if line:
            yield number, _VARIABLE.sub(lambda name: environ.get(name[1]) or name[0], line)


def _encoding(content: bytes) -> tuple[str, bytes]:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding, content[len(mark) :]
    for line in content.split(b"\n", 2)[:2]:
        found = _CODING.search(line) if line.startswith(b"#") else None
        if found is not None:
            return found[1].decode("ascii", "replace"), content
    return "utf-8", content


def _joined(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Join what ends in a backslash with what follows; a comment ends a joined line."""
    first = 0
    parts: list[str] = []
    for number, line in lines:
        comment = _COMMENT.match(line) is not None
        if not parts:
            first = number
        if line.endswith("\\") and not comment:
            parts.append(line.strip("\\"))
            continue
        # The blank keeps a comment one when the line before it is put in front.
        parts.append(f" {line}" if comment else line)
        yield first, "".join(parts)
        parts = []
    if parts:
        yield first, "".join(parts)
