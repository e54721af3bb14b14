"""`uv.lock` with upstream's addresses, and with the gate's: the swap there and back, as text.

uv writes the addresses that it was given into its lock and follows them without asking the index.
So before uv runs, the addresses of upstream become the gate's, and afterwards the gate's become
upstream's again: the lock stays what it would be without the gate. Since the gate's file addresses
are upstream's with a prefix before them, nothing has to be remembered; no other byte is touched.
"""

import re
import tomllib
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from indexgate.index.addresses import PREFIX, address_of, authority_of

_PACKAGE = re.compile(r"^(?=\[\[package\]\][ \t]*\r?$)", re.MULTILINE)
_REGISTRY = re.compile(r'(\bregistry = ")([^"\n]*)(")')
_URL = re.compile(r'(\burl = ")([^"\n]*)(")')
_HEAD = re.compile(r"package[ \t]*[\]=]")
_ODD_MARKS = ("\\", '"""', "'''")
_ODD_KEYS = (  # each begins with letters, so that it is found fast
    *(re.compile(rf'{key}(?! = ")["\']?[ \t]*=') for key in ("registry", "url")),
    *(re.compile(rf'{key}["\'][ \t]*[=.\]]') for key in ("source", "package", "sdist", "wheels")),
)


class Swap(Struct, frozen=True, kw_only=True):
    """The two ends: the gate's root (`http://127.0.0.1:8503/`) and upstream's simple index.

    Both end with a slash and have no credentials.
    """

    gate: str
    upstream: str

    @property
    def index(self) -> str:
        """The gate's simple index."""
        return f"{self.gate}simple/"

    def to_gate(self, text: str) -> str:
        """Return the lock *text* with the gate in place of upstream."""
        return "".join(self._package_to_gate(part) for part in _PACKAGE.split(text))

    def to_upstream(self, text: str) -> str:
        """Return the lock *text* with upstream in place of the gate."""
        text = _REGISTRY.sub(lambda m: m[1] + self.index_of_upstream(m[2]) + m[3], text)
        return _URL.sub(lambda m: m[1] + self.file_of_upstream(m[2]) + m[3], text)

    def slash(self, text: str) -> bool:
        """Tell whether the lock *text* writes this registry with a slash at the end."""
        return any(
            m[2].endswith("/")
            for m in _REGISTRY.finditer(text)
            if _same(m[2], self.upstream) or _same(m[2], self.index)
        )

    def past_the_gate(self, text: str, *, frozen: bool) -> tuple[str, ...]:
        """Return the addresses in the lock *text* that uv would ask past the gate.

        Those are files without a way back from the gate. Packages of other registries are resolved
        anew at the gate, but not if the lock is *frozen*: then their registries count too.
        """
        found: dict[str, None] = {}
        for registry, urls in _packages(self.to_gate(text)):
            if _same(registry, self.index):
                found |= dict.fromkeys(url for url in urls if not url.startswith(self.gate))
            elif frozen:
                found[registry] = None
        return tuple(found)

    def _package_to_gate(self, part: str) -> str:
        found = _REGISTRY.search(part)
        if found is None or not _same(found[2], self.upstream):
            return part
        part = _REGISTRY.sub(lambda m: m[1] + self.index_of_gate(m[2]) + m[3], part)
        return _URL.sub(lambda m: m[1] + self.file_of_gate(m[2]) + m[3], part)

    def is_upstream(self, url: str) -> bool:
        """Tell whether *url* is upstream's simple index, however it ends."""
        return _same(url, self.upstream)

    def index_of_gate(self, url: str) -> str:
        """Return the gate's simple index for upstream's, ending as *url*; else *url*."""
        return _moved(url, self.upstream, self.index)

    def index_of_upstream(self, url: str) -> str:
        """Return upstream's simple index for the gate's, ending as *url*; else *url*."""
        return _moved(url, self.index, self.upstream)

    def file_of_gate(self, url: str) -> str:
        """Return the gate's address of a file, or *url* where there would be no way back."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or parts.query or parts.fragment:
            return url
        if url.startswith(f"{self.gate}{PREFIX}/"):
            return url
        filename = unquote(parts.path.rpartition("/")[2])
        moved = self.gate + address_of(url, filename)
        return moved if self.file_of_upstream(moved) == url else url

    def file_of_upstream(self, url: str) -> str:
        """Return upstream's address of a file for the gate's, else *url*."""
        prefix = f"{self.gate}{PREFIX}/"
        if not url.startswith(prefix):
            return url
        scheme, _, rest = url.removeprefix(prefix).partition("/")
        authority, _, path = rest.partition("/")
        return f"{scheme}://{authority_of(authority)}/{path}"


def _packages(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the registry of each package of a lock that has one, and the addresses of its files."""
    if not _is_as_uv_writes(text):
        yield from _parsed(text)
        return
    for part in _PACKAGE.split(text):
        registry = _REGISTRY.search(part)
        if registry is not None:
            yield registry[2], [found[2] for found in _URL.finditer(part)]


def _is_as_uv_writes(text: str) -> bool:
    """Tell whether the tables in *text* stand as uv writes them: nearly always, and told fast."""
    if any(mark in text for mark in _ODD_MARKS) or any(odd.search(text) for odd in _ODD_KEYS):
        return False
    return len(_HEAD.findall(text)) == len(_PACKAGE.findall(text))


def _parsed(text: str) -> Iterator[tuple[str, list[str]]]:
    try:
        packages = tomllib.loads(text).get("package")
    except (tomllib.TOMLDecodeError, RecursionError):
        return  # uv cannot read it either
    for package in packages if isinstance(packages, list) else ():
        match package:
            case {"source": {"registry": str(registry)}}:
                wheels = package.get("wheels")
                files = [package.get("sdist"), *(wheels if isinstance(wheels, list) else ())]
                urls = [file.get("url") for file in files if isinstance(file, dict)]
                yield registry, [url for url in urls if isinstance(url, str)]


def _same(one: str, other: str) -> bool:
    return one.rstrip("/") == other.rstrip("/")


def _moved(url: str, old: str, new: str) -> str:
    """Return *new* for *old*, ending as *url* does; anything else as it is."""
    if not _same(url, old):
        return url
    return new if url.endswith("/") else new.rstrip("/")
