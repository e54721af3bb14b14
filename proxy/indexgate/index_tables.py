"""The `[[index]]` tables of a settings file: several indexes behind one gate, in their order.

Pure: the environment is an argument. Their keys are settings, but of a file alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from indexgate import setting_kinds as kinds
from indexgate import setting_values, web_address
from indexgate.errors import GateError
from indexgate.redact import redact
from indexgate.setting_values import Origin
from indexgate.settings_table import Setting
from indexgate.web_address import Credentials

KEY = "index"
PYPI = "pypi"
"""What stands for PyPI's own address as the `url` of a table."""

_MOST = 20

TABLE: tuple[Setting, ...] = (
    Setting(
        name="name",
        kind=kinds.INDEX_NAME,
        help="What the index is called in answers, the log and `indexgate explain`.",
        default_shown="none: it is needed",
    ),
    Setting(
        name="url",
        kind=kinds.INDEX_ADDRESS,
        help="Address of the simple index; `pypi` stands for PyPI's.",
        default_shown="none: it is needed",
    ),
    Setting(
        name="namespaces",
        kind=kinds.PATTERN,
        many=True,
        help="Names that belong to this index alone: no other index is ever asked for them, and,"
        " unless this one is public, no third party is told them.",
        default_shown="none",
    ),
    Setting(
        name="public",
        kind=kinds.choice("auto", "yes", "no"),
        default="auto",
        help="Whether public facts (advisories, downloads, look-alikes) speak of its projects."
        " `auto`: only if it is PyPI itself.",
    ),
    Setting(
        name="timeout",
        kind=kinds.UPSTREAM_TIMEOUT,
        help="How long it may take to answer.",
        default_shown="`upstream_timeout`",
    ),
    Setting(
        name="ca",
        kind=kinds.PATH,
        help="Certificates (PEM) to trust for it.",
        default_shown="pip's `cert`, the system's",
    ),
    Setting(
        name="client_cert",
        kind=kinds.PATH,
        help="Certificate with its key (PEM) to show to it.",
        default_shown="pip's `client-cert` if pip uses that host, none",
    ),
    Setting(
        name="login_variable",
        kind=kinds.VARIABLE,
        help="Environment variable that holds its login as `user:password`.",
        default_shown="credentials in `url`, netrc",
    ),
)
_BY_NAME = {setting.name: setting for setting in TABLE}


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexTable:
    """One `[[index]]` table, read and checked.

    `url` may hold credentials, or is `PYPI`; `login` is from the variable that the table names.
    `namespaces` are globs of normalised names. `timeout`, `ca` and `client_cert` are None where the
    table says nothing of them. `origin` is where `url` stands.
    """

    name: str
    url: str = field(repr=False)
    namespaces: tuple[str, ...]
    public: Literal["auto", "yes", "no"]
    timeout: timedelta | None
    ca: Path | None
    client_cert: Path | None
    login_variable: str | None
    login: Credentials | None
    origin: Origin


def read(tables: object, file: Path, environ: Mapping[str, str]) -> tuple[IndexTable, ...]:
    """Return the indexes that *tables*, the value of `index` in *file*, name.

    Raises GateError `setting-invalid`, `setting-unknown`, `indexes-clash`.
    """
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise GateError(
            "setting-invalid",
            f"key `{KEY}` in `{file}` is a TOML {setting_values.toml_type(tables)}",
            "Write one `[[index]]` table for each index.",
        )
    if not 0 < len(tables) <= _MOST:
        raise GateError(
            "setting-invalid",
            f"`{file}` has {len(tables)} `[[index]]` tables",
            f"Write 1 to {_MOST}, or none and `upstream` instead.",
        )
    indexes = tuple(_table(table, file, environ, at) for at, table in enumerate(tables, 1))
    _check_names(indexes, file)
    _check_namespaces(indexes, file)
    return indexes


def _table(table: Mapping[str, Any], file: Path, environ: Mapping[str, str], at: int) -> IndexTable:
    called = table.get("name")
    title = f"`[[index]]` {at}" if not isinstance(called, str) else f"`[[index]]` `{called[:40]}`"
    keys = dict(setting_values.of_table(table, _BY_NAME, file, name=title))
    for needed in ("name", "url"):
        if needed not in keys:
            raise GateError(
                "setting-invalid",
                f"{title} in `{file}` has no `{needed}`",
                f"Allowed for `{needed}`: {_BY_NAME[needed].kind.allowed}.",
            )
    values: dict[str, Any] = {
        setting.name: setting_values.value(
            setting, keys.get(setting.name) or setting_values.default(setting)
        )
        for setting in TABLE
    }
    variable = values["login_variable"]
    login = None if variable is None else _login(variable, keys["login_variable"].origin, environ)
    return IndexTable(**values, login=login, origin=keys["url"].origin)


def _login(variable: str, origin: Origin, environ: Mapping[str, str]) -> Credentials:
    """Read the login in *variable*; what it holds is never part of an error. Raises GateError."""
    user, colon, password = environ.get(variable, "").strip().partition(":")
    if not (user and colon) or not (user + password).isprintable():
        state = "is not `user:password`" if environ.get(variable) else "is not set"
        raise GateError(
            "login-missing",
            f"{origin} names the variable `{variable}`, which {state}",
            "Set it to the login of that index before the gate starts.",
        )
    return Credentials(user=user, password=password)


def _check_names(indexes: tuple[IndexTable, ...], file: Path) -> None:
    """Raise GateError `indexes-clash` where two tables have one name, or one address."""
    names: set[str] = set()
    urls: dict[str, str] = {}
    for index in indexes:
        if index.name in names:
            raise _clash(f"two `[[index]]` tables in `{file}` are named `{index.name}`")
        names.add(index.name)
        url = index.url if index.url == PYPI else web_address.parse(index.url).url
        if url in urls:
            raise _clash(
                f"`{urls[url]}` and `{index.name}` in `{file}` are one index, `{redact(url)}`"
            )
        urls[url] = index.name


def _check_namespaces(indexes: tuple[IndexTable, ...], file: Path) -> None:
    """Raise GateError `indexes-clash` for a pattern that can never decide anything."""
    before: list[tuple[str, str]] = []
    for index, pattern in _patterns(indexes):
        for earlier, of in before:
            if pattern == earlier:
                whose = "twice by" if of == index else f"by `{of}` and"
                raise _clash(f"namespace `{pattern}` is claimed {whose} `{index}` in `{file}`")
            # Only `*` may stand for a `*`: then all names of the one are names of the other.
            if of != index and "?" not in earlier and fnmatchcase(pattern, earlier):
                raise _clash(
                    f"namespace `{pattern}` of `{index}` in `{file}` lies within `{earlier}` of"
                    f" `{of}`, which stands before it"
                )
        before.append((pattern, index))


def _patterns(indexes: tuple[IndexTable, ...]) -> Iterator[tuple[str, str]]:
    for index in indexes:
        for pattern in index.namespaces:
            yield index.name, pattern


def _clash(message: str) -> GateError:
    return GateError(
        "indexes-clash",
        message,
        "Each index stands there once, and each namespace belongs to one index; where patterns"
        " overlap, the narrower one stands first.",
    )
