"""The shapes of values as JSON schemas, for editors: what the readers of conditions take.

A schema takes everything that its reader takes, and as little else as it can say.
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from indexgate_policy.rules.conditions.severities import NAMES

Schema: TypeAlias = Mapping[str, object]

TEXT: Schema = {"type": "string", "pattern": r"\S"}
SWITCH: Schema = {"type": "boolean"}
NUMBER: Schema = {"type": "number"}
DURATION: Schema = {"type": "string", "pattern": "^(?=.*[1-9])([0-9]{1,9}[smhdw])+$"}
DAY: Schema = {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
SPECIFIER: Schema = {"type": "string", "pattern": "[=<>,]"}


def one_or_many(item: Schema) -> Schema:
    """Return the shape of one *item*, or of a list of them that is not empty."""
    return {"anyOf": [item, list_of(item)]}


def list_of(item: Schema) -> Schema:
    """Return the shape of a list of *item* that is not empty."""
    return {"type": "array", "items": item, "minItems": 1}


def one_of(values: Iterable[str]) -> Schema:
    """Return the shape of a text that is one of *values*."""
    return {"enum": list(values)}


def table(keys: Mapping[str, Schema], *needed: str) -> Schema:
    """Return the shape of a table with these *keys* at the most, some of them *needed*."""
    shape: dict[str, object] = {"type": "object", "properties": keys, "additionalProperties": False}
    return shape | ({"required": list(needed)} if needed else {"minProperties": 1})


WINDOW = table({"below": NUMBER, "at_least": NUMBER})
AGE = table({"below": DURATION, "at_least": DURATION})
TEXTS = one_or_many(TEXT)
PROJECTS = one_or_many({"type": "string", "pattern": r"^[A-Za-z0-9._*?\[\]!-]+$"})
SEVERITY: Schema = {"anyOf": [one_of(NAMES), table({"at_least": one_of(NAMES)}, "at_least")]}
