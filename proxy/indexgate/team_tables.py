"""The `[[team]]` tables of a settings file: by what the gate knows whose client asks.

Pure. Their keys are settings, but of a file alone.
"""

import re
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct

from indexgate import setting_values
from indexgate.errors import GateError
from indexgate.setting_kinds import Kind
from indexgate.settings_table import Setting

KEY = "team"
Network: TypeAlias = IPv4Network | IPv6Network

_MOST = 1000
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,38}[a-z0-9])?")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
_RUN = re.compile(r"run-[0-9a-f]{16}")


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError
    return text


def _label(text: str) -> str:
    if not _LABEL.fullmatch(text):
        raise ValueError
    if _RUN.fullmatch(text):
        raise ValueError("it looks like the token of an `indexgate run`")
    return text


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        looser = str(ip_network(text, strict=False)) if "host bits" in str(error) else ""
        raise ValueError(f"its network is `{looser}`" if looser else "") from None


_TEAM_NAME = Kind(
    metavar="NAME",
    allowed="up to 40 lower-case letters, digits, `-`, `_` and `.`, such as `web`",
    read=_name,
)
_TEAM_LABEL = Kind(
    metavar="LABEL",
    allowed="up to 64 letters, digits, `-`, `_` and `.`, such as `web`",
    read=_label,
)
_TEAM_NETWORK = Kind(
    metavar="NETWORK",
    allowed="an address with the length of its network, such as `10.1.0.0/16` or `fd00:1::/32`",
    read=_network,
)

TABLE: tuple[Setting, ...] = (
    Setting(
        name="name",
        kind=_TEAM_NAME,
        help="What policies call the team, as in `client = { team = ... }` or the `team` of an"
        " exemption.",
        default_shown="none: it is needed",
    ),
    Setting(
        name="networks",
        kind=_TEAM_NETWORK,
        many=True,
        help="Whose requests come from one of these addresses is of this team, whatever label it"
        " gives. Of networks within each other the narrower one counts. It is the address of who"
        " speaks to the gate: behind a proxy, that of the proxy.",
        default_shown="none",
    ),
    Setting(
        name="label",
        kind=_TEAM_LABEL,
        help="User name that clients of this team put into the address of the index:"
        " `http://LABEL:x@host/simple/`. It is a label and no login: whoever knows it can say it.",
        default_shown="none",
    ),
)
_BY_NAME = {setting.name: setting for setting in TABLE}


class TeamTable(Struct, frozen=True, kw_only=True):
    """One `[[team]]` table, read and checked; it has `networks`, a `label`, or both."""

    name: str
    networks: tuple[Network, ...] = ()
    label: str | None = None


def read(tables: object, file: Path) -> tuple[TeamTable, ...]:
    """Return the teams that *tables*, the value of `team` in *file*, name.

    Raises GateError `setting-invalid`, `setting-unknown`, `teams-clash`.
    """
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise GateError(
            "setting-invalid",
            f"key `{KEY}` in `{file}` is a TOML {setting_values.toml_type(tables)}",
            "Write one `[[team]]` table for each team.",
        )
    if len(tables) > _MOST:
        raise GateError(
            "setting-invalid", f"`{file}` has {len(tables)} `[[team]]` tables, more than {_MOST}"
        )
    teams = tuple(_table(table, file, at) for at, table in enumerate(tables, 1))
    _check_once(((team.name, team.name) for team in teams), "are named `{}`", file)
    labels = ((team.label, team.name) for team in teams if team.label is not None)
    _check_once(labels, "have the label `{}`", file)
    networks = ((str(network), team.name) for team in teams for network in team.networks)
    _check_once(networks, "have the network `{}`", file)
    return teams


def _table(table: Mapping[str, Any], file: Path, at: int) -> TeamTable:
    called = table.get("name")
    title = f"`[[team]]` {at}" if not isinstance(called, str) else f"`[[team]]` `{called[:40]}`"
    keys = dict(setting_values.of_table(table, _BY_NAME, file, name=title))
    if "name" not in keys:
        raise GateError(
            "setting-invalid",
            f"{title} in `{file}` has no `name`",
            f"Allowed for `name`: {_BY_NAME['name'].kind.allowed}.",
        )
    values: dict[str, Any] = {
        setting.name: setting_values.value(setting, keys.get(setting.name)) for setting in TABLE
    }
    team = TeamTable(**values)
    if not team.networks and team.label is None:
        raise GateError(
            "setting-invalid",
            f"{title} in `{file}` has neither `networks` nor a `label`, so nobody is ever of it",
            "Say from which addresses its clients ask, or which user name they put into the"
            " address of the index.",
        )
    return team


def _check_once(marks: Iterable[tuple[str, str]], what: str, file: Path) -> None:
    """Raise GateError `teams-clash` where two teams are told by one mark, or one is twice."""
    seen: dict[str, str] = {}
    for mark, team in marks:
        if mark in seen:
            both = "`[[team]]` tables" if seen[mark] == team else f"`{seen[mark]}` and `{team}`"
            two = "two " if seen[mark] == team else ""
            raise GateError(
                "teams-clash",
                f"{two}{both} in `{file}` {what.format(mark)}",
                "A name, a label and a network tell one team; a network may lie within another's.",
            )
        seen[mark] = team
