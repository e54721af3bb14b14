"""Whether one condition holds wherever another does, as far as the texts alone can tell.

It answers "yes" only where that is certain: "no" may also mean that nobody can tell from the
policy. So a rule that it calls dead is dead, and a change that it calls stricter is stricter.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import cast

from indexgate_policy.flags import Severity
from indexgate_policy.rules import durations
from indexgate_policy.rules.conditions.severities import NAMES
from indexgate_policy.rules.expression import All, Any, Condition, Not, Term

_WINDOW = {"below", "at_least"}
_LISTS = {"status", "kind", "grade", "project", "file"}


def covers(wide: Term, narrow: Term) -> bool:
    """Tell whether *wide* certainly holds wherever *narrow* is known to hold."""
    if isinstance(narrow, Any):
        return all(covers(wide, part) for part in narrow.parts)
    if isinstance(wide, All):
        return all(covers(part, narrow) for part in wide.parts)
    if isinstance(wide, Any) and any(covers(part, narrow) for part in wide.parts):
        return True
    if isinstance(narrow, All):
        return any(covers(wide, part) for part in narrow.parts)
    if isinstance(wide, Not) and isinstance(narrow, Not):
        # A severity that is unknown makes an advisory unknown which without it would not hold.
        severe = any(c.definition.name == "advisory" for c in wide.conditions())
        return same(wide.part, narrow.part) if severe else covers(narrow.part, wide.part)
    if isinstance(wide, Condition) and isinstance(narrow, Condition):
        name = wide.definition.name
        return name == narrow.definition.name and _value_covers(name, wide.value, narrow.value)
    return False


def same(left: Term, right: Term) -> bool:
    """Tell whether both say the very same, whatever the order of what "and" and "or" join."""
    if isinstance(left, All) and isinstance(right, All):
        return _same_parts(left.parts, right.parts)
    if isinstance(left, Any) and isinstance(right, Any):
        return _same_parts(left.parts, right.parts)
    if isinstance(left, Not) and isinstance(right, Not):
        return same(left.part, right.part)
    return (
        isinstance(left, Condition)
        and isinstance(right, Condition)
        and (left.definition.name, left.value) == (right.definition.name, right.value)
    )


def _same_parts(left: tuple[Term, ...], right: tuple[Term, ...]) -> bool:
    rest = list(right)
    for part in left:
        found = next((number for number, other in enumerate(rest) if same(part, other)), None)
        if found is None:
            return False
        del rest[found]
    return not rest


def _value_covers(name: str, wide: object, narrow: object) -> bool:
    if wide == narrow:
        return True
    if name in _LISTS:  # a name is its own pattern, so this holds for patterns too
        return _listed(narrow) <= _listed(wide)
    if name in {"flag", "any_flag", "advisory"}:
        return _finding_covers(_table(wide), _table(narrow))
    if isinstance(wide, Mapping) and isinstance(narrow, Mapping):
        if {*wide, *narrow} <= _WINDOW:
            return _window_covers(wide, narrow)
        if name == "client":
            return _each_key_covers(wide, narrow)
    return False


def _finding_covers(wide: Mapping[str, object], narrow: Mapping[str, object]) -> bool:
    """Compare flags and advisories; what *wide* does not ask for it takes in any form."""
    if "severity" in wide and not (
        "severity" in narrow and _severities(narrow["severity"]) <= _severities(wide["severity"])
    ):
        return False
    rest = {key: value for key, value in wide.items() if key != "severity"}
    return _each_key_covers(rest, narrow)


def _each_key_covers(wide: Mapping[str, object], narrow: Mapping[str, object]) -> bool:
    return all(key in narrow and _listed(narrow[key]) <= _listed(wide[key]) for key in wide)


def _window_covers(wide: Mapping[str, object], narrow: Mapping[str, object]) -> bool:
    if "below" in wide and not (
        "below" in narrow and _size(narrow, "below") <= _size(wide, "below")
    ):
        return False
    return "at_least" not in wide or (
        "at_least" in narrow and _size(narrow, "at_least") >= _size(wide, "at_least")
    )


def _size(window: Mapping[str, object], key: str) -> float:
    value = window[key]
    if isinstance(value, str):
        return durations.parse(value) / timedelta(seconds=1)
    return cast("float", value)


def _table(value: object) -> Mapping[str, object]:
    """Return a condition's value as its table: `advisory = "malware"` is short for the kind."""
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {"kind": value}


def _listed(value: object) -> set[object]:
    return set(value) if isinstance(value, list) else {value}


def _severities(value: object) -> set[Severity]:
    if isinstance(value, Mapping):
        least = Severity.named(str(value["at_least"]))
        return {severity for severity in map(Severity.named, NAMES) if severity >= least}
    return {Severity.named(str(value))}
