"""Text of others for the terminal: without markup and without control sequences."""

from rich.text import Text


def plain_text(text: str) -> Text:
    """Return *text*, which may be upstream's, so that it can only ever be read."""
    return Text(
        "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)
    )
