"""What one line of a requirements file says."""

import re
from typing import TypeAlias

from msgspec import Struct
from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

from indexgate.errors import GateError
from indexgate.redact import redact
from indexgate.requirements.options import LineOptions, WrongOption, read_options

_URL = re.compile(r"(?:https?|ftp|file|(?:git|hg|svn|bzr)\+[a-z+]+|git|hg|svn|bzr):", re.IGNORECASE)
_ARCHIVES = (
    ".whl", ".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tlz",
    ".tar.lz", ".tar.lzma",
)  # fmt: skip
_FROM_ADDRESS = "it is taken from an address and asks no index"
_SHOWN = 200


class Wanted(Struct, frozen=True, kw_only=True):
    """A requirement that an index is asked for.

    `hashes` are those of the line, `algorithm:digest`, empty for none; `place` is `FILE:LINE` or
    `command line`.
    """

    requirement: Requirement
    hashes: frozenset[str]
    place: str

    @property
    def name(self) -> NormalizedName:
        """The project's normalised name."""
        return canonicalize_name(self.requirement.name)


class Elsewhere(Struct, frozen=True, kw_only=True):
    """A requirement that asks no index: an address, a path, a checkout, a list far away.

    `name` is the project where the line tells it, `reason` a clause on why it cannot be judged.
    """

    text: str
    reason: str
    place: str
    name: NormalizedName | None = None
    marker: Marker | None = None


class Nested(Struct, frozen=True, kw_only=True):
    """A line that reads another file, as requirements or as constraints."""

    path: str
    constraint: bool
    place: str


class Ordered(Struct, frozen=True, kw_only=True):
    """A line of options only, which hold for the whole run of pip."""

    options: LineOptions
    place: str


Entry: TypeAlias = Wanted | Elsewhere | Nested | Ordered


def read_line(line: str, place: str) -> Entry:
    """Read a logical line. Raises GateError `requirements-line`.

    As for pip, the options begin at the first word with a dash; on a line with a requirement only
    `--hash` counts, and of several files on one line only the first.
    """
    words = line.split(" ")
    first = next((n for n, word in enumerate(words) if word.startswith("-")), len(words))
    asked = " ".join(words[:first]).strip()
    try:
        options = read_options(" ".join(words[first:]))
    except WrongOption as error:
        raise _wrong(line, place, str(error)) from error
    if asked:
        return _requirement(asked, options, place)
    if options.editables:
        return _editable(options.editables[0], place)
    if options.requirements:
        return Nested(path=options.requirements[0], constraint=False, place=place)
    if options.constraints:
        return Nested(path=options.constraints[0], constraint=True, place=place)
    return Ordered(options=options, place=place)


def is_address(text: str) -> bool:
    """Tell whether *text* begins as an address, of the kinds that pip knows."""
    return _URL.match(text) is not None


def _requirement(text: str, options: LineOptions, place: str) -> Wanted | Elsewhere:
    if is_address(text):
        return _address(text, place)
    bare = text.partition(";")[0].strip()
    if "@" not in bare and bare.partition("[")[0].lower().endswith(_ARCHIVES):
        return Elsewhere(text=text, reason="it is a file on this machine", place=place)
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        if bare.startswith(".") or ("@" not in bare and ("/" in bare or "\\" in bare)):
            return Elsewhere(text=text, reason="it is a path on this machine", place=place)
        first = str(error).partition("\n")[0].strip()
        raise _wrong(text, place, first[:1].lower() + first[1:]) from error
    if requirement.url is not None:
        return Elsewhere(
            text=redact(text),
            reason=_FROM_ADDRESS,
            place=place,
            name=canonicalize_name(requirement.name),
            marker=requirement.marker,
        )
    return Wanted(requirement=requirement, hashes=frozenset(options.hashes), place=place)


def _editable(text: str, place: str) -> Elsewhere:
    if is_address(text):
        return _address(text, place)
    return Elsewhere(text=f"-e {text}", reason="it is a path on this machine", place=place)


def _address(text: str, place: str) -> Elsewhere:
    named = re.search(r"#(?:.*&)?egg=([A-Za-z0-9][A-Za-z0-9._-]*)", text)
    return Elsewhere(
        text=redact(text),
        reason=_FROM_ADDRESS,
        place=place,
        name=canonicalize_name(named[1]) if named else None,
    )


def _wrong(line: str, place: str, reason: str) -> GateError:
    shown = ascii(redact(line)[:_SHOWN])[1:-1]
    return GateError(
        "requirements-line",
        f"`{shown}` ({place}) is not a line that pip reads: {ascii(reason)[1:-1]}",
        "Write a requirement such as `requests==2.32.3`, or an option that pip reads in a file.",
    )
