"""Conditions on stored facts of a project: `owners`, `releases`, `signal.<name>`."""

import re
from collections.abc import Callable
from typing import TypeAlias

from indexgate_policy.health.wording import count
from indexgate_policy.rules.conditions import shapes
from indexgate_policy.rules.conditions.definition import Definition, Scope, Test
from indexgate_policy.rules.conditions.windows import KEYS, WINDOW, Window
from indexgate_policy.rules.kleene import FAILS, Outcome, all_of, holds, unknown
from indexgate_policy.rules.known import Known
from indexgate_policy.rules.strict import Field, shown
from indexgate_policy.signals import Unknown, Value
from indexgate_policy.subject import File

_SIGNAL_NAME = re.compile(r"[a-z][a-z0-9_]*")

Compare: TypeAlias = Callable[[Value], bool]
"""Tells whether a value is what a policy asks for. Raises TypeError when it cannot be compared."""


def signal(known: Known, name: str) -> Value | Unknown:
    """Return the value of the signal *name*, or why it is not known."""
    return known.signals if isinstance(known.signals, Unknown) else known.signals.value(name)


def _owners(field: Field) -> Test:
    window = Window.read(field)

    def test(file: File, known: Known) -> Outcome:
        value = signal(known, "owners")
        if isinstance(value, Unknown):
            return unknown(value.reason)
        if not window.holds(_amount(value)):
            return FAILS
        return holds(f"{file.project.name} has {count(_amount(value), 'owner')}")

    return test


def _releases(field: Field) -> Test:
    window = Window.read(field)

    def test(file: File, known: Known) -> Outcome:
        project = file.project
        if not window.holds(project.releases):
            return FAILS
        return holds(f"{project.name} has {count(project.releases, 'release')}")

    return test


def _signal(field: Field) -> Test:
    tests = []
    for name, value in field.table().items():
        if not _SIGNAL_NAME.fullmatch(name):
            raise field.error("bad-name", f"`{shown(name)}` is not a name of a signal")
        item = Field(key=f"{field.key}.{name}", value=value, place=field.place)
        tests.append(_one_signal(name, item))
    if len(tests) == 1:
        return tests[0]
    return lambda file, known: all_of(test(file, known) for test in tests)


def _one_signal(name: str, field: Field) -> Test:
    fields = field.fields((*KEYS, "is", "in"), f"`{field.key}`")
    compares: list[Compare] = []
    if "below" in fields or "at_least" in fields:
        compares.append(_within(Window.among(fields, field)))
    if "is" in fields:
        compares.append(_equals(_scalar(fields["is"])))
    if "in" in fields:
        compares.append(_among([_scalar(item) for item in fields["in"].items("a list")]))

    def test(file: File, known: Known) -> Outcome:
        value = signal(known, name)
        if isinstance(value, Unknown):
            return unknown(value.reason)
        try:
            wanted = all(compare(value) for compare in compares)
        except TypeError as error:
            return unknown(f"the signal {name} cannot be compared: {error}")
        return holds(f"{file.project.name} has {name} {_told(value)}") if wanted else FAILS

    return test


def _within(window: Window) -> Compare:
    return lambda value: window.holds(_amount(value))


def _equals(wanted: bool | float | str) -> Compare:
    def equals(value: Value) -> bool:
        if isinstance(value, tuple):
            return wanted in value
        if isinstance(value, bool) is not isinstance(wanted, bool):
            raise TypeError(f"{_told(value)} is not of the kind of {wanted}")
        return value == wanted

    return equals


def _among(wanted: list[bool | float | str]) -> Compare:
    def among(value: Value) -> bool:
        if isinstance(value, tuple):
            return any(item in wanted for item in value)
        kind = isinstance(value, bool)
        return any(value == item and isinstance(item, bool) is kind for item in wanted)

    return among


def _scalar(field: Field) -> bool | float | str:
    if isinstance(field.value, bool):
        return field.value
    return field.value if isinstance(field.value, str) else field.number()


def _amount(value: Value) -> float:
    """Return a number as it is, a set as the number of its members."""
    if isinstance(value, tuple):
        return len(value)
    if isinstance(value, bool | str):
        raise TypeError(f"{_told(value)} is not a number")
    return value


def _told(value: Value) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


_SCALAR_SHAPE = {"type": ["boolean", "number", "string"]}
_SIGNAL_SHAPE = shapes.table(
    {
        "below": shapes.NUMBER,
        "at_least": shapes.NUMBER,
        "is": _SCALAR_SHAPE,
        "in": shapes.list_of(_SCALAR_SHAPE),
    }
)

OWNERS = Definition(
    name="owners",
    scope=Scope.PROJECT,
    what="The number of accounts that can release the project lies within the window.",
    value=WINDOW,
    example="{ below = 2 }",
    unknown="the signal `owners` has not been observed",
    least=0,
    shape=shapes.WINDOW,
    read=_owners,
)
RELEASES = Definition(
    name="releases",
    scope=Scope.PROJECT,
    what="The number of versions with files that are not yanked lies within the window.",
    value=WINDOW,
    example="{ below = 3 }",
    least=0,
    shape=shapes.WINDOW,
    read=_releases,
)
SIGNAL = Definition(
    name="signal",
    scope=Scope.PROJECT,
    what="A stored signal, named after the dot, has a value like this. Several must all have.",
    value=(
        "a table a signal: `below` and `at_least` a number (of a set its size counts), `is` a "
        "value (or a member of a set), `in` a list of them"
    ),
    example='{ repository = { is = "" } }',
    unknown="the signal has not been observed, or is of another kind than the value",
    shape={
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": f"^{_SIGNAL_NAME.pattern}$"},
        "additionalProperties": _SIGNAL_SHAPE,
    },
    read=_signal,
)
