"""Who asks: read from the User-Agent, the address, and the user name where it is ours to read.

That is the token of a run, or a team's label; all else of a client's credentials is dropped.
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from functools import lru_cache

from aiohttp import hdrs, web

from indexgate.teams import UNCONFIGURED, Teams
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Client

FAMILIES = ("pip", "uv", "poetry", "pdm", "pipenv")
TEAMS = web.AppKey("teams", Teams)
"""The teams of an application; one without them knows of none."""

_RUN = re.compile(r"run-[0-9a-f]{16}")
_NO_TEAMS = Teams()


def client_of(request: web.Request) -> Client:
    """Return the client that sends *request*."""
    headers = request.headers
    teams = request.app.get(TEAMS, _NO_TEAMS)
    team = teams.of(request.remote, user_of(headers.get(hdrs.AUTHORIZATION)))
    return named_by(headers.get(hdrs.USER_AGENT, ""), team)


@lru_cache(1024)
def named_by(user_agent: str, team: str | Unknown = UNCONFIGURED) -> Client:
    """Return the client of *team* that *user_agent* names.

    pip and uv say `"ci":true` when they see a CI variable; null says nothing (a build inside a
    container inherits none), so it is unknown rather than a person.
    """
    family = user_agent.partition("/")[0].lower()
    if family not in FAMILIES:
        return Client(team=team)
    if '"ci":true' in user_agent.replace(" ", ""):
        return Client(family=family, kind="ci", team=team)
    unsaid = Unknown(reason=f"{family} does not say that it runs in CI")
    return Client(family=family, kind=unsaid, team=team)


def is_run(text: str) -> bool:
    """Tell whether *text* has the form of a run token."""
    return _RUN.fullmatch(text) is not None


def run_of(authorization: str | None) -> str | None:
    """Return the run token of a Basic authorization (`run-` and 16 hex digits), None for all else.

    Whatever else a client sends (pip sends netrc credentials unasked) is dropped unread.
    """
    user = user_of(authorization)
    return user if user is not None and is_run(user) else None


def user_of(authorization: str | None) -> str | None:
    """Return the user name of a Basic authorization, None where there is none; never kept."""
    if authorization is None or not authorization.startswith("Basic "):
        return None
    try:
        return b64decode(authorization[6:102], validate=True).partition(b":")[0].decode("ascii")
    except (Base64Error, UnicodeDecodeError, ValueError):
        return None
