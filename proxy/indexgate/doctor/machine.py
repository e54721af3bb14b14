"""What is looked at: the environment, a project, the user's folders, and which gate is meant."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from indexgate import web_address
from indexgate.pip_settings import Places

_VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w+)")


class GateAddress(Struct, frozen=True, kw_only=True):
    """Where the gate is reached: `roots` end with a slash, the best one first.

    `upstreams` are the indexes that it stands for, as far as the settings tell.
    """

    roots: tuple[str, ...]
    upstreams: tuple[str, ...] = ()

    @property
    def simple(self) -> str:
        """The gate's simple index, with a slash at its end."""
        return f"{self.roots[0]}simple/"

    @property
    def host(self) -> str:
        """The gate's host, without a port."""
        return urlsplit(self.roots[0]).hostname or ""

    @property
    def scheme(self) -> str:
        """`http` or `https`."""
        return urlsplit(self.roots[0]).scheme

    @property
    def local(self) -> bool:
        """Whether the gate is on this machine."""
        return self.host in {"127.0.0.1", "localhost", "::1"}

    def owns(self, url: str) -> bool:
        """Tell whether *url* is the gate's, as an index or as a file, whatever login it has."""
        parts = urlsplit(url)
        try:
            bare = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="")
            found = web_address.parse(bare.geturl()).url
        except ValueError:
            return False
        return found.startswith(self.roots)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The surroundings of a project; all paths are absolute.

    `read_file` raises OSError, `files_in` gives the files of a folder, none if it is not there.
    `config` is the user's configuration folder, `poetry`, `pdm` and `uv` those clients' own files
    (strongest first). `programs` are the clients that can be started, `mirror_plugin` whether
    Poetry has the plugin that reads a mirror.
    """

    environ: Mapping[str, str] = field(repr=False)
    folder: Path
    home: Path
    pip: Places
    uv: tuple[Path, ...]
    poetry: tuple[Path, ...]
    pdm: tuple[Path, ...]
    read_file: Callable[[Path], bytes]
    files_in: Callable[[Path], tuple[Path, ...]]
    programs: frozenset[str]
    mirror_plugin: bool
    gate: GateAddress

    def foreign(self, url: str) -> bool:
        """Tell whether *url* leads to somebody else than the gate; variables in it are filled."""
        return not self.gate.owns(self.filled(url))

    def filled(self, text: str) -> str:
        """Return *text* with `$NAME` and `${NAME}` filled in, as clients do for their sources."""
        return _VARIABLE.sub(lambda found: self.environ.get(found[1] or found[2], found[0]), text)

    def there(self, path: Path) -> bool:
        """Tell whether there is a file at *path* that can be read."""
        try:
            self.read_file(path)
        except (OSError, ValueError):
            return False
        return True


def local_path(url: str) -> str | None:
    """Return the path that *url* names on this machine, None for an address of the web."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return unquote(parts.path)
    return None if "://" in url else url
