"""Proxies that catch what is for the gate on this machine, and logins for other hosts."""

import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path

from indexgate import pip_settings
from indexgate.doctor.finding import Advice, Finding, Place
from indexgate.doctor.machine import Machine
from indexgate.doctor.ways import export, finding, unset
from indexgate.redact import redact

_MACHINE = re.compile(r"(?:^|\s)machine\s+(\S+)")


def proxies(machine: Machine) -> Iterator[Finding]:
    """Yield the proxy that clients would send the gate's requests to.

    Some clients read `no_proxy` first and some `NO_PROXY`, so each that is set must name the gate.
    """
    if not machine.gate.local:
        return
    names = [f"{machine.gate.scheme}_proxy", "all_proxy"]
    spelled = [each for name in names for each in (name, name.upper())]
    caught = next((name for name in spelled if machine.environ.get(name, "").strip()), None)
    if caught is None:
        return
    lists = [machine.environ.get(name, "").strip() for name in ("no_proxy", "NO_PROXY")]
    said = [each for each in lists if each]
    if said and all(_covers(each, machine.gate.host) for each in said):
        return
    hosts = [host.strip() for each in said for host in each.split(",") if host.strip()]
    joined = ",".join(dict.fromkeys([*hosts, "127.0.0.1", "localhost"]))
    yield finding(
        "proxy-catches-gate",
        f"`{redact(machine.environ[caught])}` is asked for `{machine.gate.roots[0]}` too",
        Place(variable=caught),
        export(joined, "no_proxy", "NO_PROXY"),
    )


def logins(machine: Machine) -> Iterator[Finding]:
    """Yield the hosts that credentials lie ready for, and the keyrings that clients may ask."""
    path = pip_settings.netrc_path(machine.environ, machine.home)
    hosts = [host for host in _machines(machine, path) if host != machine.gate.host]
    if hosts:
        shown = ", ".join(f"`{redact(host)}`" for host in hosts)
        cure = Advice(text="nothing, unless one of them is an index that nobody should ask")
        yield finding("other-login", f"there are logins for {shown}", Place(path=path), cure)
    for variable in ("PIP_KEYRING_PROVIDER", "UV_KEYRING_PROVIDER"):
        value = machine.environ.get(variable, "")
        if value and value != "disabled":
            what = f"`{value}` is asked for logins of indexes"
            yield finding("other-login", what, Place(variable=variable), unset(variable))


def _machines(machine: Machine, path: Path) -> list[str]:
    """Return the hosts that the netrc file at *path* names, none where there is no such file."""
    try:
        text = machine.read_file(path).decode("utf-8", "replace")
    except OSError:
        return []
    return _MACHINE.findall(text)


def _covers(listed: str, host: str) -> bool:
    """Tell whether the list *listed* of `no_proxy` names *host*: as a name, a suffix, a network."""
    words = [word.strip().lower().lstrip(".") for word in listed.split(",")]
    if "*" in words or any(host == word or host.endswith(f".{word}") for word in words if word):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return any(address in network for word in words for network in _networks(word))


def _networks(word: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    try:
        return [ipaddress.ip_network(word, strict=False)] if "/" in word else []
    except ValueError:
        return []
