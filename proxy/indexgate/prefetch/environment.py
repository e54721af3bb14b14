"""For what environment an installer chooses files, read from its User-Agent.

pip and uv tell in JSON which Python they install for, on what system: what pip calls its user
agent, and linehaul reads. From that come the environment of markers (PEP 508) and the tags of
wheels that fit, the best first (PEP 425, 600, 656).
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

import msgspec
from msgspec import Struct
from packaging import tags
from packaging.version import InvalidVersion, Version

_LONGEST, _LONGEST_CPU = 2000, 40
# Each of them takes a good many tags to name, and anybody may claim any.
_NEWEST_PYTHON, _NEWEST_MACOS, _NEWEST_MACOS_10 = 40, 40, 16
_NEWEST_GLIBC_MINOR, _NEWEST_MUSL_MINOR = 60, 9
_LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
_WINDOWS = {"amd64": "win_amd64", "x86_64": "win_amd64", "x86": "win32", "arm64": "win_arm64"}
_SYS_PLATFORM = {"Linux": "linux", "Darwin": "darwin", "Windows": "win32"}


class Environment(Struct, frozen=True, kw_only=True, eq=False):
    """What files are chosen for.

    `markers` are the variables of PEP 508 without `extra`; `ranks` are the tags of wheels that fit,
    as `cp311-cp311-linux_x86_64`, each with its place: 0 is the best.
    """

    python: Version
    markers: Mapping[str, str]
    ranks: Mapping[str, int]


class _Named(msgspec.Struct, gc=False):
    name: str | None = None
    version: str | None = None


class _Libc(msgspec.Struct, gc=False):
    lib: str | None = None
    version: str | None = None


class _Distro(msgspec.Struct, gc=False):
    version: str | None = None
    libc: _Libc | None = None


class _System(msgspec.Struct, gc=False):
    name: str | None = None
    release: str | None = None


class _Told(msgspec.Struct, gc=False):
    python: str
    cpu: str
    system: _System
    implementation: _Named
    distro: _Distro | None = None


_decoder = msgspec.json.Decoder(_Told)


@lru_cache(64)
def environment_of(user_agent: str) -> Environment | None:
    """Return the environment that *user_agent* tells; None where it tells too little."""
    _, _, told = user_agent[:_LONGEST].partition(" ")
    try:
        found = _decoder.decode(told)
        python = Version(found.python)
    except (msgspec.MsgspecError, InvalidVersion, UnicodeEncodeError):
        return None
    if found.system.name not in _SYS_PLATFORM or len(found.cpu) > _LONGEST_CPU:
        return None
    if len(python.release) < 2 or max(python.release[:2]) > _NEWEST_PYTHON:
        return None
    return Environment(python=python, markers=_markers(found, python), ranks=_ranks(found, python))


def _markers(told: _Told, python: Version) -> dict[str, str]:
    system, implementation = told.system.name or "", told.implementation.name or "CPython"
    return {
        "implementation_name": implementation.lower(),
        "implementation_version": told.implementation.version or told.python,
        "os_name": "nt" if system == "Windows" else "posix",
        "platform_machine": told.cpu,
        "platform_python_implementation": implementation,
        "platform_release": told.system.release or "",
        "platform_system": system,
        "platform_version": "",
        "python_full_version": told.python,
        "python_version": f"{python.major}.{python.minor}",
        "sys_platform": _SYS_PLATFORM[system],
    }


def _ranks(told: _Told, python: Version) -> dict[str, int]:
    release = (python.major, python.minor)
    platforms = list(_platforms(told))
    version = f"{python.major}{python.minor}"
    found: Iterable[tags.Tag] = ()
    interpreter = None
    if told.implementation.name == "CPython":
        interpreter = f"cp{version}"
        found = tags.cpython_tags(release, [interpreter], platforms)
    ranks: dict[str, int] = {}
    for tag in (*found, *tags.compatible_tags(release, interpreter, platforms)):
        ranks.setdefault(str(tag), len(ranks))
    return ranks


def _platforms(told: _Told) -> Iterator[str]:
    """Yield the platforms whose wheels fit, the best first."""
    cpu, distro = told.cpu, told.distro or _Distro()
    if told.system.name == "Windows":
        yield _WINDOWS.get(cpu.lower(), "win_unknown")
    elif told.system.name == "Darwin":
        major, minor = _pair(distro.version, (11, 0))
        minor = min(minor, _NEWEST_MACOS_10) if major < 11 else 0
        yield from tags.mac_platforms((min(major, _NEWEST_MACOS), minor), cpu)
    else:
        yield from _linux(cpu, distro.libc or _Libc())


def _linux(cpu: str, libc: _Libc) -> Iterator[str]:
    yield f"linux_{cpu}"
    if libc.lib == "musl":
        _, newest = _pair(libc.version, (1, 0))
        for minor in range(min(newest, _NEWEST_MUSL_MINOR), -1, -1):
            yield f"musllinux_1_{minor}_{cpu}"
    else:
        _, newest = _pair(libc.version, (2, 17))
        oldest = 5 if cpu in {"x86_64", "i686"} else 17
        for minor in range(min(newest, _NEWEST_GLIBC_MINOR), oldest - 1, -1):
            yield f"manylinux_2_{minor}_{cpu}"
            if minor in _LEGACY:
                yield f"{_LEGACY[minor]}_{cpu}"


def _pair(text: str | None, otherwise: tuple[int, int]) -> tuple[int, int]:
    major, _, rest = (text or "").partition(".")
    minor = rest.partition(".")[0]
    if not (major.isdecimal() and len(major) < 4 and len(minor) < 4):
        return otherwise
    return int(major), int(minor) if minor.isdecimal() else 0
