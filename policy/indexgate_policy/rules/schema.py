"""The JSON schema of the policy document, for editors, made from the conditions' own definitions.

It takes every document that the loader takes. What it cannot say (an exemption of a rule that is
not there, a window that is empty) only the loader says. It is draft 7, which every editor knows.
"""

from collections.abc import Mapping

from indexgate_policy.rules import conditions
from indexgate_policy.rules.conditions import Definition
from indexgate_policy.rules.conditions.shapes import (
    DAY,
    DURATION,
    PROJECTS,
    SPECIFIER,
    TEXT,
    Schema,
    list_of,
    one_of,
    one_or_many,
    table,
)
from indexgate_policy.rules.exemptions import BUILT_IN, NOT_WAIVABLE
from indexgate_policy.rules.verdict import Action

_ID = "^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$"
_TERM: Schema = {"$ref": "#/definitions/term"}
_CAN_BE_UNKNOWN: Schema = {"$ref": "#/definitions/can-be-unknown"}
_PACKAGE: Schema = {"type": "string", "pattern": "=="}


def schema() -> Mapping[str, object]:
    """Return the schema, ready for JSON."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A policy of indexgate",
        **table(
            {
                "version": {"const": 1, "description": "always 1"},
                "max_feed_age": _told(
                    DURATION, 'how old the advisories may be before "none" is unknown'
                ),
                "max_exemption": _told(DURATION, "the longest that an exemption may last"),
                "break_glass": _told(
                    one_of(["allow", "refuse"]), "whether one run may turn refusals into warnings"
                ),
                "rule": list_of({"$ref": "#/definitions/rule"}),
                "exemption": list_of(_exemption({"project": PROJECTS, "version": SPECIFIER})),
                "grandfather": list_of(_exemption({"packages": list_of(_PACKAGE)})),
            },
            "version",
        ),
        "definitions": {"rule": _rule(), "term": _term(), "can-be-unknown": _can_be_unknown()},
    }


def _rule() -> Schema:
    actions = [Action.WARN.value, Action.REFUSE.value]
    keys = {
        "id": {
            "type": "string",
            "pattern": _ID,
            "not": {"enum": list(BUILT_IN)},
            "description": "a name of its own: lower-case letters, digits and `-`",
        },
        "action": _told(one_of(actions), "what it does when `when` holds"),
        "when": {**_TERM, "description": "the condition; its keys are joined by and"},
        "unless": {**_TERM, "description": "a condition that excuses where it is known to hold"},
        "unknown": _told(
            one_of([action.value for action in Action]), "what it does where nobody can tell"
        ),
        "reason": _told(TEXT, "what whoever installs reads; one line"),
        "hint": _told(TEXT, "how to go on"),
    }
    return {
        **table(keys, "id", "action", "when"),
        "if": {"properties": {"when": _CAN_BE_UNKNOWN}, "required": ["when"]},
        "then": {"required": ["unknown"]},
    }


def _term() -> Schema:
    found: dict[str, Schema] = {each.name: _condition(each) for each in conditions.ALL}
    found["all"] = _told(list_of(_TERM), "holds when all of these do")
    found["any"] = _told(list_of(_TERM), "holds when one of these does")
    found["not"] = {**_TERM, "description": "holds when this does not"}
    return table(found)


def _condition(definition: Definition) -> Schema:
    unknown = f" Unknown when {definition.unknown}." if definition.unknown else ""
    value = definition.value.replace("`", "")
    return _told(definition.shape, f"{definition.what} Value: {value}.{unknown}")


def _can_be_unknown() -> Schema:
    """Return the shape of a term that has a condition which can be unknown, however deep."""
    within = {"contains": _CAN_BE_UNKNOWN}
    return {
        "anyOf": [
            *({"required": [each.name]} for each in conditions.ALL if each.unknown),
            {"required": ["all"], "properties": {"all": within}},
            {"required": ["any"], "properties": {"any": within}},
            {"required": ["not"], "properties": {"not": _CAN_BE_UNKNOWN}},
        ]
    }


def _exemption(subject: Mapping[str, Schema]) -> Schema:
    rule = {**TEXT, "not": {"enum": sorted(NOT_WAIVABLE)}}
    keys: dict[str, Schema] = {
        **subject,
        "rule": _told(one_or_many(rule), "the id of the rule that is waived, or a list of them"),
        "team": _told(TEXT, "the one team whose clients it holds for; all clients without it"),
        "reason": _told(TEXT, "why"),
        "owner": _told(TEXT, "who answers for it"),
        "expires": _told(DAY, "the last day on which it holds, to its end in UTC; without quotes"),
        "granted": _told(DAY, "the day on which it was granted"),
        "id": {"type": "string", "pattern": _ID, "description": "a name of its own"},
    }
    needed = [key for key in subject if key != "version"]
    return table(keys, *needed, "rule", "reason", "owner", "expires")


def _told(shape: Schema, description: str) -> Schema:
    return {**shape, "description": description}
