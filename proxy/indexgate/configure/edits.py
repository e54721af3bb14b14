"""What each kind of settings file has to say for its installer to ask the gate, and nothing else.

Pure: from a text and the gate's address to a new text and the addresses that stood there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from indexgate.configure import ini_text, toml_text
from indexgate.configure.hunks import NotByLines, ReadValues
from indexgate.configure.toml_text import Path

Form: TypeAlias = Literal[
    "pip", "uv", "uv-project", "poetry", "poetry-project", "pdm", "pdm-project", "pipenv"
]
"""A kind of settings file: the installer's own, or its part of a project's file."""

_NAME = "gate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """A new text, and the addresses in the old one that gave way to the gate's."""

    text: str
    replaced: tuple[str, ...] = field(default=(), repr=False)


def edit(form: Form, text: str, url: str) -> Edited:
    """Return *text* so that its installer asks the simple index at *url*.

    Raises ValueError for a text that its installer cannot read, or that cannot be changed line by
    line.
    """
    edited = _EDITS[form](text, url)
    return Edited(
        text=edited.text, replaced=tuple(old for old in edited.replaced if not _same(old, url))
    )


def value_reader(form: Form) -> ReadValues:
    """Return what reads the values of such a file."""
    return ini_text.values if form == "pip" else toml_text.values


def lines_by_hand(form: Form, url: str) -> str:
    """Return the lines to write where the gate cannot."""
    return {
        "pip": f"`index-url = {url}` under `[global]`",
        "uv": f'`url = "{url}"` and `default = true` in an `[[index]]`',
        "uv-project": f'`url = "{url}"` and `default = true` in a `[[tool.uv.index]]`',
        "poetry": f'`url = "{url}"` under `[plugins.pypi_mirror]`',
        "poetry-project": f'`url = "{url}"` in the one primary `[[tool.poetry.source]]`',
        "pdm": f'`url = "{url}"` under `[pypi]`',
        "pdm-project": f'`url = "{url}"` in the `[[tool.pdm.source]]` called `pypi`',
        "pipenv": f'`url = "{url}"` in the first `[[source]]`',
    }[form]


def _pip(text: str, url: str) -> Edited:
    replaced = tuple(ini_text.index_urls(text))
    return Edited(text=ini_text.with_index(text, url), replaced=replaced)


def _uv(text: str, url: str, base: Path = ()) -> Edited:
    """Put the gate in place of the default index, in whichever way that is written."""
    document = toml_text.document(text)
    replaced = []
    leads = False
    for table in (base, (*base, "pip")):
        old = toml_text.at(document, (*table, "index-url"))
        if isinstance(old, str):
            text = toml_text.with_key(text, table, "index-url", url)
            replaced.append(old)
            leads = leads or table == base
    array = (*base, "index")
    for number, index in enumerate(_tables(document, array)):
        if index.get("default") is True and isinstance(index.get("url"), str):
            replaced.append(index["url"])
            text = toml_text.with_element_key(text, array, number, "url", url)
            leads = True
    if not leads:
        text = toml_text.with_element(text, array, {"url": url, "default": True})
    return Edited(text=text, replaced=tuple(replaced))


def _uv_project(text: str, url: str) -> Edited:
    return _uv(text, url, ("tool", "uv"))


def _poetry(text: str, url: str) -> Edited:
    return _key(text, ("plugins", "pypi_mirror"), url)


def _poetry_project(text: str, url: str) -> Edited:
    """Put the gate in place of the first source that is asked for everything."""
    array = ("tool", "poetry", "source")
    sources = _tables(toml_text.document(text), array)
    for number, source in enumerate(sources):
        everything = source.get("priority", "primary") in {"primary", "default"}
        if not everything or source.get("secondary") is True:
            continue
        if not isinstance(source.get("url"), str):  # `PyPI` by its name: it would be asked too
            raise NotByLines
        text = toml_text.with_element_key(text, array, number, "url", url)
        return Edited(text=text, replaced=(source["url"],))
    if any(source.get("name") == _NAME for source in sources):
        raise NotByLines
    element: Mapping[str, str | bool] = {"name": _NAME, "url": url, "priority": "primary"}
    return Edited(text=toml_text.with_element(text, array, element))


def _pdm(text: str, url: str) -> Edited:
    return _key(text, ("pypi",), url)


def _pdm_project(text: str, url: str) -> Edited:
    """Put the gate in place of the source called `pypi`, which stands above PDM's own settings."""
    array = ("tool", "pdm", "source")
    for number, source in enumerate(_tables(toml_text.document(text), array)):
        if source.get("name") == "pypi" and isinstance(source.get("url"), str):
            text = toml_text.with_element_key(text, array, number, "url", url)
            return Edited(text=text, replaced=(source["url"],))
    element: Mapping[str, str | bool] = {"name": "pypi", "url": url, "verify_ssl": True}
    return Edited(text=toml_text.with_element(text, array, element))


def _pipenv(text: str, url: str) -> Edited:
    """Put the gate in place of the first source, which is what pipenv asks by default."""
    sources = _tables(toml_text.document(text), ("source",))
    if not sources:
        element: Mapping[str, str | bool] = {"url": url, "verify_ssl": True, "name": "pypi"}
        return Edited(text=toml_text.with_element(text, ("source",), element))
    if not isinstance(sources[0].get("url"), str):
        raise NotByLines
    text = toml_text.with_element_key(text, ("source",), 0, "url", url)
    return Edited(text=text, replaced=(sources[0]["url"],))


def _key(text: str, table: Path, url: str) -> Edited:
    old = toml_text.at(toml_text.document(text), (*table, "url"))
    replaced = (old,) if isinstance(old, str) else ()
    return Edited(text=toml_text.with_key(text, table, "url", url), replaced=replaced)


def _tables(document: Mapping[str, Any], array: Path) -> list[Mapping[str, Any]]:
    found = toml_text.at(document, array)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(each, Mapping) for each in found):
        raise NotByLines
    return found


def _same(one: str, other: str) -> bool:
    return one.rstrip("/") == other.rstrip("/")


_EDITS: Mapping[Form, Callable[[str, str], Edited]] = {
    "pip": _pip,
    "uv": _uv,
    "uv-project": _uv_project,
    "poetry": _poetry,
    "poetry-project": _poetry_project,
    "pdm": _pdm,
    "pdm-project": _pdm_project,
    "pipenv": _pipenv,
}
