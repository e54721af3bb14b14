"""Which index the gate stands in front of, and who said so; or which ones, in their order.

In this order: the flag, the variable, the file, the upstream kept in the state folder, pip's
`index-url`, PyPI. Pip's `index-url` is passed over where it is the gate itself, as it is once pip
points at the gate; what pip used before is then the kept one. Where the file has `[[index]]`
tables, it is those and nothing else.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from msgspec import Struct

from indexgate import setting_kinds, web_address
from indexgate.config import Settings
from indexgate.errors import GateError
from indexgate.index_tables import PYPI
from indexgate.pip_settings import Found, PipSettings
from indexgate.redact import redact
from indexgate.web_address import Credentials, WebAddress

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_ANY = frozenset({"0.0.0.0", "::"})  # noqa: S104  addresses to compare with, none to bind to


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamChoice:
    """The upstream, how to reach it, and why it is the one.

    `url` is canonical: no credentials, a slash at the end; safe to print. `index_id` is 16 hex
    digits of its SHA-256. `public` tells whether public facts speak of its projects. `ca` and
    `client_cert` are PEM files. `proxy` is for requests to upstream only and may hold credentials
    (None: the environment's proxy variables hold). `origin` is where the choice came from, `keep`
    whether to keep it in the state folder, since pip is about to be pointed at the gate.

    `named_public` is set when somebody said that it is public, which its address alone does not
    tell. `timeout` is None where the setting `upstream_timeout` holds. With several indexes this is
    the first one and `later` are the others, in the order in which they are asked; each has a
    `name`, and its `namespaces` are patterns of the names that belong to it alone.
    """

    url: str
    index_id: str
    public: bool
    credentials: Credentials | None = None
    ca: Path | None = None
    client_cert: Path | None = None
    proxy: str | None = field(default=None, repr=False)
    origin: str
    keep: bool = False
    notices: tuple[str, ...] = ()
    named_public: bool = False
    timeout: timedelta | None = None
    name: str = ""
    namespaces: tuple[str, ...] = ()
    later: tuple["UpstreamChoice", ...] = ()

    @property
    def all(self) -> tuple["UpstreamChoice", ...]:
        """Every index, in the order in which they are asked; most often there is one."""
        return (self, *self.later)

    @property
    def shown(self) -> str:
        """The address, or name and address of each of several; safe to print."""
        if not self.later:
            return self.url
        return ", ".join(f"{index.name} ({index.url})" for index in self.all)

    @property
    def public_one(self) -> "UpstreamChoice | None":
        """The first index that is public, None where none is."""
        return next((index for index in self.all if index.public), None)

    @property
    def main(self) -> "UpstreamChoice":
        """The index that the gate's own work is about: the first public one, else the first."""
        return self.public_one or self

    @property
    def private_namespaces(self) -> tuple[str, ...]:
        """The patterns of names that belong to indexes that are not public."""
        owned = (index.namespaces for index in self.all if not index.public)
        return tuple(pattern for patterns in owned for pattern in patterns)


class _Candidate(Struct, frozen=True, kw_only=True):
    """An address that may become the upstream, and where it came from."""

    address: WebAddress
    origin: str
    from_pip: bool = False
    notices: tuple[str, ...] = ()


def choose(
    settings: Settings,
    *,
    kept: str | None,
    pip: PipSettings,
    login: Callable[[str], Credentials | None],
    public_index: str,
) -> UpstreamChoice:
    """Return the upstream.

    *kept* is the address in the state folder, *login* finds a host's credentials (netrc),
    *public_index* is PyPI's address. Raises GateError `upstream-invalid`, `upstream-is-the-gate`,
    `indexes-clash`.
    """
    if settings.indexes:
        return _several(settings, pip, login, public_index)
    chosen = _candidate(settings, kept, pip, public_index)
    address = chosen.address
    notices = [*chosen.notices, *pip.notices, *_extra_indexes(settings, pip)]
    notices.extend(_not_encrypted(address))
    if chosen.from_pip and address.credentials is not None:
        notices.append(
            f"the credentials in {chosen.origin} are used now but never stored;"
            f" keep them in a netrc file for `{address.host}` before pip is pointed at the gate"
        )
    return UpstreamChoice(
        url=address.url,
        index_id=index_id(address.url),
        public=_is_public(settings.upstream_public, address, public_index),
        named_public=settings.upstream_public == "yes",
        credentials=address.credentials or login(address.host),
        ca=settings.upstream_ca or _path(pip.cert),
        client_cert=_path(pip.client_cert) if _serves_pip(address, pip) else None,
        proxy=pip.proxy.value if pip.proxy else None,
        origin=chosen.origin,
        keep=chosen.from_pip,
        notices=tuple(notices),
    )


def index_id(url: str) -> str:
    """Return the identity of the index at the canonical address *url*.

    64 bits: a store holds a handful of indexes, all chosen by its owner.
    """
    return hashlib.sha256(url.encode()).hexdigest()[:16]


def is_the_gate(address: WebAddress, settings: Settings) -> bool:
    """Tell whether *address* is one under which this gate itself answers."""
    if settings.public_url is not None:
        public = web_address.parse(settings.public_url)
        if (public.host, public.port) == (address.host, address.port):
            return True
    if address.port != settings.port:
        return False
    own = {settings.host.lower()}
    if own & (_LOOPBACK | _ANY):
        own |= _LOOPBACK | _ANY
    return address.host in own or (address.host.startswith("127.") and bool(own & _LOOPBACK))


def _several(
    settings: Settings,
    pip: PipSettings,
    login: Callable[[str], Credentials | None],
    public_index: str,
) -> UpstreamChoice:
    """Return the indexes of the settings file. Raises GateError."""
    chosen: list[UpstreamChoice] = []
    for table in settings.indexes:
        address = _parse(public_index if table.url == PYPI else table.url, str(table.origin))
        _check_other(address, str(table.origin), settings)
        twin = next((index.name for index in chosen if index.url == address.url), None)
        if twin is not None:
            raise GateError(
                "indexes-clash",
                f"the indexes `{twin}` and `{table.name}` are one, `{address.url}`",
                "Leave one of the two `[[index]]` tables out.",
            )
        pips = _path(pip.client_cert) if _serves_pip(address, pip) else None
        chosen.append(
            UpstreamChoice(
                name=table.name,
                namespaces=table.namespaces,
                url=address.url,
                index_id=index_id(address.url),
                public=_is_public(table.public, address, public_index),
                named_public=table.public == "yes",
                credentials=table.login or address.credentials or login(address.host),
                ca=table.ca or _path(pip.cert),
                client_cert=table.client_cert or pips,
                timeout=table.timeout,
                proxy=pip.proxy.value if pip.proxy else None,
                origin=str(table.origin),
                notices=tuple(_not_encrypted(address)),
            )
        )
    notices = [*pip.notices, *_extra_indexes(settings, pip, {index.url for index in chosen})]
    notices.extend(notice for index in chosen for notice in index.notices)
    return replace(chosen[0], later=tuple(chosen[1:]), notices=tuple(notices))


def _check_other(address: WebAddress, origin: str, settings: Settings) -> None:
    """Raise GateError `upstream-is-the-gate` if *address* is the gate's own."""
    if is_the_gate(address, settings):
        raise GateError(
            "upstream-is-the-gate",
            f"{origin} is `{address.url}`, which is this gate's own address",
            "Name the index that the gate shall stand in front of.",
        )


def _candidate(
    settings: Settings, kept: str | None, pip: PipSettings, public_index: str
) -> _Candidate:
    if settings.upstream is not None:
        origin = str(settings.origins["upstream"])
        address = _parse(settings.upstream, origin)
        _check_other(address, origin, settings)
        return _Candidate(address=address, origin=origin)
    if kept is not None:
        address = _parse(kept, "the upstream kept in the state folder")
        if not is_the_gate(address, settings):
            return _kept(settings, address, pip)
    if pip.index_url is not None:
        address = _parse(pip.index_url.value, pip.index_url.origin)
        if not is_the_gate(address, settings):
            return _Candidate(address=address, origin=pip.index_url.origin, from_pip=True)
        notice = f"{pip.index_url.origin} is this gate's own address and is passed over"
        return _Candidate(
            address=web_address.parse(public_index), origin="default: PyPI", notices=(notice,)
        )
    return _Candidate(address=web_address.parse(public_index), origin="default: PyPI")


def _kept(settings: Settings, address: WebAddress, pip: PipSettings) -> _Candidate:
    """Choose the kept upstream, and say so where pip has meanwhile been pointed elsewhere."""
    notices: list[str] = []
    if pip.index_url is not None:
        try:
            now = web_address.parse(pip.index_url.value)
        except ValueError:
            now = address
        if now.url != address.url and not is_the_gate(now, settings):
            notices.append(
                f"{pip.index_url.origin} is `{now.url}`, but the upstream kept in the state folder"
                " is in force; give `--upstream` to change it"
            )
    return _Candidate(address=address, origin="kept in the state folder", notices=tuple(notices))


def _parse(text: str, origin: str) -> WebAddress:
    try:
        return web_address.parse(text)
    except ValueError as error:
        shown = redact(text) if text.isprintable() else ascii(redact(text)).strip("'")
        raise GateError(
            "upstream-invalid",
            f"{origin} is `{shown[:200]}`, which cannot be the upstream: {error}",
            "Give the index with `--upstream`, such as `https://index.example.test/simple/`.",
        ) from error


def _extra_indexes(
    settings: Settings, pip: PipSettings, ours: Collection[str] = ()
) -> Iterator[str]:
    for extra in pip.extra_index_urls:
        try:
            address = web_address.parse(extra.value)
            if is_the_gate(address, settings) or address.url in ours:
                continue
        except ValueError:
            pass
        yield f"extra index `{redact(extra.value)}` of pip ({extra.origin}) is not used by the gate"


def _is_public(said: str, address: WebAddress, public_index: str) -> bool:
    if said == "auto":
        return address.url == web_address.parse(public_index).url
    return said == "yes"


def _not_encrypted(address: WebAddress) -> Iterator[str]:
    if address.scheme == "http" and address.host not in _LOOPBACK:
        yield f"`{address.url}` is not encrypted; anyone on the way can change packages"


def _serves_pip(address: WebAddress, pip: PipSettings) -> bool:
    """Tell whether upstream is on the host that pip's client certificate is meant for."""
    if pip.index_url is None:
        return True
    try:
        return web_address.parse(pip.index_url.value).host == address.host
    except ValueError:
        return False


def _path(found: Found | None) -> Path | None:
    if found is None or not found.value.isprintable():
        return None
    return setting_kinds.path(found.value)
