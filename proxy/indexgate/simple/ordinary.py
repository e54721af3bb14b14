"""Whether a page is ordinary through and through, so that its files are taken as they stand.

Looking at thousands of files one by one costs more than decoding them. These tests look at all of
them joined to one text, which takes a few passes in C; one odd file and the page is read with care.
Of a large page it is some hundreds at a time: other threads wait while a pass is under way.
"""

import string
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import repeat
from operator import eq
from urllib.parse import unquote

from msgspec import UNSET, Raw, UnsetType
from packaging.utils import NormalizedName

from indexgate.simple import claims
from indexgate.simple.filename import belongs
from indexgate.simple.ordinary_files import OrdinaryFiles, origin_in
from indexgate.simple.plain_names import plain_versions
from indexgate.simple.wire import File

_AT_ONCE = 400
_SHA256_DIGITS = 64
_HEX = b"0123456789abcdef"
_HASHES = (b'{"sha256":"', b'{"sha256": "')
_NULL = Raw(b"null")
_NOT_HASHES = {b"true", b"false", b"null"}
_IN_NAMES = (string.ascii_letters + string.digits + "._+!-").encode()
_ODD = b"?"  # what stands for every character that may not be there
_moment = datetime.fromisoformat
_TIMES = {b"0000-00-00T00:00:00.000000Z", b"0000-00-00T00:00:00Z"}


def _drawing(*strokes: str) -> bytes:
    """Return the table that draws all characters of a stroke as its first, and others as odd."""
    table = bytearray(_ODD * 256)
    for stroke in strokes:
        for character in stroke.encode():
            table[character] = ord(stroke[0])
    return bytes(table)


_DRAWN_URL = _drawing("a" + _IN_NAMES.decode() + ":~$'()*,;=", *"/.%\n")
_DRAWN_TIME = _drawing("0" + string.digits, *"-T:.Z\n")


def ordinary(
    files: Sequence[File], project: NormalizedName, *, known: bool = False
) -> OrdinaryFiles | None:
    """Return *files* as they stand if every claim of every one is believed; else None.

    Each one's address then ends in its name, and tells where the gate has it by its beginning. The
    older names of `core-metadata` are taken off: they say nothing else. If it is *known* that these
    very files are believed, as they were read before, they are not looked through again.
    """
    names = [file.filename for file in files]
    versions = plain_versions(names, project)
    if not known and not _believed(files, names, versions.texts, project):
        return None
    uploads = _uploads([file.upload_time for file in files], known=known)
    if uploads is None:
        return None
    for file in files:
        file.dist_info_metadata = file.data_dist_info_metadata = UNSET
    return OrdinaryFiles(files, names, versions, uploads)


def _believed(
    files: Sequence[File], names: Sequence[str], versions: Sequence[str], project: NormalizedName
) -> bool:
    return (
        all(
            _some_believed(files[start : start + _AT_ONCE], names[start : start + _AT_ONCE])
            for start in range(0, len(files), _AT_ONCE)
        )
        and len(set(names)) == len(names)
        and _all_belong(names, versions, project)
    )


def _some_believed(files: Sequence[File], names: Sequence[str]) -> bool:
    cores = [core for file in files if (core := file.core_metadata) is not UNSET]
    hashed = [core for core in cores if len(core) > len("false")]
    others = _others(cores) if len(hashed) < len(cores) else set()
    silent = len(cores) < len(files) or b"null" in others
    return (
        _named_well(names)
        and _addressed_well([file.url for file in files], names)
        and _is_plain([url for file in files if (url := file.provenance)])
        and _hashed_well([file.hashes for file in files])
        and _hashed_well(hashed)
        and others <= _NOT_HASHES
        and not (silent and any(_older_name_counts(file) for file in files if _says_nothing(file)))
    )


def _others(cores: Iterable[Raw]) -> set[bytes]:
    return set(b"\n".join([core for core in cores if len(core) <= len("false")]).split(b"\n"))


def _named_well(names: Sequence[str]) -> bool:
    text = "\n".join(names)
    return _made_of(_IN_NAMES, text, len(names)) and ".." not in text and "\n." not in f"\n{text}"


def _all_belong(names: Sequence[str], versions: Sequence[str], project: NormalizedName) -> bool:
    return "" not in versions or all(
        belongs(name, project) for name, version in zip(names, versions, strict=True) if not version
    )


def _addressed_well(urls: Sequence[str], names: Sequence[str]) -> bool:
    """Tell whether the addresses are plain, and each ends in the name that stands at its place.

    The names themselves, which make up much of the addresses, are known to be well.
    """
    folders = list(map(str.removesuffix, urls, names))
    if not any(map(eq, folders, urls)) and _is_plain(folders, end=b"/"):
        return True
    return _is_plain(urls) and all(
        url.endswith(end := f"/{name}") or unquote(url[url.rfind("/") :]) == end
        for url, name in zip(urls, names, strict=True)
    )


def _is_plain(urls: Sequence[str], *, end: bytes = b"") -> bool:
    """Tell whether nothing of the addresses must be quoted, resolved or cut off.

    And whether each has that *end*.
    """
    if not urls:
        return True
    looks = _looks(urls, _DRAWN_URL)
    text = b"\n".join(looks)
    if _ODD in text or b"/." in text or text.count(b"//") != len(looks):
        return False
    if not all(map(bytes.endswith, looks, repeat(end))):
        return False
    if b"%" in text and any(claims.address(url, url) != url for url in urls if "%" in url):
        return False
    # What stands between two others in the order of texts begins as both of them do.
    first = origin_in(min(urls))
    starts = {first} if max(urls).startswith(first) else set(map(origin_in, urls))
    return all(start == start.lower() and claims.is_plain_url(start) for start in starts)


def _looks(lines: Sequence[str], table: bytes) -> set[bytes]:
    """Return what each of *lines* looks like, drawn by *table*: most look alike.

    What holds of one of them holds of all that look so.
    """
    drawn = "\n".join(lines).encode(errors="replace").translate(table)
    first = drawn.partition(b"\n")[0]
    if drawn + b"\n" == (first + b"\n") * len(lines):
        return {first}
    each = drawn.split(b"\n")
    return set(each) if len(each) == len(lines) else {_ODD}  # one of them is two lines


def _made_of(characters: bytes, text: str, lines: int) -> bool:
    """Tell whether *text* is of so many lines, and these of nothing but *characters*."""
    rest = text.encode(errors="replace").translate(None, characters)
    return rest == b"\n" * (lines - 1)


def _hashed_well(claimed: Sequence[Raw]) -> bool:
    """Tell whether each is one sha256 and nothing else, all in the same layout."""
    text = b"".join(claimed)
    start = next((each for each in _HASHES if text.startswith(each)), b"")
    size = len(start) + _SHA256_DIGITS + len(b'"}')
    signs = (start + b'"}').translate(None, _HEX)
    # As many starts as objects, each closed at its place, and nothing but digits between.
    return not claimed or (
        start != b""
        and len(text) == size * len(claimed)
        and text.count(start) == len(claimed)
        and text[size - 1 :: size] == b"}" * len(claimed)
        and text.translate(None, _HEX) == signs * len(claimed)
    )


def _says_nothing(file: File) -> bool:
    core = file.core_metadata
    return core is UNSET or core == _NULL


def _older_name_counts(file: File) -> bool:
    return file.dist_info_metadata is not UNSET or file.data_dist_info_metadata is not UNSET


def _uploads(times: Sequence[str | UnsetType], *, known: bool) -> list[datetime | None] | None:
    """Return the moments, None where one is not told; None if any is in another form."""
    moments: list[datetime | None] = []
    for start in range(0, len(times), _AT_ONCE):
        some = times[start : start + _AT_ONCE]
        told = [time for time in some if time is not UNSET]
        if told and not known and not _looks(told, _DRAWN_TIME) <= _TIMES:
            return None
        try:
            moments += _moments(some) if len(told) < len(some) else map(_moment, told)
        except ValueError:
            return None
    return moments


def _moments(times: Sequence[str | UnsetType]) -> Iterator[datetime | None]:
    return (None if time is UNSET else _moment(time) for time in times)
