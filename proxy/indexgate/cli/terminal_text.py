"""Text that others wrote, on its way to a terminal."""

from rich.text import Text


def safe(text: str, style: str = "") -> Text:
    """Return *text*, which may be upstream's, without markup and terminal sequences."""
    shown = "".join(
        c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text
    )
    return Text(shown, style=style)
