"""Whose client asks: told by the address that it asks from, or by the label that it gives.

The address counts first, since a client cannot choose it: whoever sits in a team's network is of
that team, whatever it calls itself. Among networks the narrowest that has the address counts. The
label is the word of the client, no login; it fits where everybody on the network is trusted.
"""

import difflib
from collections.abc import Collection, Sequence
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from indexgate.errors import GateError
from indexgate.team_tables import TeamTable
from indexgate_policy.rules.document import Policy
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Client

UNCONFIGURED = Unknown(reason="no team is configured for this client")
UNTOLD = Unknown(reason="the client asks from no team's network and gives no team's label")
UNSAID = Unknown(reason="it was not said of which team the client is")

_ADDRESSES = 4_096


class Teams:
    """The teams of *tables*, as requests need them."""

    def __init__(self, tables: Sequence[TeamTable] = ()) -> None:
        self._none = not tables
        self._labels = {team.label: team.name for team in tables if team.label is not None}
        networks = [(network, team.name) for team in tables for network in team.networks]
        self._networks = sorted(networks, key=lambda pair: pair[0].prefixlen, reverse=True)
        self._of_address = lru_cache(_ADDRESSES)(self._found)

    def of(self, address: str | None, label: str | None) -> str | Unknown:
        """Return the team of who asks from *address* and calls itself *label*."""
        if self._none:
            return UNCONFIGURED
        by_address = self._of_address(address) if self._networks and address else None
        return by_address or self._labels.get(label or "") or UNTOLD

    def _found(self, address: str) -> str | None:
        try:
            at = ip_address(address)
        except ValueError:
            return None
        # A gate that listens on IPv6 too sees IPv4 addresses within those of IPv6.
        plain = (isinstance(at, IPv6Address) and at.ipv4_mapped) or at
        return next((team for network, team in self._networks if plain in network), None)


def client_of(team: str | None, tables: Sequence[TeamTable], policy: Policy) -> Client:
    """Return a client of which nothing is known but its *team*, where that is said.

    Raises GateError `team-unknown` for one that neither the *tables* nor the *policy* name.
    """
    if team is None:
        return Client(team=UNSAID)
    known = {table.name for table in tables} | policy.teams
    return Client(team=_known(team, known, "neither a `[[team]]` of the settings nor the policy"))


def configured(team: str, tables: Sequence[TeamTable]) -> str:
    """Return *team* if the *tables* name it. Raises GateError `team-unknown`."""
    return _known(team, {table.name for table in tables}, "no `[[team]]` of the settings")


def _known(team: str, known: Collection[str], nobody: str) -> str:
    if team in known:
        return team
    nearest = difflib.get_close_matches(team, sorted(known), n=1)
    meant = f"Did you mean `{nearest[0]}`? " if nearest else ""
    raise GateError(
        "team-unknown",
        f"{nobody} names `{ascii(team[:100])[1:-1]}`",
        f"{meant}The settings file of the gate is given with `--config`.",
    )


def unnamed(policy: Policy, tables: Sequence[TeamTable]) -> tuple[str, ...]:
    """Return the teams that *policy* speaks of and that no client can ever be of, in order."""
    return tuple(sorted(policy.teams - {table.name for table in tables}))
