"""Gzip at its quickest: pages are kept packed, and sent packed, as the bytes they are."""

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from isal import igzip_lib, isal_zlib

_GZIP = 31  # zlib's way of saying: the largest window, and gzip around it


class BrokenPacking(Exception):
    """What should have been gzip is not, or is cut off."""


def pack(data: bytes) -> bytes:
    """Return *data* as gzip; level 1 of isa-l is as small as zlib's 6 in a tenth of the time."""
    return igzip_lib.compress(data, level=1, flag=igzip_lib.COMP_GZIP)


class Packed(NamedTuple):
    """What some parts are together: as they are sent, and the SHA-256 of them as they were made."""

    body: bytes
    digest: str


def pack_parts(parts: Iterable[bytes], *, gzip: bool) -> Packed:
    """Return what *parts* are together, as gzip or as they are, taking one after the other."""
    digest = sha256()
    packer = isal_zlib.compressobj(1, wbits=_GZIP) if gzip else None
    done = []
    for part in parts:
        digest.update(part)
        done.append(part if packer is None else packer.compress(part))
    if packer is not None:
        done.append(packer.flush())
    return Packed(b"".join(done), digest.hexdigest())


def unpack(packed: bytes) -> bytes:
    """Return what *packed* holds. Raises BrokenPacking."""
    try:
        return igzip_lib.decompress(packed, flag=igzip_lib.DECOMP_GZIP)
    except (igzip_lib.IsalError, EOFError) as error:  # type: ignore[misc]  # a value in its stub
        raise BrokenPacking(str(error)) from error


def digest_of(data: bytes) -> str:
    """Return what tells two contents of a page apart; most processors have SHA-256 built in."""
    return short(sha256(data).hexdigest())


def short(digest: str) -> str:
    """Return as much of a SHA-256 as tells two contents of a page apart."""
    return digest[:32]
