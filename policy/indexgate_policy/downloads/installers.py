"""The clients that the download log names, and what each name means.

The names are those of the parser which the index runs over user agents (`linehaul`), written as it
writes them. A name that is not in the table is kept as itself and counts as unknown: the parser
learns new names, and a client may claim any.
"""

from typing import Final, Literal, TypeAlias

from msgspec import Struct

from indexgate_policy.downloads.kinds import INSTALLERS

Role: TypeAlias = Literal[
    "tool", "mirror", "cache", "script", "browser", "system", "publisher", "unknown"
]


class Installer(Struct, frozen=True, kw_only=True):
    """A client by the log's name.

    `role`: a `tool` installs for people and pipelines, a `mirror` copies everything, a `cache`
    fetches once for those behind it, a `script` and a `browser` can be anyone, a `system` packager
    and a `publisher` build. `says_ci` is whether it ever says that it runs in CI. `bucket` is the
    position in `kinds.INSTALLERS`; None for mirrors and caches, which that mix leaves out.
    """

    name: str | None
    role: Role
    says_ci: bool
    bucket: int | None


_OWN_BUCKET = frozenset(INSTALLERS) - {"other tool", "script", "unknown"}
_BUCKET_OF_ROLE: Final[dict[Role, str]] = {
    "tool": "other tool",
    "system": "other tool",
    "publisher": "other tool",
    "script": "script",
    "browser": "script",
    "unknown": "unknown",
}

_ROLES: Final[dict[str, Role]] = {
    "pip": "tool",
    "uv": "tool",
    "poetry": "tool",
    "pdm": "tool",
    "setuptools": "tool",
    "distribute": "tool",
    "conda": "tool",
    "pex": "tool",
    "Bazel": "tool",
    # The parser does not know these four yet (their rows have no details at all).
    "hatch": "tool",
    "pipenv": "tool",
    "pipx": "tool",
    "rye": "tool",
    "bandersnatch": "mirror",
    "z3c.pypimirror": "mirror",
    "pep381client": "mirror",
    "devpi": "cache",
    "Artifactory": "cache",
    "Nexus": "cache",
    "requests": "script",
    "Browser": "browser",
    "Homebrew": "system",
    "OS": "system",
    "maturin": "publisher",
    "twine": "publisher",
}

CI_AWARE: Final = frozenset(["pip", "uv"])
"""Only these say that they run in CI, pip from 19.1 on; a share of CI means nothing for others."""

PEOPLES_TOOLS: Final = frozenset(
    ["pip", "uv", "poetry", "pdm", "pipenv", "pipx", "hatch", "rye"],
)
"""The tools that people run by hand; the other tools are parts of builds."""


def _of(name: str | None, role: Role) -> Installer:
    bucket = name if name in _OWN_BUCKET else _BUCKET_OF_ROLE.get(role)
    return Installer(
        name=name,
        role=role,
        says_ci=name in CI_AWARE,
        bucket=None if bucket is None else INSTALLERS.index(bucket),
    )


KNOWN: Final = tuple(_of(name, role) for name, role in _ROLES.items())
"""Every name with a meaning."""

_BY_NAME = {installer.name: installer for installer in KNOWN}


def installer(name: str | None) -> Installer:
    """Return what the log's *name* means; None stands for an agent the parser did not know."""
    return _BY_NAME.get(name) or _of(name, "unknown")


def can_say_ci(name: str | None, version: str | None) -> bool:
    """Return whether this client would have said that it runs in CI.

    *version* is the beginning of its version (`19.1`); pip says so from 19.1, uv always. An
    unreadable version counts as a new one.
    """
    if name not in CI_AWARE:
        return False
    if name != "pip" or not version:
        return True
    major, _, minor = version.partition(".")
    try:
        return (int(major), int(minor or 0)) >= (19, 1)
    except ValueError:
        return True
