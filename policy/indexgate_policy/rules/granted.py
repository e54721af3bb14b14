"""Exemptions that were granted apart from the policy document, and how the two are one policy.

They have the shape that they have in the policy document and are read by the same reader. What they
waive need not be in the policy any more: a policy that is edited must not break what was granted.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date

from msgspec import Struct
from msgspec.structs import replace

from indexgate_policy.rules import document
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.document_text import read_toml
from indexgate_policy.rules.exemptions import Exemption

_KEYS = ("version", "exemption", "grandfather")
_TABLES = ("exemption", "grandfather")
_OPENING = """\
# Exemptions that `indexgate exempt` granted. Written by it; an edit by hand holds as well, and one
# that cannot be read is passed over until it is mended.
version = 1
"""


class Granted(Struct, frozen=True, kw_only=True):
    """What was granted; `digest` changes with its meaning."""

    exemptions: tuple[Exemption, ...] = ()
    digest: str = ""

    def joined(self, policy: Policy) -> Policy:
        """Return *policy* with these exemptions, none longer than it allows from its grant on."""
        if not self.exemptions:
            return policy
        capped = (exemption.capped(policy.max_exemption) for exemption in self.exemptions)
        both = f"{policy.digest}\n{self.digest}".encode()
        return replace(
            policy,
            exemptions=(*policy.exemptions, *capped),
            digest=hashlib.sha256(both).hexdigest(),
        )


NONE = Granted()


def parse(text: bytes | str, *, source: str) -> Granted:
    """Return what the document *text* grants. Raises PolicyError and nothing else."""
    root = read_toml(text, source)
    fields = root.fields(_KEYS, "granted exemptions")
    if type(fields.needed("version").value) is not int or fields["version"].value != 1:
        raise fields["version"].wrong("the number `1`")
    said = json.dumps(root.value, default=str)
    return Granted(
        exemptions=document.read_exemptions(fields, None),
        digest=hashlib.sha256(said.encode()).hexdigest(),
    )


def render(tables: Mapping[str, Sequence[Mapping[str, object]]]) -> str:
    """Return the document that holds *tables*: lists of `exemption` and `grandfather` tables."""
    each = [table_text(name, table) for name in _TABLES for table in tables.get(name, ())]
    return "\n".join([_OPENING, *each])


def table_text(name: str, table: Mapping[str, object]) -> str:
    """Return one table `[[name]]` as TOML, with a line break at its end."""
    lines = [f"[[{name}]]", *(f"{key} = {_value(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        if len(value) < 2:
            return f"[{''.join(_value(item) for item in value)}]"
        return "[\n" + "".join(f"    {_value(item)},\n" for item in value) + "]"
    # JSON's strings are TOML's, but for the one control character that JSON leaves as it is.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
