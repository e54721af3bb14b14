"""The words of evidence: numbers with their unit, shares in percent, days as dates."""

from datetime import datetime


def number(value: float) -> str:
    """Return `12,300`, `4.5`, `0`: whole from a hundred up, and with commas."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def count(value: float, one: str, many: str = "") -> str:
    """Return `1 star`, `1,300 stars`; *many* is needed where no `s` makes the plural."""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def percent(share: float) -> str:
    """Return `62 %`."""
    return f"{100 * share:.0f} %"


def day(moment: datetime) -> str:
    """Return `2026-11-22`."""
    return moment.date().isoformat()
