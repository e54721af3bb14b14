"""The settings in force: flags over variables over the file over defaults, each with its origin.

Pure over its arguments; the one edge is `read_bounded`, which callers pass in.
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, TypeAlias

from indexgate import index_tables, setting_values, team_tables
from indexgate.errors import GateError
from indexgate.index_tables import IndexTable
from indexgate.setting_values import FoundValue, Origin
from indexgate.settings_table import BY_NAME, TABLE, Setting
from indexgate.team_tables import TeamTable

Given: TypeAlias = str | bool | tuple[str, ...] | None
_OF_ONE = {"upstream": "a `url`", "upstream_public": "a `public`", "upstream_ca": "a `ca`"}
LARGEST_FILE = 256 * 1024  # bytes; a hundred times what all settings with comments need


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting, read and checked. Sizes are bytes.

    `upstream` and `osv_url` may hold credentials: print them through `redact` only. `public_url` is
    canonical, holds none and ends with a slash. `policy` is a shipped policy's
    name or a path. `osv_url` is None when no advisories are wanted. `sources` are names of
    `source_offers`, `auto` or `none`; `private_names` are globs of normalised names. `origins` has
    every setting's origin, `notices` what the user should hear at start. `indexes` are several
    upstreams in their order; without them it is the one of `upstream`. `teams` are those that
    clients are told by.
    """

    config: Path | None
    host: str
    port: int
    workers: int
    event_loop: Literal["asyncio", "uvloop"]
    upstream: str | None = field(repr=False)
    policy: str
    state: Path
    presentation: Literal["explain", "hide"]
    public_url: str | None = field(repr=False)
    allow_host: tuple[str, ...]
    tls_cert: Path | None
    tls_key: Path | None
    offline: bool
    prefetch: bool
    page_ttl: timedelta
    max_stale: timedelta
    upstream_timeout: timedelta
    upstream_public: Literal["auto", "yes", "no"]
    upstream_ca: Path | None
    osv_url: str | None = field(repr=False)
    sources: tuple[str, ...]
    private_names: tuple[str, ...]
    contact: str | None
    github_token: str | None = field(repr=False)
    pepy_key: str | None = field(repr=False)
    libraries_io_key: str | None = field(repr=False)
    bigquery_project: str | None
    bigquery_budget: int
    snapshot_key: tuple[str, ...]
    cache_size: int
    page_memory: int
    metrics_listen: str | None
    log_format: Literal["text", "json"]
    log_level: Literal["debug", "info", "warning", "error"]
    origins: Mapping[str, Origin]
    notices: tuple[str, ...] = ()
    indexes: tuple[IndexTable, ...] = ()
    teams: tuple[TeamTable, ...] = ()


def load(
    given: Mapping[str, Given],
    environ: Mapping[str, str],
    read_file: Callable[[Path], bytes],
    *,
    default_state: Path,
) -> Settings:
    """Return the settings in force.

    *given* holds the command line's values by setting name (None or an empty tuple: not given).
    Raises GateError: `setting-invalid`, `setting-unknown`, `settings-file`, `indexes-clash`,
    `indexes-and-upstream`, `login-missing`, `teams-clash`.
    """
    flags = dict(_flags(given))
    variables = dict(_variables(environ))
    config = setting_values.value(BY_NAME["config"], flags.get("config") or variables.get("config"))
    document: dict[str, Any] = {}
    keys: dict[str, FoundValue] = {}
    if isinstance(config, Path):
        document = toml_document(config, read_file)
        keys = _file_keys(document, config)
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for setting in TABLE:
        found = (
            flags.get(setting.name)
            or variables.get(setting.name)
            or keys.get(setting.name)
            or setting_values.default(setting)
        )
        values[setting.name] = setting_values.value(setting, found)
        origins[setting.name] = found.origin
    values["state"] = values["state"] or default_state
    _both_or_neither(values, origins, "tls_cert", "tls_key")
    indexes: tuple[IndexTable, ...] = ()
    if isinstance(config, Path) and index_tables.KEY in document:
        _one_or_several(origins, config)
        indexes = index_tables.read(document[index_tables.KEY], config, environ)
    teams: tuple[TeamTable, ...] = ()
    if isinstance(config, Path) and team_tables.KEY in document:
        teams = team_tables.read(document[team_tables.KEY], config)
    named = [index.login_variable for index in indexes if index.login_variable is not None]
    notices = tuple(_unknown_variables(environ, named))
    return Settings(**values, origins=origins, notices=notices, indexes=indexes, teams=teams)


def read_bounded(path: Path) -> bytes:
    """Return the first bytes of *path*, one more than a settings file may have. Raises OSError."""
    with path.open("rb") as file:
        return file.read(LARGEST_FILE + 1)


def toml_document(path: Path, read_file: Callable[[Path], bytes]) -> dict[str, Any]:
    """Return the TOML document in *path*. Raises GateError `settings-file`."""
    try:
        content = read_file(path)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise GateError("settings-file", f"cannot read `{path}`: {reason}") from error
    if len(content) > LARGEST_FILE:
        raise GateError(
            "settings-file", f"`{path}` is larger than {LARGEST_FILE // 1024} KB, so it is not read"
        )
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise GateError(
            "settings-file", f"`{path}` is not UTF-8 text (byte {error.start})"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise GateError("settings-file", f"`{path}` is not TOML: {error}") from error
    except RecursionError as error:
        raise GateError("settings-file", f"`{path}` is nested too deep to be read") from error


def _flags(given: Mapping[str, Given]) -> Iterator[tuple[str, FoundValue]]:
    for name, value in given.items():
        if value is None or value == ():
            continue
        texts = value if isinstance(value, tuple) else (setting_values.as_text(value),)
        yield name, FoundValue(texts=texts, origin=Origin(place="flag", name=BY_NAME[name].flag))


def _variables(environ: Mapping[str, str]) -> Iterator[tuple[str, FoundValue]]:
    for setting in TABLE:
        text = environ.get(setting.variable)
        if text is None or (not text.strip() and not setting.blank):
            continue
        texts = tuple(part.strip() for part in text.split(",")) if setting.many else (text.strip(),)
        yield setting.name, FoundValue(texts=texts, origin=_variable(setting))


def _variable(setting: Setting) -> Origin:
    return Origin(place="variable", name=setting.variable)


def _file_keys(document: Mapping[str, Any], path: Path) -> dict[str, FoundValue]:
    known = {setting.name: setting for setting in TABLE if setting.in_file}
    tables = (index_tables.KEY, team_tables.KEY)
    for key in document.keys() - known.keys() - set(tables):
        raise setting_values.unknown_key(key, [*known, *tables], path)
    plain = {key: value for key, value in document.items() if key not in tables}
    return dict(setting_values.of_table(plain, known, path))


def _both_or_neither(
    values: Mapping[str, object], origins: Mapping[str, Origin], one: str, other: str
) -> None:
    for present, absent in ((one, other), (other, one)):
        if values[present] is not None and values[absent] is None:
            raise GateError(
                "setting-invalid",
                f"{origins[present]} is set, but `{absent}` is not",
                f"Set both `{BY_NAME[present].flag}` and `{BY_NAME[absent].flag}`, or neither.",
            )


def _one_or_several(origins: Mapping[str, Origin], file: Path) -> None:
    """Raise GateError where the one upstream and several indexes are both set."""
    for name, own in _OF_ONE.items():
        if origins[name].place != "default":
            raise GateError(
                "indexes-and-upstream",
                f"{origins[name]} is set, and `{file}` names several indexes",
                f"Leave `{name}` out, or the `[[index]]` tables: each of them has"
                f" {own} of its own.",
            )


def _unknown_variables(environ: Mapping[str, str], named: list[str]) -> Iterator[str]:
    known = [setting.variable for setting in TABLE]
    for name in sorted(environ):
        if name.startswith("INDEXGATE_") and name not in known and name not in named:
            hint = setting_values.nearest(name, known)
            yield f"variable `{name}` is not a setting and is ignored{'. ' + hint if hint else ''}"
