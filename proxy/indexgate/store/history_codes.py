"""Counts in two bytes each, and tiles of them as bytes.

A code is the logarithm of the count in steps of 1/512, so a count comes back within 0.3 %; whole
numbers up to 500 come back exactly. One byte would do for the flags (science 4: 3.3 %) and halve
the history, but a month's sum that people compare with other sites would then be visibly off.
A count that is not known has a code of its own.
"""

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
    try:
        packed_bytes = np.frombuffer(isal_zlib.decompress(packed), np.uint8)
    except isal_zlib.error as error:  # type: ignore[misc]  # its stubs call the class a value
        raise ValueError(str(error)) from error
    planes = packed_bytes.reshape(np.dtype(kind).itemsize, -1, projects)[:, :, chosen]
    numbers = planes[0].astype(kind)
    for place, plane in enumerate(planes[1:], 1):
        numbers |= plane.astype(kind) << (8 * place)
    turned: NDArray[Any] = numbers.T
    return turned
