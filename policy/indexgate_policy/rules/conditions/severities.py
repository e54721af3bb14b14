"""The `severity` modifier: one severity, or `{ at_least = ... }`."""

from collections.abc import Callable
from typing import TypeAlias

from indexgate_policy.flags import Severity
from indexgate_policy.rules.strict import Field

NAMES = tuple(severity.label for severity in Severity)
VALUE = (
    "`severity` is one of " + ", ".join(f"`{name}`" for name in NAMES) + " or `{ at_least = ... }`"
)

Suffices: TypeAlias = Callable[[Severity], bool]


def read(field: Field) -> Suffices:
    """Return the test that *field* asks for. Raises PolicyError."""
    if isinstance(field.value, str):
        wanted = Severity.named(field.one_of(NAMES))
        return lambda severity: severity == wanted
    window = field.fields(("at_least",), f"`{field.key}`")
    least = Severity.named(window.needed("at_least").one_of(NAMES))
    return lambda severity: severity >= least
