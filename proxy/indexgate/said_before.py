"""What a source said before: whether it still does, and what of it stands beside a new answer."""

from collections.abc import Iterable
from datetime import datetime

from indexgate.sources.protocol import About
from indexgate_policy.signals import Signal, Signals, Unknown


def by_source(signals: Iterable[Signal]) -> dict[str, tuple[Signal, ...]]:
    """Return *signals* by who said them."""
    found: dict[str, tuple[Signal, ...]] = {}
    for signal in signals:
        found[signal.source] = (*found.get(signal.source, ()), signal)
    return found


def is_due(about: About, before: tuple[Signal, ...], now: datetime) -> bool:
    """Tell whether the answer *before* is none, or too old, or of a release that gave less."""
    answered = any(not _is_stand_in(about.name, signal) for signal in before)
    missing = set(about.gives) - {signal.name for signal in before}
    if not answered or missing:
        return True
    return now - min(signal.observed_at for signal in before) >= about.fresh_for


def filled(
    about: About, signals: tuple[Signal, ...], before: tuple[Signal, ...]
) -> tuple[Signal, ...]:
    """Return *signals*; where a part of the answer failed, that of *before* stands.

    It keeps its age, so the source is due again soon.
    """
    known = {signal.name: signal for signal in before if not isinstance(signal.value, Unknown)}
    return tuple(
        known.get(signal.name, signal) if _is_stand_in(about.name, signal) else signal
        for signal in signals
    )


def is_without(about: About, known: Signals) -> bool:
    """Tell whether somebody said that there is none of what *about* needs."""
    told = (known.get(need) for need in about.needs)
    return any(
        signal.value in ("", ())
        or (isinstance(signal.value, Unknown) and not _is_stand_in(signal.source, signal))
        for signal in told
        if signal is not None
    )


def _is_stand_in(source: str, signal: Signal) -> bool:
    """Tell whether *signal* stands for what *source* could not tell: it has said nothing."""
    value = signal.value
    return isinstance(value, Unknown) and value.reason.startswith(f"{source} ")
