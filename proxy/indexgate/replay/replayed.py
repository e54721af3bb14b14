"""What came of trying a policy on the past, as data."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from indexgate_policy.rules.figures import Difference, PolicyFigures


class Named(Struct, frozen=True, kw_only=True):
    """A policy's figures, with its place and its digest."""

    policy: str
    digest: str
    figures: PolicyFigures


class Basis(Struct, frozen=True, kw_only=True):
    """What the figures rest on; numbers are asks.

    `by_facts` were judged with the assessment of their time, `by_page` without one: by the page,
    the advisories and the record alone. `pageless` are asks for projects of which no page is kept,
    `unread` those without any advisory feed, `left_out` those of an index that is not configured
    any more. `named_now` asks were for versions that an advisory names today, `named_then` of these
    it named already. `yanked_since` were for files that are yanked today, and nobody saw that they
    were yanked then.
    """

    by_facts: int = 0
    by_page: int = 0
    pageless: int = 0
    unread: int = 0
    left_out: int = 0
    named_now: int = 0
    named_then: int = 0
    yanked_since: int = 0


class Agreement(Struct, frozen=True, kw_only=True):
    """Of `of` refusals that the policy in force itself recorded, `again` are refused again."""

    again: int
    of: int


class Replayed(Struct, frozen=True, kw_only=True):
    """A draft and the policy in force, tried on the same asks from `since` to `until`.

    `differences` are the projects with most changes, of `differing` in all. `notes` are sentences
    on what could not be judged or told, and why.
    """

    source: Literal["record", "lock"]
    of_what: str
    since: datetime
    until: datetime
    asks: int
    files: int
    projects: int
    basis: Basis
    agreement: Agreement
    draft: Named
    in_force: Named
    differences: tuple[Difference, ...]
    differing: int
    notes: tuple[str, ...] = ()
