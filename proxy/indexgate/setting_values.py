"""One value of a setting: where it was found, what it means, and what is said of a wrong one."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from indexgate import setting_kinds
from indexgate.errors import GateError
from indexgate.redact import redact
from indexgate.settings_table import Setting


class Origin(Struct, frozen=True, kw_only=True):
    """Where a value came from; `str` of it reads well in a sentence.

    `table` is the table of the file that the key stands in, if it stands in one.
    """

    place: Literal["flag", "variable", "file", "default"]
    name: str
    file: Path | None = None
    table: str = ""

    def __str__(self) -> str:
        match self.place:
            case "file":
                table = f" of {self.table}" if self.table else ""
                return f"key `{self.name}`{table} in `{self.file}`"
            case "default":
                return f"default of `{self.name}`"
            case _:
                return f"{self.place} `{self.name}`"


class FoundValue(Struct, frozen=True, kw_only=True):
    """The text of one setting where it was found; several of a setting that may be repeated."""

    texts: tuple[str, ...]
    origin: Origin


def of_table(
    table: Mapping[str, Any], settings: Mapping[str, Setting], file: Path, *, name: str = ""
) -> Iterator[tuple[str, FoundValue]]:
    """Yield what the TOML *table* (called *name*) of *file* has for *settings*, by name.

    Raises GateError `setting-unknown`, `setting-invalid`.
    """
    for key, value in table.items():
        setting = settings.get(key)
        if setting is None:
            raise unknown_key(key, settings, file, name)
        origin = Origin(place="file", name=key, file=file, table=name)
        members = value if setting.many and isinstance(value, list) else [value]
        # bool is an int to isinstance, and `port = true` is a mistake: compare the types themselves
        if any(type(member) not in setting.kind.written_as for member in members):
            raise wrong(setting, origin, f"is a TOML {toml_type(value)}")
        texts = tuple(_relative_to(file, setting, as_text(member)) for member in members)
        yield key, FoundValue(texts=texts, origin=origin)


def value(setting: Setting, found: FoundValue | None) -> object:
    """Return what was *found*, read; None, or an empty tuple, if nothing was. Raises GateError."""
    if found is None or not found.texts:
        return () if setting.many else None
    values = tuple(_read(setting, text, found.origin) for text in found.texts)
    return values if setting.many else values[-1]


def default(setting: Setting) -> FoundValue:
    """Return the default of *setting*, as if it had been found."""
    texts = () if setting.default is None else (setting.default,)
    return FoundValue(texts=texts, origin=Origin(place="default", name=setting.name))


def wrong(setting: Setting, origin: Origin, what: str) -> GateError:
    """Return the error about the value at *origin*; *what* is the end of its sentence."""
    return GateError(
        "setting-invalid",
        f"{origin} {what}",
        f"Allowed for `{setting.name}`: {setting.kind.allowed}.",
    )


def unknown_key(key: str, known: Iterable[str], file: Path, table: str = "") -> GateError:
    """Return the error about a *key* that is none, with the nearest of those that are *known*."""
    place = f"{table} in `{file}`" if table else f"`{file}`"
    kind = f"a key of {table}" if table else "a setting"
    listed = f"Keys: {', '.join(f'`{name}`' for name in known)}."
    others = listed if table else "See `indexgate serve --help` for the settings."
    return GateError(
        "setting-unknown", f"`{key}` in {place} is not {kind}", nearest(key, known) or others
    )


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a question with the one of *known* that *word* is nearest to, empty if none is."""
    matches = difflib.get_close_matches(word.replace("-", "_"), list(known), n=1)
    return f"Did you mean `{matches[0]}`?" if matches else ""


def toml_type(value: object) -> str:
    """Return what TOML calls the type of *value*."""
    words = {bool: "boolean", int: "integer", float: "float", list: "array", dict: "table"}
    return words.get(type(value), type(value).__name__)


def as_text(value: object) -> str:
    """Return *value* as a flag would have it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read(setting: Setting, text: str, origin: Origin) -> object:
    if not text and setting.blank:
        return None
    if not text:
        raise wrong(setting, origin, "is empty")
    try:
        return setting.kind.read(text)
    except ValueError as error:
        if setting.secret:
            raise wrong(setting, origin, "is not such a key") from None
        shown = redact(text) if text.isprintable() else ascii(redact(text)).strip("'")
        clause = f", and {error}" if str(error) else ""
        raise wrong(setting, origin, f"is `{shown[:200]}`{clause}") from error


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
