"""Which addresses an index may lead to: nothing private stands behind a public index.

A public index that redirects, or lists files, to a private address would let it reach into the
network of whoever runs the gate. Documentation and benchmark networks are not private in this
sense: nobody's services live there. An index whose own configured address is private, such as a
mirror on loopback, is meant to be asked there: that one host is allowed, and no other private one.
"""

import socket
from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from aiohttp.abc import AbstractResolver, ResolveResult

from indexgate.index.protocol import UpstreamFailed

_PRIVATE = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "224.0.0.0/4",
        "::/127",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "64:ff9b:1::/48",
        "ff00::/8",
    )
)
_NAT64 = ip_network("64:ff9b::/96")


def is_private(host: str) -> bool:
    """Tell whether *host* is the text of an address in a private, local or group network.

    A name is never private by itself: it is judged when it resolves.
    """
    try:
        address = ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return host.lower().rstrip(".") == "localhost"
    return any(_inside(inner) for inner in _faces(address))


def _faces(address: IPv4Address | IPv6Address) -> tuple[IPv4Address | IPv6Address, ...]:
    """Return the address and the IPv4 address that an IPv6 one may carry."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return (address, address.ipv4_mapped)
        if address in _NAT64:
            return (address, IPv4Address(int(address) & 0xFFFFFFFF))
        if address.sixtofour:
            return (address, address.sixtofour)
    return (address,)


def _inside(address: IPv4Address | IPv6Address) -> bool:
    return any(address in network for network in _PRIVATE if network.version == address.version)


def refuse_private(host: str) -> None:
    """Raise UpstreamFailed when *host* is a private address."""
    if is_private(host):
        raise UpstreamFailed(
            "private-address",
            f"the public index leads to the private address {host}; "
            "if it is meant to, set upstream_public = no",
        )


class PublicResolver(AbstractResolver):
    """Resolve names, and refuse those that lead to a private address.

    *may_be_private* are the hosts that the operator named: a proxy, and the index itself if it says
    so (as `localhost` does) or was called public although it is in the house. Behind any other
    name a private address is somebody's trick.
    """

    def __init__(self, inner: AbstractResolver, *, may_be_private: Collection[str]) -> None:
        self._inner = inner
        self._may_be_private = may_be_private

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of *host*. Raises UpstreamFailed when one of them is private."""
        found = await self._inner.resolve(host, port, family)
        if host not in self._may_be_private:
            for result in found:
                refuse_private(result["host"])
        return found

    async def close(self) -> None:
        """Close the resolver behind this one."""
        await self._inner.close()
