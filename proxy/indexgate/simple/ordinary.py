"""Whether a page is ordinary through and through, so that its files are taken as they stand.

Looking at thousands of files one by one costs more than decoding them. These tests look at all of
them joined to one text, which takes a few passes in C; one odd file and the page is read with care.
"""

import string
from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import UNSET
from packaging.utils import NormalizedName

from indexgate.simple import claims
from indexgate.simple.projects import valid_name
from indexgate.simple.wire import File

_LONGEST_FILENAME = 255
_SHA256_DIGITS = 64
_HEX = b"0123456789abcdef"
_IN_NAMES = (string.ascii_letters + string.digits + "._+!-").encode()
_IN_URLS = _IN_NAMES + b"/:~$'()*,;="
_TIMES = {len("yyyy-mm-ddThh:mm:ssZ"), len("yyyy-mm-ddThh:mm:ss.ffffffZ")}


def ordinary(files: Sequence[File], project: NormalizedName) -> bool:
    """Tell whether every claim of every file would be believed as it stands."""
    return (
        _named_well([file.filename for file in files], project)
        and _addressed_well([file.url for file in files])
        and _addressed_well([file.provenance for file in files if file.provenance])
        and _hashed_well(file.hashes for file in files)
        and _hashed_well(c for f in files if isinstance(c := f.core_metadata, dict))
        and not any(_older_name_counts(file) for file in files)
        and _timed_well(files)
    )


def _named_well(names: Sequence[str], project: NormalizedName) -> bool:
    if not _made_of(_IN_NAMES, names) or ".." in "/".join(names):
        return False
    if len(set(names)) < len(names) or max(map(len, names), default=0) > _LONGEST_FILENAME:
        return False
    if any(name[-4:] != ".whl" and name.count("-") > 1 for name in names):
        return False
    return all(valid_name(head) == project for head in {name.partition("-")[0] for name in names})


def _addressed_well(urls: Sequence[str]) -> bool:
    if not _made_of(_IN_URLS, urls) or "/." in "".join(urls):
        return False
    starts = {url[: url.find("/", len("https://")) + 1] for url in urls}
    return all(claims.is_plain_url(start) for start in starts)


def _hashed_well(claimed: Iterable[dict[str, str]]) -> bool:
    digests = [hashes.get("sha256", "") if len(hashes) == 1 else "" for hashes in claimed]
    return set(map(len, digests)) <= {_SHA256_DIGITS} and _made_of(_HEX, digests)


def _made_of(characters: bytes, texts: Iterable[str]) -> bool:
    return not "".join(texts).encode(errors="replace").translate(None, characters)


def _older_name_counts(file: File) -> bool:
    if file.core_metadata is not UNSET and file.core_metadata is not None:
        return False
    return file.dist_info_metadata is not UNSET or file.data_dist_info_metadata is not UNSET


def _timed_well(files: Iterable[File]) -> bool:
    try:
        for file in files:
            time = file.upload_time
            if time is UNSET:
                continue
            datetime.fromisoformat(time)
            if len(time) not in _TIMES or time[4:11:3] != "--T":
                return False
            if time[-1] != "Z":
                return False
    except ValueError:
        return False
    return True
