"""What a failure of the connection to an index means, in one clause."""

import aiohttp

from indexgate.index.protocol import UpstreamFailed


def bad_status(response: aiohttp.ClientResponse) -> UpstreamFailed:
    """Say that the index answered with a status that is no answer."""
    wait = response.headers.get("Retry-After", "")
    return UpstreamFailed(
        "status",
        f"answered with status {response.status}",
        status=response.status,
        retry_after=min(int(wait), 3600) if wait.isdecimal() and len(wait) < 6 else None,
    )


def timed_out(seconds: float) -> UpstreamFailed:
    """Say that the index did not answer in time."""
    return UpstreamFailed("timeout", f"did not answer within {seconds:g} s")


def failure(error: Exception, what: str, seconds: float = 0.0) -> UpstreamFailed:
    """Say in one clause what a failure of the connection means."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return UpstreamFailed("certificate", "presented a certificate that does not verify")
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
