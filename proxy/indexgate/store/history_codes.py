"""Counts in two bytes each, and tiles of them as bytes.

A code is the logarithm of the count in steps of 1/512, so a count comes back within 0.3 %; whole
numbers up to 500 come back exactly. One byte would do for the flags (science 4: 3.3 %) and halve
the history, but a month's sum that people compare with other sites would then be visibly off.
A count that is not known has a code of its own.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final, TypeAlias

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

Codes: TypeAlias = NDArray[np.uint16]
Numbers: TypeAlias = NDArray[np.float32]

UNKNOWN: Final = 0xFFFF
_STEPS: Final = 512
_EXACT_TO: Final = 500
_LARGEST: Final = UNKNOWN - 1
_QUICK: Final = 1


def encode(counts: NDArray[np.floating[Any]]) -> Codes:
    """Return the codes of *counts*, of the same shape; not-a-number and less than 0: unknown."""
    with np.errstate(invalid="ignore", divide="ignore"):
        steps = np.rint(np.log1p(counts, dtype=np.float64) * _STEPS)
        known = counts >= 0
    np.minimum(steps, _LARGEST, out=steps)
    return np.where(known, steps, UNKNOWN).astype(np.uint16)


def decode(codes: Codes) -> Numbers:
    """Return the counts of *codes*, of the same shape; not a number where unknown."""
    return _counts()[codes]


@cache
def _counts() -> Numbers:
    counts = np.expm1(np.arange(UNKNOWN + 1) / _STEPS)
    whole = np.arange(_EXACT_TO + 1)
    counts[np.rint(np.log1p(whole) * _STEPS).astype(int)] = whole
    largest = np.finfo(np.float32).max
    decoded = np.minimum(counts, largest).astype(np.float32)
    decoded[UNKNOWN] = np.nan
    return decoded


def pack(numbers: NDArray[Any]) -> bytes:
    """Return an array (projects first) as bytes, small where neighbours are alike.

    The days of one kind of count follow each other, low bytes apart from high ones.
    """
    turned = np.ascontiguousarray(np.moveaxis(numbers, 0, -1))
    planes = turned.view(np.uint8).reshape(-1, turned.itemsize).T
    return isal_zlib.compress(planes.tobytes(), _QUICK)


def unpack(packed: bytes, kind: type[np.generic], projects: int, chosen: Any) -> NDArray[Any]:
    """Return of what `pack` was given (*projects* rows of *kind*) the rows *chosen*, flat.

    Raises ValueError.
    """
    planes = np.frombuffer(_unzipped(packed), np.uint8)
    planes = planes.reshape(np.dtype(kind).itemsize, -1, projects)[:, :, chosen]
    numbers: NDArray[Any] = _joined(planes, kind).T
    return numbers


def unpack_all(packed: Sequence[bytes], kind: type[np.generic], projects: int) -> NDArray[Any]:
    """Return what `pack` was given of each of *packed*, all rows of them, flat, one after another.

    They must hold equally much; raises ValueError.
    """
    unzipped = [_unzipped(one) for one in packed]
    if len(set(map(len, unzipped))) > 1:
        raise ValueError("they do not hold equally much")
    planes = np.frombuffer(b"".join(unzipped), np.uint8)
    planes = planes.reshape(len(packed), np.dtype(kind).itemsize, -1, projects)
    numbers = _joined(planes.swapaxes(0, 1), kind).swapaxes(1, 2)
    return numbers.reshape(len(packed) * projects, -1)


def _unzipped(packed: bytes) -> bytes:
    try:
        return isal_zlib.decompress(packed)
    except isal_zlib.error as error:  # type: ignore[misc]  # its stubs call the class a value
        raise ValueError(str(error)) from error


def _joined(planes: NDArray[np.uint8], kind: type[np.generic]) -> NDArray[Any]:
    """Return the numbers of which *planes* (bytes a number, ...) are the bytes, low ones first."""
    numbers: NDArray[Any] = planes[0].astype(kind)
    for place, plane in enumerate(planes[1:], 1):
        numbers |= plane.astype(kind) << (8 * place)
    return numbers
