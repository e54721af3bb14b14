"""The kinds into which downloads are sorted: who fetched, with what, where, and which versions.

The order of each tuple is the order of the columns in a `Panel` and in the store: append only.
"""

from typing import Final

CLASSES: Final = ("mirror", "cache", "bot", "scanner", "ci", "pipeline", "human")
"""Who fetched (science dn-1). `mirror` copies everything, `cache` stands for people behind it."""

CONSUMERS: Final = ("ci", "pipeline", "human")
"""The classes that install: a series of consumers is the sum of these."""

INSTALLERS: Final = ("pip", "uv", "poetry", "other tool", "script", "unknown")
"""With what, mirrors and caches left out. `script` is requests and Browser."""

REGIONS: Final = ("US", "CN", "DE", "IN", "GB", "FR", "JP", "BR", "RU", "KR", "SG", "other")
"""From where, by ISO 3166 code, of the classes `human` and `pipeline` only."""

VERSION_AGES: Final = ("under 30 days", "under 180 days", "under 2 years", "2 years or older")
"""How long the fetched version had been out on that day; consumers only."""
