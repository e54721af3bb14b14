"""Break-glass: for one run, refusals are warnings, on the word of whoever broke the glass.

What is refused as malware, what the index quarantined, what upstream removed and what could not be
judged stay refused: haste is how such things get in.
"""

import hashlib
import re
from datetime import datetime

from msgspec.structs import replace

from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.exemptions import BREAK_GLASS, Exemption

_ALL = re.compile(".*")


def opened(policy: Policy, *, run: str, owner: str, reason: str, ends: datetime) -> Policy:
    """Return *policy* for the *run*, in which every rule but malware's is waived until *ends*.

    A policy that does not allow it is returned as it is.
    """
    if not policy.break_glass:
        return policy
    glass = Exemption(
        id=run,
        written="*",
        projects=_ALL,
        version=None,
        rules=frozenset(rule.id for rule in policy.rules),
        reason=reason,
        owner=owner,
        expires=ends.date(),
        ends=ends,
        spares_malware=True,
        word=BREAK_GLASS,
    )
    said = f"{policy.digest}\n{run}\n{owner}\n{reason}\n{ends}".encode()
    return replace(
        policy,
        exemptions=(*policy.exemptions, glass),
        digest=hashlib.sha256(said).hexdigest(),
    )
