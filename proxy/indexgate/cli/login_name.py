"""Who is at work: the login name of this account."""

import getpass

from indexgate.errors import GateError


def login_name(flag: str = "--by") -> str:
    """Return the login name; *flag* is what to give where there is none. Raises GateError."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError) as error:
        raise GateError(
            "author-unknown", "this account has no login name", f"Say who you are with `{flag}`."
        ) from error
