"""The id of a request: the client's own where it can be trusted to be one, else a new one."""

import re
from collections.abc import Sequence
from secrets import token_hex

HEADER = "X-Request-Id"

# What proxies, trace ids and UUIDs look like. Nothing in it can end a header, a log line or a tag.
_WELL_FORMED = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z]|[-_.](?=[0-9A-Za-z])){7,63}")


def request_id(given: Sequence[str]) -> str:
    """Return the id that was *given*, if it is one and only one and well formed; else a new one.

    Well formed are 8 to 64 ASCII letters and digits, with single `-`, `_` or `.` between them.
    """
    if len(given) == 1 and _WELL_FORMED.fullmatch(given[0]):
        return given[0]
    return token_hex(6)
