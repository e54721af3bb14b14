"""How much each service may be asked: data, with what the service itself states.

Where a service states no limit, ours is far below what it answers to others: a refresh that takes a
minute longer harms nobody.
"""

from msgspec import Struct

MINUTE, HOUR, DAY = 60, 3_600, 86_400
_WORDS = {MINUTE: "a minute", HOUR: "an hour", DAY: "a day"}


class Limit(Struct, frozen=True, kw_only=True):
    """At most `requests` in a window of `seconds` that begins with its first request."""

    requests: int
    seconds: int

    def __str__(self) -> str:
        window = _WORDS.get(self.seconds, f"in {self.seconds} s")
        return f"{self.requests:,} {window}"


class Limits(Struct, frozen=True, kw_only=True):
    """What we keep to: `at_once` requests in flight, and all of `windows`.

    `stated` is what the service says of its own limits (as of 2026-11).
    """

    at_once: int
    windows: tuple[Limit, ...]
    stated: str


LIMITS: dict[str, Limits] = {
    "pypistats": Limits(
        at_once=1,
        windows=(Limit(requests=30, seconds=MINUTE),),
        stated="a limit by address that is not published; asks for one look a day",
    ),
    "pepy": Limits(
        at_once=1,
        windows=(Limit(requests=5, seconds=MINUTE),),
        stated="5 a minute with a free key",
    ),
    "deps-dev": Limits(
        at_once=4,
        windows=(Limit(requests=600, seconds=MINUTE),),
        stated="none",
    ),
    "scorecard": Limits(
        at_once=2,
        windows=(Limit(requests=120, seconds=MINUTE),),
        stated="none",
    ),
    "github": Limits(
        at_once=4,
        windows=(Limit(requests=400, seconds=MINUTE), Limit(requests=4_000, seconds=HOUR)),
        stated="5,000 an hour with a token, 900 points a minute",
    ),
    "github-without-token": Limits(
        at_once=1,
        windows=(Limit(requests=55, seconds=HOUR),),
        stated="60 an hour without a token",
    ),
    "ecosystems": Limits(
        at_once=2,
        windows=(Limit(requests=60, seconds=MINUTE), Limit(requests=2_000, seconds=HOUR)),
        stated="5,000 an hour by address; better served where a contact is told",
    ),
    "libraries-io": Limits(
        at_once=1,
        windows=(Limit(requests=50, seconds=MINUTE),),
        stated="60 a minute",
    ),
    "release-feed": Limits(
        at_once=1,
        windows=(Limit(requests=40, seconds=HOUR),),
        stated="none; holds the last 100 releases, about a quarter of an hour",
    ),
}
"""By the name of the budget."""
