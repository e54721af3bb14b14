"""The words of verdicts: one ASCII line, dates instead of ages, and the slug that goes into a URL.

Reason phrases of HTTP/1.1 are mojibake in pip and Poetry unless they are ASCII, and a line break in
one would let upstream's text write headers; so every text of upstream's passes through `plain`.
"""

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from functools import lru_cache

REASON_LENGTH = 160
SLUG_LENGTH = 80

_WORDS = re.compile(r"[0-9]+(?:[.:-][0-9]+)+|[a-z0-9]+")
_COMMAND = re.compile(r"##(?=[a-z]*\[)")
_PLAIN = re.compile(r"[!-~]+(?: [!-~]+)*")


def plain(text: str, limit: int = REASON_LENGTH) -> str:
    """Return *text* as one line of printable ASCII of at most *limit* characters.

    Accents are folded away, other foreign characters become `?` (never nothing: a name with a
    foreign letter must not read like the name it imitates), control characters become blanks. What
    CI systems would take for a command in a job's log is none afterwards.
    """
    if not _PLAIN.fullmatch(text):
        folded = unicodedata.normalize("NFKD", text[: 8 * limit])
        letters = (_ascii(letter) for letter in folded if not unicodedata.combining(letter))
        text = " ".join("".join(letters).split())
    if "##" in text:  # `##vso[task.prependpath]` does what it says, wherever it stands in a line
        text = _COMMAND.sub("# #", text)
    if len(text) <= limit:
        return text
    cut = text[: limit - 3]
    return f"{cut.rsplit(' ', 1)[0] or cut}..."


def slug(reason: str) -> str:
    """Return *reason* as lower-case words joined by `-`, at most 80 characters, cut at a word.

    PDM and old uv show nothing of a refusal but its URL, so the URL has to speak.
    """
    taken = ""
    for word in _WORDS.findall(plain(reason).lower()):
        longer = f"{taken}-{word.replace(':', '-')}" if taken else word.replace(":", "-")
        if len(longer) > SLUG_LENGTH:
            break
        taken = longer
    return taken or "refused"


@lru_cache(maxsize=4096)
def moment(when: datetime) -> str:
    """Return *when* as people read it, to the minute, in UTC."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def moment_after(when: datetime) -> str:
    """Return the first whole minute at or after *when*: "passes from" must never be early."""
    whole = when.replace(second=0, microsecond=0)
    if whole == when or when > datetime.max.replace(tzinfo=UTC) - timedelta(minutes=1):
        return moment(whole)
    return moment(whole + timedelta(minutes=1))


def _ascii(letter: str) -> str:
    if letter.isspace() or unicodedata.category(letter) in {"Cc", "Cf", "Zl", "Zp"}:
        return " "
    return letter if letter.isascii() else "?"
