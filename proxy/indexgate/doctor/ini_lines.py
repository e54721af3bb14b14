"""The options of an INI file as pip reads it, each with the lines on which it stands."""

import configparser
import re
from collections.abc import Callable, Iterator
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
    section = ""
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        if found := _SECTION.match(line):
            section = found["name"]
        elif (found := _OPTION.match(line)) and parser.has_option(section, found["key"]):
            last = number
            while last < len(lines) and lines[last][:1] in {" ", "\t"} and lines[last].strip():
                last += 1
            key = found["key"].lower().replace("_", "-").removeprefix("--")
            value = parser.get(section, found["key"])
            yield Option(
                path=path, section=section, key=key, value=value.strip(), first=number, last=last
            )
