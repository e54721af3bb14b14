"""What BigQuery bills for a query (on-demand, location US) and what a budget in money comes to.

Source: Google's pricing page: 6.25 dollars a TiB, the first TiB of a month free; a query is billed
in whole MiB and for at least 10 MiB a table.
"""

import re
from typing import Final

MIB: Final = 2**20
TIB: Final = 2**40
DOLLARS_A_TIB: Final = 6.25
FREE_BYTES: Final = TIB
"""A month's free bytes. They are the project's: what else runs there uses them up too."""

_LEAST = 10 * MIB
_UNITS = {
    "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "MIB": 2**20, "GIB": 2**30, "TIB": 2**40,
}  # fmt: skip
_BYTES = re.compile(r"(\d+(?:\.\d+)?) ?([MGT]i?B)", re.IGNORECASE)
_DOLLARS = re.compile(r"\$ ?(\d+(?:\.\d+)?)")


def billable(scanned: int) -> int:
    """Return what a query that reads *scanned* bytes of one table is billed for."""
    return max(_LEAST, -(-scanned // MIB) * MIB)


def dollars(billed: int) -> float:
    """Return the list price of *billed* bytes, the free ones not taken off."""
    return billed / TIB * DOLLARS_A_TIB


def monthly_bytes(text: str) -> int:
    """Return the bytes a month that a budget allows: `500 GB`, `1 TiB`, or `$5` past the free ones.

    Raises ValueError.
    """
    stripped = text.strip()
    if found := _BYTES.fullmatch(stripped):
        return int(float(found[1]) * _UNITS[found[2].upper()])
    if found := _DOLLARS.fullmatch(stripped):
        return FREE_BYTES + int(float(found[1]) / DOLLARS_A_TIB * TIB)
    raise ValueError(f"`{text}` is neither an amount like `500 GB` or `1 TiB` nor one like `$5`")
