"""What a failure of the connection to an index means, in one clause."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import aiohttp

from indexgate.index.protocol import UpstreamFailed

_LONGEST_WAIT = 3600


def bad_status(response: aiohttp.ClientResponse) -> UpstreamFailed:
    """Say that the index answered with a status that is no answer."""
    return UpstreamFailed(
        "status",
        f"answered with status {response.status}",
        status=response.status,
        retry_after=_retry_after(response.headers),
    )


def _retry_after(headers: Mapping[str, str]) -> int | None:
    """Return the seconds of Retry-After (RFC 9110, 10.2.3), at most an hour; None without any.

    A moment is seen from the answer's own `Date`: the clock here may be off.
    """
    told = headers.get("Retry-After", "").strip()
    if told.isdecimal() and len(told) < 6:
        return min(int(told), _LONGEST_WAIT)
    try:
        wait = parsedate_to_datetime(told) - parsedate_to_datetime(headers["Date"])
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
    return max(0, min(int(wait.total_seconds()), _LONGEST_WAIT))


def timed_out(seconds: float) -> UpstreamFailed:
    """Say that the index did not answer in time."""
    return UpstreamFailed("timeout", f"did not answer within {seconds:g} s")


def failure(error: Exception, what: str, seconds: float = 0.0) -> UpstreamFailed:
    """Say in one clause what a failure of the connection means."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return UpstreamFailed("certificate", "presented a certificate that does not verify")
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return UpstreamFailed("certificate", "does not speak TLS as it is spoken to")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return UpstreamFailed("dns", "has a name that does not resolve")
    if isinstance(error, TimeoutError | aiohttp.ServerTimeoutError):
        if seconds:
            return timed_out(seconds)
        return UpstreamFailed("timeout", f"stopped sending {what}")
    if isinstance(error, aiohttp.ClientHttpProxyError | aiohttp.ClientProxyConnectionError):
        return UpstreamFailed("refused", "cannot be reached through the configured proxy")
    if isinstance(error, aiohttp.ClientConnectorError):
        return UpstreamFailed("refused", "refused the connection")
    if isinstance(error, aiohttp.ClientPayloadError):
        return UpstreamFailed("cut-off", f"broke off in the middle of {what}")
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError | OSError):
        return UpstreamFailed("cut-off", "closed the connection without an answer")
    return UpstreamFailed("garbage", f"gave an answer that is not HTTP ({type(error).__name__})")
