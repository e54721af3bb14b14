"""Names of projects: which texts are one, and in which spelling they are compared.

Names specification of the packaging guide (PEP 503's normalisation, the 2025 end anchor).
"""

import re
from functools import lru_cache

from packaging.utils import NormalizedName, canonicalize_name

# A file name of a release starts with the project's name, and no file system takes longer ones.
LONGEST = 250

_NORMALISED = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_NAME = re.compile(r"[A-Z0-9](?:[A-Z0-9._-]*[A-Z0-9])?", re.IGNORECASE | re.ASCII)


@lru_cache(maxsize=16_384)
def valid_name(text: str) -> NormalizedName | None:
    """Return the normalised form of the project name *text*, None when it is no project name."""
    if len(text) > LONGEST:
        return None
    if _NORMALISED.fullmatch(text):  # as most are: a list has 700,000
        return NormalizedName(text)
    if _NAME.fullmatch(text) is None:
        return None
    return canonicalize_name(text)
