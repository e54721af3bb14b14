"""The version of this gate, looked up once: that takes milliseconds, and many ask for it."""

from functools import cache
from importlib import metadata


@cache
def own_version() -> str:
    """Return the version of what is installed."""
    return metadata.version("indexgate")
