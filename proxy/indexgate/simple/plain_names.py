"""What the file names of a page tell, most of them at once.

To read name by name takes as long as all else that is done with a page. But nearly all names are
`project-1.0-tags.whl`, or `project-1.0.tar.gz` or `.zip`, in which project and version can be read
in one way only. The others are left to `parse`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from packaging.utils import NormalizedName, canonicalize_version

from indexgate.simple.filename import pep440
from indexgate.simple.projects import valid_name

# A version in its normal form, but for zeros at the end; and the lines that are one without any.
_PLAIN = r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))*"
_is_plain = re.compile(_PLAIN).fullmatch
_normal_lines = re.compile(rf"^{_PLAIN}$(?<!\.0)", re.MULTILINE).findall


class Versions(NamedTuple):
    """The version of each of some names, and of each of these texts what `normal` returns of it."""

    texts: Sequence[str]
    forms: Mapping[str, str | None]


def plain_versions(names: Sequence[str], project: NormalizedName) -> Versions:
    """Return the version of each name that tells it, and *project*, without doubt; "" of others.

    The versions are PEP 440, as the names have them. Of such a name every reading says so: it is
    `parse`'s, it `belongs` to the project, and the project is the first of its `candidates`.
    """
    at = len(project) + 1
    first = min(names, default="")[:at]
    # What stands between two others in the order of texts begins as both of them do.
    alike = max(names, default="")[:at] == first
    starts = {first} if alike else {name[:at] for name in names}
    # A spelling with another number of dashes and dots is rare enough to be read by itself.
    good = {start for start in starts if start[-1:] == "-" and valid_name(start[:-1]) == project}
    wheels = {start for start in good if "-" not in start[:-1]}
    if wheels != starts:
        names = [
            name if name[:at] in (wheels if name[-4:] == ".whl" else good) else "" for name in names
        ]
    texts = [
        name.split("-", 2)[1]
        if name[-4:] == ".whl"
        else name[at:-7]
        if name[-7:] == ".tar.gz"
        else name[at:-4]
        if name[-4:] == ".zip"
        else ""
        for name in names
    ]
    forms = normal_forms(texts)
    if None in forms.values():
        texts = ["" if forms[text] is None else text for text in texts]
        forms[""] = None
    return Versions(texts, forms)


def normal_forms(versions: Iterable[str]) -> dict[str, str | None]:
    """Return what `normal` returns of each of *versions*."""
    texts = set(versions)
    lines = _normal_lines("\n".join(texts))  # most are told by one pass
    forms: dict[str, str | None] = dict(zip(lines, lines, strict=True))
    for text in texts.difference(lines):
        forms[text] = normal(text)
    return forms


@lru_cache(maxsize=16_384)  # `1.0.0` is a version of nearly every project
def normal(version: str) -> str | None:
    """Return *version* in the form that equal versions share; None when it is in doubt.

    That is when it is not PEP 440, or has a dash, which stands for a post release, or parts the
    version from the project. And the end of a local version may be a platform: `1.0+local.win32`.
    """
    if _is_plain(version):  # in a tenth of the time
        while version[-2:] == ".0":
            version = version[:-2]
        return version
    doubtful = "-" in version or version[-6:] == ".win32"
    parsed = None if doubtful else pep440(version)
    return None if parsed is None else canonicalize_version(parsed)
