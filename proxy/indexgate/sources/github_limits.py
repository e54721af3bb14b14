"""What GitHub says of its limits: in headers, and in the answers of GraphQL. Pure.

Source: GitHub's pages on rate limits of REST and of GraphQL.
"""

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

import msgspec

from indexgate.sources.outbound import LONGEST_WAIT, retry_after
from indexgate.sources.told import moment

FEW_POINTS = 100
"""With fewer left of an hour's points the rest is left for others who use the same token."""


class Points(msgspec.Struct, rename="camel"):
    """The points that GraphQL still answers for, and when they are renewed."""

    remaining: int = 5_000
    reset_at: str = ""

    def wait(self, now: datetime) -> int | None:
        """Return the seconds to leave GitHub alone, None when enough points are left."""
        end = moment(self.reset_at)
        if self.remaining >= FEW_POINTS or end is None:
            return None
        return max(1, min(int((end - now).total_seconds()), LONGEST_WAIT))


def patience(headers: Mapping[str, str]) -> int | None:
    """Return the seconds for which GitHub wishes to be left alone; None when it does not say.

    A used-up limit is a 403 or 429 whose `X-RateLimit-Remaining` is 0; `X-RateLimit-Reset` is the
    end of it in seconds since 1970, counted from the answer's own `Date`.
    """
    wish = retry_after(headers)
    if wish is not None or headers.get("X-RateLimit-Remaining") != "0":
        return wish
    reset = headers.get("X-RateLimit-Reset", "")
    try:
        sent = parsedate_to_datetime(headers.get("Date", "")).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    if not (reset.isascii() and reset.isdecimal()):
        return None
    return max(1, min(int(reset[:12]) - int(sent), LONGEST_WAIT))
