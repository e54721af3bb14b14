"""Signals read as what they should be: a number, a day, a text. What is not that is unknown."""

from datetime import UTC, date, datetime, time

from indexgate_policy.assessment import Case
from indexgate_policy.health.facts import MOST
from indexgate_policy.signals import Unknown


def number(case: Case, name: str) -> float | Unknown:
    """Return the signal *name* as a number from 0 to `MOST`."""
    value = case.signals.value(name)
    if isinstance(value, Unknown):
        return value
    if isinstance(value, bool | str | tuple) or not 0 <= value <= MOST:
        return Unknown(reason=f"{name} is not a number from 0 to 1e15")
    return float(value)


def text(case: Case, name: str) -> str | Unknown:
    """Return the signal *name* as a text; an empty one was said to be empty."""
    value = case.signals.value(name)
    if isinstance(value, str | Unknown):
        return value
    return Unknown(reason=f"{name} is not a text")


def texts(case: Case, name: str) -> tuple[str, ...] | Unknown:
    """Return the signal *name* as texts."""
    value = case.signals.value(name)
    if isinstance(value, tuple | Unknown):
        return value
    return Unknown(reason=f"{name} is not a list of texts")


def day(case: Case, name: str) -> date | Unknown:
    """Return the signal *name* as a day."""
    value = text(case, name)
    if isinstance(value, Unknown):
        return value
    try:
        return date.fromisoformat(value)
    except ValueError:
        return Unknown(reason=f"{name} is not a day")


def start(of: date) -> datetime:
    """Return the first moment of the day *of* in UTC."""
    return datetime.combine(of, time(), UTC)


def fewer_dependent_owners(case: Case, than: int) -> bool | Unknown:
    """Tell whether fewer than *than* owners depend on the project.

    Where only the dependents are counted, their owners are at most as many.
    """
    owners = number(case, "dependent_owners")
    if not isinstance(owners, Unknown):
        return owners < than
    dependents = number(case, "dependents")
    if not isinstance(dependents, Unknown) and dependents < than:
        return True
    return owners
