"""Reasons why things are unknown, each told once with all that it keeps unknown."""

from collections.abc import Iterable, Iterator

_NEVER = " has not been observed yet"
"""How `Signals.value` ends its reason; it begins with the signal's name."""


def by_reason(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield each reason of the (reason, name) *pairs* with the names it stands for.

    What nobody was asked for is one reason, whatever the signal.
    """
    grouped: dict[str, list[str]] = {}
    for reason, name in pairs:
        told = "no source has told it yet" if reason.endswith(_NEVER) else reason
        grouped.setdefault(told, []).append(name)
    return ((reason, ", ".join(names)) for reason, names in grouped.items())
