"""Who asks: read from the User-Agent and the run token, nothing else of a client's credentials."""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from functools import lru_cache

from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Client

FAMILIES = ("pip", "uv", "poetry", "pdm", "pipenv")
_RUN = re.compile(r"run-[0-9a-f]{16}")


@lru_cache(1024)
def client_of(user_agent: str) -> Client:
    """Return the client that *user_agent* names.

    pip and uv say `"ci":true` when they see a CI variable; null says nothing (a build inside a
    container inherits none), so it is unknown rather than a person.
    """
    family = user_agent.partition("/")[0].lower()
    if family not in FAMILIES:
        return Client()
    if '"ci":true' in user_agent.replace(" ", ""):
        return Client(family=family, kind="ci")
    return Client(family=family, kind=Unknown(reason=f"{family} does not say that it runs in CI"))


def is_run(text: str) -> bool:
    """Tell whether *text* has the form of a run token."""
    return _RUN.fullmatch(text) is not None


def run_of(authorization: str | None) -> str | None:
    """Return the run token of a Basic authorization (`run-` and 16 hex digits), None for all else.

    Whatever else a client sends (pip sends netrc credentials unasked) is dropped unread.
    """
    if authorization is None or not authorization.startswith("Basic "):
        return None
    try:
        user = b64decode(authorization[6:100], validate=True).partition(b":")[0].decode("ascii")
    except (Base64Error, UnicodeDecodeError, ValueError):
        return None
    return user if is_run(user) else None
