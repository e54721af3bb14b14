"""What the file names of a page tell, most of them at once.

To read name by name takes as long as all else that is done with a page. But nearly all names are
`project-1.0-tags.whl`, or `project-1.0.tar.gz` or `.zip`, in which project and version can be read
in one way only. The others are left to `parse`.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from packaging.utils import NormalizedName, canonicalize_version

from indexgate.simple.filename import pep440
from indexgate.simple.projects import valid_name

# A version in its normal form, but for zeros at the end; and lines that are none.
_PLAIN = r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))*"
_is_plain = re.compile(_PLAIN).fullmatch
_others = re.compile(rf"^(?!{_PLAIN}$).*$", re.MULTILINE).findall


def plain_versions(names: Sequence[str], project: NormalizedName) -> list[str]:
    """Return the version of each name that tells it, and *project*, without doubt; "" of others.

    The versions are PEP 440, as the names have them. Of such a name every reading says so: it is
    `parse`'s, it `belongs` to the project, and the project is the first of its `candidates`.
    """
    at = len(project) + 1
    starts = {name[:at] for name in names}
    # A spelling with another number of dashes and dots is rare enough to be read by itself.
    good = {start for start in starts if start[-1:] == "-" and valid_name(start[:-1]) == project}
    wheels = {start for start in good if "-" not in start[:-1]}
    if wheels == starts:  # as nearly always
        rests = [name[at:] for name in names]
    else:
        rests = [
            name[at:] if name[:at] in (wheels if name[-4:] == ".whl" else good) else ""
            for name in names
        ]
    texts = [
        rest.partition("-")[0]
        if rest[-4:] == ".whl"
        else rest[:-7]
        if rest[-7:] == ".tar.gz"
        else rest[:-4]
        if rest[-4:] == ".zip"
        else ""
        for rest in rests
    ]
    # The end of a local version, or a platform: `1.0+local.win32`.
    forms = normal_forms(texts)
    doubtful = {text for text, form in forms.items() if form is None or text[-6:] == ".win32"}
    if not doubtful:
        return texts
    return ["" if text in doubtful else text for text in texts]


def normal_forms(versions: Iterable[str]) -> dict[str, str | None]:
    """Return what `normal` returns of each of *versions*."""
    texts = set(versions)
    lines = "\n".join(texts)
    odd = texts if lines.count("\n") >= len(texts) else frozenset(_others(lines))
    return {text: normal(text) if text in odd or text[-2:] == ".0" else text for text in texts}


@lru_cache(maxsize=8192)  # `1.0.0` is a version of nearly every project
def normal(version: str) -> str | None:
    """Return *version* in the form that equal versions share; None when it is not PEP 440.

    Nor one with a dash: that stands for a post release, or parts the version from the project.
    """
    if _is_plain(version):  # as most are: in a tenth of the time
        while version[-2:] == ".0":
            version = version[:-2]
        return version
    parsed = None if "-" in version else pep440(version)
    return None if parsed is None else canonicalize_version(parsed)
