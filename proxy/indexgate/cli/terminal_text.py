"""Text that others wrote, on its way to a terminal."""

import re

from rich.text import Text

_COMMAND = re.compile(r"^\s*:(?=:)|#(?=#[a-z]*\[)", re.MULTILINE)


def safe(text: str, style: str = "") -> Text:
    """Return *text*, which may be upstream's, without markup and terminal sequences.

    Nor is anything left that CI systems take for a command: `##vso[...]`, or a line with `::`.
    """
    shown = "".join(
        c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text
    )
    return Text(_COMMAND.sub(r"\g<0> ", shown), style=style)
