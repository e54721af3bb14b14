"""The policy document: TOML in, a policy out, or an error that names the key and the place.

The document is strict, since a rule that is silently not understood lets through what it was
written to stop. What is legal but surely not meant (no rules, a rule that can never match, an
exemption that is over) is a notice.
"""

import hashlib
import json
from collections.abc import Collection
from datetime import datetime, timedelta
from functools import cached_property

from msgspec import Struct

from indexgate_policy.errors import PolicyError
from indexgate_policy.rules import exemptions, notices, rule
from indexgate_policy.rules.document_text import read_toml
from indexgate_policy.rules.exemptions import Exemption
from indexgate_policy.rules.reads import Reads, reads, reads_of_pages
from indexgate_policy.rules.rule import Rule
from indexgate_policy.rules.strict import Field, Fields, shown, tables
from indexgate_policy.subject import Client, File

MAX_FEED_AGE = timedelta(hours=48)
"""Age of the advisory feed from which "no advisory" is unknown: a laptop's weekend is longer, but
then the gate reads the feed as soon as it is up again."""

_KEYS = (
    *("version", "max_feed_age", "max_exemption", "break_glass"),
    *("rule", "exemption", "grandfather"),
)


class Policy(Struct, frozen=True, kw_only=True, dict=True):
    """A policy document that was understood.

    `digest` changes when the meaning may have changed (never with comments or layout), `source`
    says where the text came from, `notices` what the reader should be told at start.
    `max_exemption` is the longest that an exemption may be granted for (None: no bound),
    `break_glass` whether a run may have refusals turned into warnings.
    """

    version: int
    rules: tuple[Rule, ...]
    exemptions: tuple[Exemption, ...]
    digest: str
    source: str
    max_feed_age: timedelta
    notices: tuple[str, ...]
    max_exemption: timedelta | None = None
    break_glass: bool = True

    @cached_property
    def asks_client(self) -> bool:
        """Whether verdicts differ by client, so that pages are private to it."""
        return any("client" in rule.names for rule in self.rules) or any(
            exemption.team is not None for exemption in self.exemptions
        )

    @cached_property
    def reads(self) -> Reads:
        """What facts the verdicts depend on."""
        return reads(self.rules, waives=bool(self.exemptions))

    @cached_property
    def page_reads(self) -> Reads:
        """Which of these facts tell what files a page lists."""
        return reads_of_pages(self.rules, waives=bool(self.exemptions))

    @property
    def teams(self) -> frozenset[str]:
        """The names of the teams that it speaks of."""
        named = {exemption.team for exemption in self.exemptions if exemption.team is not None}
        return frozenset(named).union(*(rule.teams for rule in self.rules))

    def waiver(
        self, rule: str, file: File, client: Client, now: datetime, *, malware: bool = False
    ) -> Exemption | None:
        """Return what waives *rule* of *file* for *client*: the exemption that lasts longest.

        *malware* tells that the file is called so. The gate asks it for `removed-upstream`, which
        is its own rule.
        """
        covering = [
            exemption
            for exemption in self.exemptions
            if rule in exemption.rules
            and exemption.ends > now
            and not (malware and exemption.spares_malware)
            and exemption.serves(client)
            and exemption.covers(file)
        ]
        return max(covering, key=lambda exemption: exemption.ends, default=None)


def parse(
    text: bytes | str, *, source: str, now: datetime, checks: Collection[str] | None = None
) -> Policy:
    """Return the policy that *text* says; *source* is its path or name, for messages.

    *checks*, if given, are the ids of the checks that are computed: a rule on other flags only is a
    notice. Raises PolicyError and nothing else.
    """
    root = read_toml(text, source)
    if not root.value:
        raise _no_version(root)
    fields = root.fields(_KEYS, "a policy")
    if "version" not in fields:
        raise _no_version(root)
    version = fields["version"]
    if type(version.value) is not int:
        raise version.wrong("the number `1`")
    if version.value != 1:
        what = f"`version = {shown(version.value)}` is not a version of the policy language"
        raise version.error(
            "unknown-version", what, "this version of indexgate reads `version = 1`"
        )
    rules = rule.read(fields["rule"]) if "rule" in fields else ()
    ids = frozenset(each.id for each in rules)
    longest = fields["max_exemption"].duration() if "max_exemption" in fields else None
    waived = tuple(each.capped(longest) for each in read_exemptions(fields, ids))
    age = fields["max_feed_age"].duration() if "max_feed_age" in fields else MAX_FEED_AGE
    return Policy(
        version=1,
        rules=rules,
        exemptions=waived,
        digest=hashlib.sha256(json.dumps(root.value, default=str).encode()).hexdigest(),
        source=source,
        max_feed_age=age,
        notices=(
            *notices.of_rules(rules, checks),
            *notices.of_exemptions(waived, longest, now),
        ),
        max_exemption=longest,
        break_glass=_break_glass(fields),
    )


def _no_version(root: Field) -> PolicyError:
    return root.error(
        "missing-key", "`version` is missing from the policy", "begin with `version = 1`"
    )


def _break_glass(fields: Fields) -> bool:
    if "break_glass" not in fields:
        return True
    return fields["break_glass"].one_of(["allow", "refuse"]) == "allow"


def read_exemptions(fields: Fields, ids: frozenset[str] | None) -> tuple[Exemption, ...]:
    """Return what the tables `[[exemption]]` and `[[grandfather]]` of a document say.

    *ids* are the rules that exist; None: any may be named. Raises PolicyError.
    """
    found: dict[str, Exemption] = {}
    for key, label, read in (
        ("exemption", "project", exemptions.read),
        ("grandfather", "id", exemptions.read_grandfather),
    ):
        for table in tables(fields[key], label) if key in fields else ():
            exemption = read(table, ids)
            if exemption.id in found and isinstance(table.value, dict) and "id" in table.value:
                what = f"the id `{exemption.id}` is taken by an exemption above"
                raise table.error("duplicate-exemption", what, "give each an id of its own")
            found[exemption.id] = exemption  # two that say the same are one
    return tuple(found.values())
