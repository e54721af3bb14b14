"""What pip is configured with, found where pip finds it.

Only what the gate needs to ask upstream as pip would have: the index, certificates and the proxy.
Extra indexes are read to be named, never used. Pure, but for `places` and `netrc_login`.
"""

import configparser
import netrc
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import Struct
from platformdirs import PlatformDirs

from indexgate.web_address import Credentials

_SECTIONS = ("global", "install")  # the later one wins, as in `pip install`
_OTHER_NAMES = {"pypi-url": "index-url", "default-timeout": "timeout"}
_KEYS = ("index-url", "extra-index-url", "find-links", "cert", "client-cert", "proxy", "timeout")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A value of pip's configuration and where it stands, in words."""

    value: str = field(repr=False)
    origin: str


class PipSettings(Struct, frozen=True, kw_only=True):
    """The part of pip's configuration that the gate looks at; addresses may hold credentials.

    `timeout` is text in seconds. `notices` names files that could not be read: pip would stop.
    """

    index_url: Found | None = None
    extra_index_urls: tuple[Found, ...] = ()
    find_links: tuple[Found, ...] = ()
    cert: Found | None = None
    client_cert: Found | None = None
    proxy: Found | None = None
    timeout: Found | None = None
    notices: tuple[str, ...] = ()


class Places(Struct, frozen=True, kw_only=True):
    """Where pip's files are on this machine, each group from the weakest to the strongest."""

    system: tuple[Path, ...]
    user: tuple[Path, ...]
    site: tuple[Path, ...]


def places() -> Places:
    """Return pip's places for the user and the environment that this program runs in."""
    name = "pip.ini" if sys.platform == "win32" else "pip.conf"
    dirs = PlatformDirs("pip", appauthor=False, roaming=True, multipath=True)
    # pip on macOS looks into the data folders, and at ~/.config/pip if the user has none there
    mac = sys.platform == "darwin"
    shared = dirs.site_data_dir if mac else dirs.site_config_dir
    system = [Path(folder) for folder in shared.split(os.pathsep)]
    user = Path(dirs.user_data_dir if mac else dirs.user_config_dir)
    if mac and not user.is_dir():
        user = Path.home() / ".config" / "pip"
    if not mac and sys.platform != "win32":
        system.append(Path("/etc"))
    legacy = Path.home() / ("pip" if sys.platform == "win32" else ".pip")
    return Places(
        system=tuple(folder / name for folder in system),
        user=(legacy / name, user / name),
        site=(Path(sys.prefix) / name,),
    )


def read(
    environ: Mapping[str, str], where: Places, read_file: Callable[[Path], bytes]
) -> PipSettings:
    """Return pip's settings. *read_file* raises OSError; a file that is not there is no error."""
    notices: list[str] = []
    values: dict[str, Found] = {}
    documents = list(_documents(environ, where, read_file, notices))
    for section in _SECTIONS:
        for path, parser in documents:
            if parser.has_section(section):
                for key, value in parser.items(section):
                    _take(values, key, value, f"pip's `{section}.{_normal(key)}` in `{path}`")
    for variable in sorted(environ):
        if variable.startswith("PIP_"):
            _take(values, variable[4:], environ[variable], f"variable `{variable}`")
    return PipSettings(
        index_url=values.get("index-url"),
        extra_index_urls=_each_word(values.get("extra-index-url")),
        find_links=_each_word(values.get("find-links")),
        cert=values.get("cert"),
        client_cert=values.get("client-cert"),
        proxy=values.get("proxy"),
        timeout=values.get("timeout"),
        notices=tuple(notices),
    )


def netrc_login(host: str, path: Path) -> Credentials | None:
    """Return the credentials that the netrc file *path* has for exactly *host*.

    Its `default` entry is not used: a password must not reach a host that nobody named.
    """
    try:
        entry = netrc.netrc(str(path)).hosts.get(host)
    except (OSError, netrc.NetrcParseError, UnicodeDecodeError):
        return None
    return Credentials(user=entry[0], password=entry[2] or "") if entry else None


def netrc_path(environ: Mapping[str, str], home: Path) -> Path:
    """Return the netrc file that pip reads: `NETRC`, else `.netrc` or `_netrc` in *home*."""
    if environ.get("NETRC"):
        return Path(environ["NETRC"]).expanduser()
    windows = home / "_netrc"
    return windows if windows.exists() and not (home / ".netrc").exists() else home / ".netrc"


def _documents(
    environ: Mapping[str, str],
    where: Places,
    read_file: Callable[[Path], bytes],
    notices: list[str],
) -> Iterator[tuple[Path, configparser.RawConfigParser]]:
    """Yield pip's files from the weakest to the strongest.

    `PIP_CONFIG_FILE` stands above all; if it exists, the user's files are left out, and if it is
    the null device, every file is.
    """
    named = environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return
    own = [Path(named)] if named else []
    chosen = [(path, _parse(path, read_file, notices)) for path in own]
    skip_user = any(parser is not None for _, parser in chosen)
    weaker = (*where.system, *(() if skip_user else where.user), *where.site)
    for path, parser in [*((path, _parse(path, read_file, notices)) for path in weaker), *chosen]:
        if parser is not None:
            yield path, parser


def _parse(
    path: Path, read_file: Callable[[Path], bytes], notices: list[str]
) -> configparser.RawConfigParser | None:
    """Return the parsed file, empty if it is broken, None if it is not there."""
    parser = configparser.RawConfigParser()
    try:
        text = read_file(path).decode("utf-8-sig")
        parser.read_string(text)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        notices.append(f"pip's `{path}` cannot be read: {reason}")
    except UnicodeDecodeError:
        notices.append(f"pip's `{path}` is not UTF-8 text and is not used")
    except configparser.Error:
        notices.append(f"pip's `{path}` is not a configuration file that pip can read")
        return configparser.RawConfigParser()
    return parser


def _take(values: dict[str, Found], key: str, value: str, origin: str) -> None:
    name = _normal(key)
    name = _OTHER_NAMES.get(name, name)
    if name in _KEYS and value.strip():
        values[name] = Found(value=value.strip(), origin=origin)


def _each_word(found: Found | None) -> tuple[Found, ...]:
    if found is None:
        return ()
    return tuple(Found(value=word, origin=found.origin) for word in found.value.split())


def _normal(key: str) -> str:
    return key.lower().replace("_", "-").removeprefix("--")
