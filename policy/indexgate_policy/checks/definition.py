"""What a check is: its definition, which people read, and its function, which runs."""

from collections.abc import Callable

from msgspec import Struct

from indexgate_policy.assessment import Case
from indexgate_policy.flags import Flag
from indexgate_policy.signals import Unknown


class Definition(Struct, frozen=True, kw_only=True):
    """What a check tells of itself; every field is shown to people and none may be empty.

    `id` is stable and kebab-case (science fl-1). `computes` says how, with its `source`;
    `minimum_data` what must be known before the check says anything.
    """

    id: str
    short: str
    motivation: str
    computes: str
    source: str
    minimum_data: str
    severity: str
    known_false_alarms: str
    remediation: str


class Check(Struct, frozen=True, kw_only=True):
    """A definition and its function.

    `run` is pure. It returns a flag, None when it looked and found nothing, and `Unknown` when it
    could not look, for want of the facts named in the reason. With a case that changes in `now`
    alone, the severity of its flag moves one way only within a day, so that it can be said when it
    changes (see `assess`). `ages` is False for a check that looks at the recorded history only, and
    so says the same until a new day is recorded.
    """

    definition: Definition
    run: Callable[[Case], Flag | Unknown | None]
    ages: bool = True
