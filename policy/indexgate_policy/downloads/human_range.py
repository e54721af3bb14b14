"""How many installs look human, between what and what, from a day's class counts alone.

The store keeps counts by class, not the rows, and a row's own doubt (`classes.doubt`) goes with the
row. The range is rebuilt from what the rule table says of the row that is typical of each class:
people among bots stand in rows without details, among scanners in `requests`, among pipelines on
Debian, and the rest on macOS and Windows. It is a stand-in: somewhat wider than the rows' own.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from indexgate_policy.downloads.classes import doubt
from indexgate_policy.downloads.kinds import CLASSES
from indexgate_policy.downloads.panel import Counts
from indexgate_policy.downloads.rule_table import RULES

_TYPICAL: Final = {"bot": "S1", "scanner": "S4", "pipeline": "P1-debian"}
_DESKTOPS: Final = ("H1", "H2")
_SHARES = {rule.id: dict(zip(CLASSES, rule.shares, strict=True)) for rule in RULES}


def _a_download(of: int) -> NDArray[np.float64]:
    """Return, by class, the people (*of* 0: expected, 1: at most) that come with one download."""
    people = np.zeros(len(CLASSES))
    for name, rule in _TYPICAL.items():
        human = _SHARES[rule]["human"]
        people[CLASSES.index(name)] = (human, doubt(human)[1])[of] / _SHARES[rule][name]
    return people


_EXPECTED, _AT_MOST = _a_download(0), _a_download(1)
_AT_A_DESK = sum(_SHARES[rule]["human"] for rule in _DESKTOPS) / len(_DESKTOPS)
_LEAST, _MOST = (end / _AT_A_DESK for end in doubt(_AT_A_DESK))
_HUMAN = CLASSES.index("human")


def human_range(classes: Counts) -> tuple[Counts, Counts]:
    """Return the lower and upper end of the human installs among *classes* (..., 7)."""
    human = classes[..., _HUMAN]
    strewn = np.minimum(classes @ _EXPECTED, human)
    low = (human - strewn) * _LEAST
    high = np.minimum((human - strewn) * _MOST + classes @ _AT_MOST, classes.sum(axis=-1))
    return low, np.maximum(high, human)
