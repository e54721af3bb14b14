"""What a condition is: its definition, and the test that a policy's value for it becomes.

The definition is data: the reader of policies, the reference page and the tests all take it from
here. A new condition is one more definition with a `read` function, listed in `conditions.ALL`.
"""

from collections.abc import Callable
from enum import IntEnum
from typing import TypeAlias

from msgspec import Struct

from indexgate_policy.rules.conditions.shapes import Schema
from indexgate_policy.rules.kleene import Outcome
from indexgate_policy.rules.known import Known
from indexgate_policy.rules.strict import Field
from indexgate_policy.rules.usual import Usual
from indexgate_policy.subject import File

Test: TypeAlias = Callable[[File, Known], Outcome]
"""Tells whether a condition holds for a file; what it may lean on besides is `Known`."""

UsualTest: TypeAlias = Callable[[File, Known], Usual | None]
"""Says what a condition's test says of most files of the project that the given one is of.

None when it cannot say so.
"""


class Scope(IntEnum):
    """What a condition speaks of: it says the same for all files of one."""

    PROJECT = 0
    RELEASE = 1
    FILE = 2


class Definition(Struct, frozen=True, kw_only=True):
    """A condition of the policy language.

    `what` says when it holds, `value` what may be written, `example` one value in TOML, `unknown`
    when it is unknown (empty: never). `singles_out` marks conditions that choose files within a
    version on purpose: a rule with one of them refuses single files, every other rule refuses the
    whole version. `least` and `most` bound the numbers that there are, where a window of numbers is
    asked for (None: no such bound). `shape` is the JSON schema of the value. `read` and
    `read_usual` make the tests; a condition on the project needs only the first, and any other
    without the second is asked of every file.
    """

    name: str
    scope: Scope
    what: str
    value: str
    example: str
    unknown: str = ""
    singles_out: bool = False
    least: float | None = None
    most: float | None = None
    shape: Schema
    read: Callable[[Field], Test]
    read_usual: Callable[[Field], UsualTest] | None = None
