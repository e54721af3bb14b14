"""The settings in force: flags over variables over the file over defaults, each with its origin.

Pure over its arguments; the one edge is `read_bounded`, which callers pass in.
"""

import difflib
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, TypeAlias

from indexgate import setting_kinds
from indexgate.errors import GateError
from indexgate.redact import redact
from indexgate.settings_table import BY_NAME, TABLE, Setting

Given: TypeAlias = str | bool | tuple[str, ...] | None
LARGEST_FILE = 256 * 1024  # bytes; a hundred times what all settings with comments need


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a value came from; `str` of it reads well in a sentence."""

    place: Literal["flag", "variable", "file", "default"]
    name: str
    file: Path | None = None

    def __str__(self) -> str:
        match self.place:
            case "file":
                return f"key `{self.name}` in `{self.file}`"
            case "default":
                return f"default of `{self.name}`"
            case _:
                return f"{self.place} `{self.name}`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting, read and checked. Sizes are bytes.

    `upstream` and `osv_url` may hold credentials: print them through `redact` only. `public_url` is
    canonical, holds none and ends with a slash. `policy` is a shipped policy's
    name or a path. `osv_url` is None when no advisories are wanted. `sources` are names of
    `source_offers`, `auto` or `none`; `private_names` are globs of normalised names. `origins` has
    every setting's origin, `notices` what the user should hear at start.
    """

    config: Path | None
    host: str
    port: int
    upstream: str | None = field(repr=False)
    policy: str
    state: Path
    presentation: Literal["explain", "hide"]
    public_url: str | None = field(repr=False)
    allow_host: tuple[str, ...]
    tls_cert: Path | None
    tls_key: Path | None
    offline: bool
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
    log_format: Literal["text", "json"]
    log_level: Literal["debug", "info", "warning", "error"]
    origins: Mapping[str, Origin]
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """The text of one setting where it was found; several of a setting that may be repeated."""

    texts: tuple[str, ...]
    origin: Origin


def load(
    given: Mapping[str, Given],
    environ: Mapping[str, str],
    read_file: Callable[[Path], bytes],
    *,
    default_state: Path,
) -> Settings:
    """Return the settings in force.

    *given* holds the command line's values by setting name (None or an empty tuple: not given).
    Raises GateError: `setting-invalid`, `setting-unknown`, `settings-file`.
    """
    flags = dict(_flags(given))
    variables = dict(_variables(environ))
    config = _value(BY_NAME["config"], flags.get("config") or variables.get("config"))
    keys = _file_keys(config, read_file) if isinstance(config, Path) else {}
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for setting in TABLE:
        found = (
            flags.get(setting.name)
            or variables.get(setting.name)
            or keys.get(setting.name)
            or _default(setting)
        )
        values[setting.name] = _value(setting, found)
        origins[setting.name] = found.origin
    values["state"] = values["state"] or default_state
    _both_or_neither(values, origins, "tls_cert", "tls_key")
    return Settings(**values, origins=origins, notices=tuple(_unknown_variables(environ)))


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


def _flags(given: Mapping[str, Given]) -> Iterator[tuple[str, _Found]]:
    for name, value in given.items():
        if value is None or value == ():
            continue
        texts = value if isinstance(value, tuple) else (_text(value),)
        yield name, _Found(texts=texts, origin=Origin(place="flag", name=BY_NAME[name].flag))


def _variables(environ: Mapping[str, str]) -> Iterator[tuple[str, _Found]]:
    for setting in TABLE:
        text = environ.get(setting.variable)
        if text is None or (not text.strip() and not setting.blank):
            continue
        texts = tuple(part.strip() for part in text.split(",")) if setting.many else (text.strip(),)
        yield setting.name, _Found(texts=texts, origin=_variable(setting))


def _variable(setting: Setting) -> Origin:
    return Origin(place="variable", name=setting.variable)


def _file_keys(path: Path, read_file: Callable[[Path], bytes]) -> dict[str, _Found]:
    found: dict[str, _Found] = {}
    known = [setting.name for setting in TABLE if setting.in_file]
    for key, value in toml_document(path, read_file).items():
        if key not in known:
            raise GateError(
                "setting-unknown",
                f"`{key}` in `{path}` is not a setting",
                _nearest(key, known) or "See `indexgate serve --help` for the settings.",
            )
        origin = Origin(place="file", name=key, file=path)
        setting = BY_NAME[key]
        members = value if setting.many and isinstance(value, list) else [value]
        # bool is an int to isinstance, and `port = true` is a mistake: compare the types themselves
        if any(type(member) not in setting.kind.written_as for member in members):
            raise _wrong(setting, origin, f"is a TOML {_toml_type(value)}")
        texts = tuple(_relative_to(path, setting, _text(member)) for member in members)
        found[key] = _Found(texts=texts, origin=origin)
    return found


def _relative_to(file: Path, setting: Setting, text: str) -> str:
    """Read paths in a settings file as relative to it, whatever the working folder is."""
    is_path = setting.kind.metavar == "PATH" or (setting.name == "policy" and _is_path(text))
    return (
        str(file.parent / setting_kinds.path(text))
        if is_path and text.isprintable() and text
        else text
    )


def _is_path(policy: str) -> bool:
    return "/" in policy or "\\" in policy or policy.endswith(".toml")


def _default(setting: Setting) -> _Found:
    texts = () if setting.default is None else (setting.default,)
    return _Found(texts=texts, origin=Origin(place="default", name=setting.name))


def _value(setting: Setting, found: _Found | None) -> object:
    if found is None or not found.texts:
        return () if setting.many else None
    values = tuple(_read(setting, text, found.origin) for text in found.texts)
    return values if setting.many else values[-1]


def _read(setting: Setting, text: str, origin: Origin) -> object:
    if not text and setting.blank:
        return None
    if not text:
        raise _wrong(setting, origin, "is empty")
    try:
        return setting.kind.read(text)
    except ValueError as error:
        if setting.secret:
            raise _wrong(setting, origin, "is not such a key") from None
        shown = redact(text) if text.isprintable() else ascii(redact(text)).strip("'")
        clause = f", and {error}" if str(error) else ""
        raise _wrong(setting, origin, f"is `{shown[:200]}`{clause}") from error


def _wrong(setting: Setting, origin: Origin, what: str) -> GateError:
    return GateError(
        "setting-invalid",
        f"{origin} {what}",
        f"Allowed for `{setting.name}`: {setting.kind.allowed}.",
    )


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


def _unknown_variables(environ: Mapping[str, str]) -> Iterator[str]:
    known = [setting.variable for setting in TABLE]
    for name in sorted(environ):
        if name.startswith("INDEXGATE_") and name not in known:
            hint = _nearest(name, known)
            yield f"variable `{name}` is not a setting and is ignored{'. ' + hint if hint else ''}"


def _nearest(word: str, known: list[str]) -> str:
    matches = difflib.get_close_matches(word.replace("-", "_"), known, n=1)
    return f"Did you mean `{matches[0]}`?" if matches else ""


def _toml_type(value: object) -> str:
    words = {bool: "boolean", int: "integer", float: "float", list: "array", dict: "table"}
    return words.get(type(value), type(value).__name__)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
