"""Text without secrets: what may be printed, logged or shown of an address."""

import re

_MARK = "***"

# Userinfo ends at the last `@` before the path. A password with a bare `/` breaks the address in
# two ("user:pa" and "ss@host"); it shows as a port that is no number, and is hidden up to its `@`.
_USERINFO = re.compile(
    r"(?<=://)(?:[^\s/?#]*@|[^\s/?#:\[\]]*:(?![0-9]*(?:[/?#\s]|$))\S{0,400}@)", re.MULTILINE
)
_SECRET_QUERY = re.compile(
    r"(?i)([?&][\w.-]{0,64}(?:token|secret|passw|signature|credential|api[_-]?key)[\w.-]{0,64}=)"
    r"[^&#\s]+"
)


def redact(text: str) -> str:
    """Return *text* with the credentials of every address in it replaced by `***`."""
    if "://" not in text and "=" not in text:  # most lines of the log: nothing either could match
        return text
    return _SECRET_QUERY.sub(rf"\1{_MARK}", _USERINFO.sub(f"{_MARK}@", text))
