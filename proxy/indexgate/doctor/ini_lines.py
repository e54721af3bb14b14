"""The options of an INI file as pip reads it, each with the lines on which it stands."""

import configparser
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_SECTION = re.compile(r"^\[(?P<name>.+)\]")
_OPTION = re.compile(r"^(?P<key>[^\s#;=:][^=:]*?)\s*[=:]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An option: `key` is in lower case with dashes; lines are counted from 1."""

    path: Path
    section: str
    key: str
    value: str = field(repr=False)
    first: int
    last: int


def read(path: Path, read_file: Callable[[Path], bytes]) -> tuple[Option, ...]:
    """Return the options of the file at *path*, none where there is no such file.

    Raises ValueError with a clause if it is there and cannot be read.
    """
    parser = configparser.RawConfigParser()
    try:
        text = read_file(path).decode("utf-8-sig")
        parser.read_string(text)
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise ValueError((error.strerror or type(error).__name__).lower()) from error
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8 text") from None
    except configparser.Error:
        raise ValueError("it is not a configuration file that pip can read") from None
    return tuple(_options(path, text, parser))


def _options(path: Path, text: str, parser: configparser.RawConfigParser) -> Iterator[Option]:
    for section, name, first, last in _placed(text.splitlines()):
        if parser.has_option(section, name):
            key = name.lower().replace("_", "-").removeprefix("--")
            value = parser.get(section, name).strip()
            yield Option(path=path, section=section, key=key, value=value, first=first, last=last)


def _placed(lines: Sequence[str]) -> Iterator[tuple[str, str, int, int]]:
    """Yield section, name, first and last line of each option.

    As configparser has it, a line that is further in than the option before goes on with it, blank
    lines and comments between or not.
    """
    section, name, first, last, level = "", "", 0, 0, 0
    for number, line in enumerate(lines, start=1):
        bare = line.strip()
        if not bare or bare.startswith(("#", ";")):
            continue
        indent = len(line) - len(line.lstrip())
        if name and indent > level:
            last = number
            continue
        if name:
            yield section, name, first, last
        level, name = indent, ""
        if found := _SECTION.match(bare):
            section = found["name"]
        elif found := _OPTION.match(bare):
            name, first, last = found["key"], number, number
    if name:
        yield section, name, first, last
