"""What the name of a release file tells: project, version and kind.

Wheels say it plainly (PEP 427, and the variant label of the PEP 825 draft). Old sdists may carry
dashes in the project and in the version, so one name can be read in several ways; a reading whose
version is PEP 440 is better than one whose version merely starts with a digit, and that is better
than any other.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

import msgspec
from packaging.utils import NormalizedName
from packaging.version import InvalidVersion, Version

from indexgate.simple.projects import valid_name
from indexgate_policy.subject import Kind

SDIST_ENDINGS = (".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz", ".tar.z", ".tar")
OTHER_ENDINGS = (".egg", ".exe", ".msi", ".rpm", ".deb", ".dmg", "-variants.json")
ENDINGS = (".whl", *SDIST_ENDINGS, *OTHER_ENDINGS)

# What old builders put between version and ending: `.win32-py2.7`, `.linux-x86_64`, `-1.noarch`.
_PLATFORM = re.compile(
    r"(?:[.-](?:win32|win-\w+|linux-\w+|macosx-[\d.]+-\w+)|-\d+\.(?:noarch|src|x86_64|i\d86))"
    r"(?:-py\d[\d.]*)?\Z",
    re.ASCII,
)
_VERSION_LIKE = re.compile(r"v?[0-9]", re.IGNORECASE)
_MOST_DASHES = 24


class Named(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a file name tells.

    `version` is the text as the name carries it, `parsed` its PEP 440 form where it has one;
    `project` and `version` are None when the name has no such parts.
    """

    project: NormalizedName | None
    version: str | None
    parsed: Version | None
    kind: Kind


def parse(filename: str, project: NormalizedName | None = None) -> Named:
    """Read *filename*; *project*, if given, decides between readings that are equally good."""
    if (quick := _modern(filename)) is not None:
        return quick
    kind, readings = _readings(filename)
    if not readings:
        return Named(project=None, version=None, parsed=None, kind=kind)
    best = readings[0]
    for reading in readings:
        if reading[1] == project and reading[0] == best[0]:
            best = reading
            break
    _, name, version = best
    return Named(project=name, version=version, parsed=pep440(version), kind=kind)


def _modern(filename: str) -> Named | None:
    """Read a name that today's builders write, and that can be read in one way only."""
    head, _, rest = filename.partition("-")
    kind: Kind = "sdist"
    if filename.endswith(".whl"):
        kind, version = "wheel", rest.partition("-")[0]
    elif filename.endswith(".tar.gz") and "-" not in rest:
        version = rest[: -len(".tar.gz")]
    else:
        return None
    name, parsed = valid_name(head), pep440(version)
    if name is None or parsed is None:
        return None
    return Named(project=name, version=version, parsed=parsed, kind=kind)


def candidates(filename: str) -> tuple[NormalizedName, ...]:
    """Return every project that *filename* could belong to, the most likely one first."""
    return tuple(dict.fromkeys(name for _, name, _ in _readings(filename)[1]))


def belongs(filename: str, project: NormalizedName) -> bool:
    """Tell whether *filename* can be a file of *project*; one that cannot be read may be.

    False when another project's reading of the name is better than this project's.
    """
    head, _, rest = filename.partition("-")
    if valid_name(head) == project and (filename.endswith(".whl") or "-" not in rest):
        return True
    named = parse(filename, project)
    return named.project is None or named.project == project


@lru_cache(maxsize=16_384)
def pep440(text: str) -> Version | None:
    """Return *text* as a PEP 440 version, None when it is not one."""
    try:
        return Version(text)
    except (InvalidVersion, ValueError):  # ValueError: more digits than Python turns into an int
        return None


def _readings(filename: str) -> tuple[Kind, list[tuple[int, NormalizedName, str]]]:
    """Return the kind and all (rank, project, version) readings, the best one first."""
    lower = filename.lower()
    if lower.endswith(".whl"):
        return "wheel", _plain(filename[:-4])
    if lower.endswith((".egg", "-variants.json")):
        return "other", _plain(filename.removesuffix("-variants.json"))
    ending = next((e for e in ENDINGS if lower.endswith(e)), "")
    if not ending:
        return "other", []
    stem = filename[: -len(ending)]
    built = _PLATFORM.search(stem)
    kind: Kind = "sdist" if ending in SDIST_ENDINGS and built is None else "other"
    readings = list(_splits(stem[: built.start()] if built else stem))
    readings.sort(key=lambda reading: reading[0])
    return kind, readings


def _plain(stem: str) -> list[tuple[int, NormalizedName, str]]:
    """Read a name whose parts are free of dashes: the project, the version, and then tags."""
    head, *rest = stem.split("-", 2)
    name = valid_name(head)
    return [(0, name, rest[0].removesuffix(".egg"))] if name and rest and rest[0] else []


def _splits(stem: str) -> Iterator[tuple[int, NormalizedName, str]]:
    """Yield every way to cut *stem* at a dash, last dash first (as `packaging` cuts)."""
    at = len(stem)
    for _ in range(_MOST_DASHES):
        at = stem.rfind("-", 0, at)
        if at < 0:
            return
        name, version = valid_name(stem[:at]), stem[at + 1 :]
        if name is not None and version:
            yield _rank(version), name, version


def _rank(version: str) -> int:
    if pep440(version) is not None:
        return 0
    return 1 if _VERSION_LIKE.match(version) else 2
