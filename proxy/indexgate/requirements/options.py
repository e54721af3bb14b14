"""The options that a line of a requirements file may carry.

They are read by `optparse`, as pip reads them: it decides what an abbreviation, a joined value
(`-rother.txt`) or a word left over means, and a check must not read a line otherwise than pip.
"""

import optparse
import shlex
from typing import NoReturn

from msgspec import Struct, field

STRONG_HASHES = ("sha256", "sha384", "sha512")

_ONE: tuple[tuple[str, ...], ...] = (("-i", "--index-url", "--pypi-url"),)
_MANY: tuple[tuple[str, ...], ...] = (
    ("-r", "--requirement"),
    ("-c", "--constraint"),
    ("-e", "--editable"),
    ("-f", "--find-links"),
    ("--extra-index-url",),
    ("--trusted-host",),
    ("--no-binary",),
    ("--only-binary",),
    ("--all-releases",),
    ("--only-final",),
    ("--use-feature",),
    ("--hash",),
    ("-C", "--config-settings", "--config-setting"),
    ("--global-option",),
    ("--install-option",),
)
_SWITCHES: tuple[tuple[str, ...], ...] = (
    ("--no-index",),
    ("--pre",),
    ("--prefer-binary",),
    ("--require-hashes",),
    ("--no-require-hashes",),
    ("-Z", "--always-unzip"),
)


class WrongOption(ValueError):
    """Options that pip would not read; the message is a clause."""


class LineOptions(Struct, frozen=True, kw_only=True):
    """What the options of one line say, as far as it matters which files are asked for, and where.

    `hashes` are `algorithm:digest` in lower case; `picks` the `--no-binary` and `--only-binary` as
    they were written.
    """

    requirements: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    editables: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    prereleases: bool = False
    picks: tuple[str, ...] = field(default=())


def read_options(text: str) -> LineOptions:
    """Read the options in *text*. Raises WrongOption."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise WrongOption(f"its quotes do not match ({str(error).lower()})") from error
    found, _ = _parser().parse_args(words)
    return LineOptions(
        requirements=tuple(found.requirement),
        constraints=tuple(found.constraint),
        editables=tuple(found.editable),
        hashes=tuple(_hash(each) for each in found.hash),
        index_url=found.index_url,
        extra_index_urls=tuple(found.extra_index_url),
        find_links=tuple(found.find_links),
        no_index=bool(found.no_index),
        prereleases=bool(found.pre) or ":all:" in found.all_releases,
        picks=(
            *(f"--no-binary {each}" for each in found.no_binary),
            *(f"--only-binary {each}" for each in found.only_binary),
        ),
    )


class _Parser(optparse.OptionParser):
    def error(self, msg: str) -> NoReturn:
        raise WrongOption(msg)


def _parser() -> _Parser:
    parser = _Parser(add_help_option=False)
    for names in _ONE:
        parser.add_option(*names, dest=_dest(names), default=None)
    for names in _MANY:
        parser.add_option(*names, dest=_dest(names), action="append", default=[])
    for names in _SWITCHES:
        parser.add_option(*names, dest=_dest(names), action="store_true", default=False)
    return parser


def _dest(names: tuple[str, ...]) -> str:
    long = next(name for name in names if name.startswith("--"))
    return long.removeprefix("--").replace("-", "_")


def _hash(text: str) -> str:
    algorithm, colon, digest = text.partition(":")
    if not colon or not digest:
        raise WrongOption("a hash is written `sha256:` and the digest")
    if algorithm not in STRONG_HASHES:
        raise WrongOption(f"its hash is none of {', '.join(STRONG_HASHES)}")
    return f"{algorithm}:{digest.lower()}"
