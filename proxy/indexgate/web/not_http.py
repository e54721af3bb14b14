"""Requests that are no HTTP: one line in the log, not a traceback each.

The web server turns them away by itself, before any route. It reports each as an error with its
traceback, so that anybody could fill the log of a gate with a loop.
"""

import logging

from aiohttp.http_exceptions import HttpProcessingError

from indexgate.logs import logger


def server_log() -> logging.Logger:
    """Return the logger for the web server: what is no HTTP becomes one line of the gate's log."""
    log = logging.getLogger("indexgate.web.server")
    if not log.filters:
        log.addFilter(_told_briefly)
    return log


def _told_briefly(record: logging.LogRecord) -> bool:
    """Tell of a request that is no HTTP, and pass on every other record."""
    error = record.exc_info[1] if record.exc_info else None
    if not isinstance(error, HttpProcessingError):
        return True
    why = error.message.strip().partition("\n")[0].rstrip(":")
    logger().info("not-http", status=error.code, why=why[:100])
    return False
