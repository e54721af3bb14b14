"""Who asks, for counting: somebody at a keyboard, a CI job, or another program.

All of it is the client's own word, and only this one of three is kept of it.
"""

import re
from functools import lru_cache

import msgspec

from indexgate.store.asked import Asker
from indexgate_policy.downloads.installers import PEOPLES_TOOLS
from indexgate_policy.downloads.kinds import CLASSES
from indexgate_policy.downloads.log_row import Client
from indexgate_policy.downloads.rule_table import deciding

PEOPLES_SHARE = 0.1
"""Of what asks like this, the share that is people: above it the asker counts as one."""

_LONGEST = 4_096
_HUMAN = CLASSES.index("human")
_SYSTEM = re.compile(r"(?<![^ ])(Linux|Darwin|Windows)(?:/(\S*))?")
_KERNELS = (
    ("wsl", re.compile("microsoft", re.IGNORECASE)),
    ("desktop-vm", re.compile("linuxkit|orbstack", re.IGNORECASE)),
    ("cloud", re.compile("azure|aws|gcp|amzn|cloud", re.IGNORECASE)),
    ("server", re.compile("server", re.IGNORECASE)),
)


class _System(msgspec.Struct):
    name: str | None = None
    release: str | None = None


class _Distro(msgspec.Struct):
    name: str | None = None


class _Told(msgspec.Struct):
    """What pip and uv tell of themselves, as far as it is looked at."""

    ci: bool | None = None
    system: _System | None = None
    distro: _Distro | None = None


_TOLD = msgspec.json.Decoder(_Told)


@lru_cache(1024)
def asker_of(user_agent: str) -> Asker:
    """Return the kind of client that *user_agent* names.

    A person is an installer that people run, unless it says that it runs in CI or the rules that
    sort the public log (science dn-1) say of such a system that hardly any people use it, as of
    kernels built for a cloud. Whatever else asks is a system.
    """
    tool = user_agent.partition("/")[0].strip().lower()
    if tool not in PEOPLES_TOOLS:
        return "system"
    told = _told(user_agent[:_LONGEST])
    if told.ci:
        return "ci"
    system, distro = told.system or _System(), told.distro or _Distro()
    rule = deciding(
        Client(
            installer=tool,
            system=system.name,
            distro=distro.name,
            kernel=_kernel(system.release or ""),
        )
    )
    return "person" if rule.shares[_HUMAN] > PEOPLES_SHARE else "system"


def _told(user_agent: str) -> _Told:
    """Return what the JSON in *user_agent* tells; else the words that Poetry writes instead."""
    begin = user_agent.find("{")
    if begin >= 0:
        try:
            return _TOLD.decode(user_agent[begin:])
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return _Told()
    found = _SYSTEM.search(user_agent)
    if found is None:
        return _Told()
    return _Told(system=_System(name=found[1], release=found[2]))


def _kernel(release: str) -> str | None:
    return next((name for name, pattern in _KERNELS if pattern.search(release)), None)
