"""Which client a command is, and the variables that point that client at the gate.

Each client has its own variable; where a client would write the gate's address into the user's
files, the one that it does not write is taken. The run's token stands as user name in the address.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Literal, TypeAlias

from msgspec import Struct

Name: TypeAlias = Literal["pip", "uv", "poetry", "pdm", "pipenv", "other"]
Variables: TypeAlias = Mapping[str, str | None]
"""What to change in an environment; None takes a variable out."""

_MODULES: Mapping[str, Name] = {
    "pip": "pip",
    "uv": "uv",
    "poetry": "poetry",
    "pdm": "pdm",
    "pipenv": "pipenv",
}
_PIP = re.compile(r"pip[0-9.]*")
_PYTHON = re.compile(r"(python|pypy)[0-9.]*w?|py")
_HERE = ("127.0.0.1", "localhost")

# uv's options that take a value and may stand before the command.
_UV_VALUES = frozenset(
    ["--directory", "--project", "--config-file", "--cache-dir", "--color", "--allow-insecure-host"]
)


class Client(Struct, frozen=True, kw_only=True):
    """A client as a command line names it: `arguments` follow the client's own name."""

    name: Name
    arguments: tuple[str, ...]

    @property
    def subcommand(self) -> str | None:
        """The first argument that is not an option, such as `install`."""
        skip = False
        for argument in self.arguments:
            if skip or argument.startswith("-"):
                skip = not skip and argument in _UV_VALUES
                continue
            return argument
        return None

    @property
    def writes_index(self) -> bool:
        """Whether the client would write the index it was given into `pyproject.toml`."""
        return self.name == "uv" and self.subcommand == "add"

    @property
    def in_project(self) -> bool:
        """Whether uv reads or writes `uv.lock` in this command."""
        return self.name == "uv" and self.subcommand not in {"pip", "tool", "self", "cache", None}


def client_of(command: Sequence[str]) -> Client:
    """Return the client that *command* runs; `other` for what is none of them."""
    name = _program(command[0])
    rest = tuple(command[1:])
    if _PYTHON.fullmatch(name):
        return _module(rest)
    if _PIP.fullmatch(name):
        return Client(name="pip", arguments=rest)
    if name == "uvx":
        return Client(name="uv", arguments=("tool", "run", *rest))
    return Client(name=_MODULES.get(name, "other"), arguments=rest)


def variables(
    client: Client,
    address: str,
    environ: Mapping[str, str],
    *,
    keep_indexes: bool,
    slash: bool = False,
    named: Sequence[str] = (),
) -> dict[str, str | None]:
    """Return the variables that point *client* at the simple index at *address* (ends in a slash).

    *keep_indexes* leaves the client's other indexes where they are. *slash* is how uv's address is
    to end, since `uv.lock` keeps that. *named* are indexes of the project that uv shall ask at the
    gate instead.
    """
    changes: dict[str, str | None] = dict(_no_proxy(environ))
    if client.name in {"pip", "other"}:
        changes |= _pip(address, keep_indexes=keep_indexes)
    if client.name in {"uv", "other"}:
        changes |= _uv(
            client,
            address if slash else address.rstrip("/"),
            keep_indexes=keep_indexes,
            named=named,
        )
    if client.name == "poetry":
        changes["POETRY_PYPI_MIRROR_URL"] = address
    if client.name == "pdm":
        changes["PDM_PYPI_URL"] = address
    if client.name == "pipenv":
        # pipenv runs a pip of its own, which must not meet other indexes on the way.
        changes |= {**_pip(address, keep_indexes=keep_indexes), "PIP_INDEX_URL": None}
        changes["PIPENV_PYPI_MIRROR"] = address
        if not keep_indexes:
            changes["PIP_EXTRA_INDEX_URL"] = None
    return changes


def _module(arguments: tuple[str, ...]) -> Client:
    """Return the client of `python -m client ...`."""
    for place, argument in enumerate(arguments):
        if argument == "-m" and place + 1 < len(arguments):
            name = _MODULES.get(arguments[place + 1], "other")
            return Client(name=name, arguments=arguments[place + 2 :])
        if not argument.startswith("-"):
            break
    return Client(name="other", arguments=arguments)


def _program(path: str) -> str:
    name = PurePath(path.replace("\\", "/")).name.lower()
    return name.removesuffix(".exe")


def _pip(address: str, *, keep_indexes: bool) -> dict[str, str | None]:
    """Return pip's variables.

    An empty extra index would not keep the one of a configuration file out, so it is the gate too.
    """
    changes: dict[str, str | None] = {"PIP_INDEX_URL": address, "PIP_PROXY": None}
    if not keep_indexes:
        changes["PIP_EXTRA_INDEX_URL"] = address
        changes["PIP_FIND_LINKS"] = None
        changes["PIP_NO_INDEX"] = None
    return changes


def _uv(
    client: Client, address: str, *, keep_indexes: bool, named: Sequence[str]
) -> dict[str, str | None]:
    """Return uv's variables; `uv add` writes every index into the project but the legacy one."""
    own = "UV_INDEX_URL" if client.writes_index else "UV_DEFAULT_INDEX"
    changes: dict[str, str | None] = {"UV_INDEX_URL": None, "UV_DEFAULT_INDEX": None}
    if not keep_indexes:
        changes |= {"UV_INDEX": None, "UV_EXTRA_INDEX_URL": None, "UV_FIND_LINKS": None}
        if named:
            changes["UV_INDEX"] = " ".join(f"{name}={address}" for name in named)
    return changes | {own: address}


def _no_proxy(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return both spellings of `no_proxy` with this machine in them: clients read one or other."""
    hosts = [
        host.strip()
        for name in ("no_proxy", "NO_PROXY")
        for host in environ.get(name, "").split(",")
        if host.strip()
    ]
    joined = ",".join(dict.fromkeys([*hosts, *_HERE]))
    return {"no_proxy": joined, "NO_PROXY": joined}
