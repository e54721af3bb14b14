"""Assessing many projects of which only downloads are known, most of them hardly any.

Nobody has looked at their pages and nobody speaks of them: so all checks say the same of each, and
no input of the score is known, since downloads count only as far as something confirms them. One is
assessed and speaks for the others. The result is that of `assess`, which is the definition; a test
compares the two.
"""

from collections.abc import Callable, Container
from functools import partial
from operator import attrgetter

from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate_policy.assess import UNCHECKED, assess
from indexgate_policy.assessment import Assessment, Case
from indexgate_policy.checks.quiet import known_days, quiet
from indexgate_policy.downloads.panel import Panel
from indexgate_policy.health.result import HealthScore
from indexgate_policy.signals import Signals, Unknown

_name = attrgetter("name")
_NO_RELEASE = Unknown(reason="advisories are of versions, and none is known")


class Alike:
    """Assesses projects that differ from *model* in their name and in signals on downloads alone.

    It is for those of which `assess` finds no flag and nothing that counts for the score, which
    comes without lines. `is_sound` tells whether that is so of *model*.
    """

    def __init__(self, model: Case) -> None:
        found = assess(model, advisories=_NO_RELEASE, exact=False)
        about = [one for one in found.inputs if one.name not in model.signals]
        scored = isinstance(found.score, HealthScore) and _is_unknown(found.score)
        self.is_sound = scored and not found.flags and all(one.name == UNCHECKED for one in about)
        self._about = about
        self._assessed = partial(
            Assessment,
            index_id=found.index_id,
            formula=found.formula,
            flags=(),
            score=replace(found.score, lines=())
            if isinstance(found.score, HealthScore)
            else found.score,
            assessed_at=found.assessed_at,
            valid_until=found.valid_until,
        )

    def assessed(self, name: NormalizedName, signals: Signals) -> Assessment:
        """Return what `assess` does for the project *name* with *signals*."""
        inputs = [*signals.values(), *self._about]
        inputs.sort(key=_name)
        return self._assessed(project=name, inputs=tuple(inputs))


def _is_unknown(score: HealthScore) -> bool:
    return not score.caps and not any(line.known for line in score.lines)


class Quiet:
    """The projects of *panel* of which no check has anything to say, by what is known of them.

    That is where downloads are few, it is not known since when they are, and the series, which is
    no row of *moved*, tells nothing.
    """

    def __init__(self, panel: Panel, moved: Container[int]) -> None:
        old = panel.born < 0
        self._rows = [
            few and row not in moved for row, few in enumerate((quiet(panel) & old).tolist())
        ]
        self._kinds = [tuple(days) for days in known_days(panel).tolist()]
        self._models: dict[tuple[int, ...], Alike] = {}

    def alike(self, row: int, case: Callable[[], Case]) -> Alike | None:
        """Return what assesses the project *row*, whose *case* may serve as the model.

        None when it is not quiet, or when something was found in the model. Nobody may have spoken
        of the project, and its name must resemble no other.
        """
        if not self._rows[row]:
            return None
        kind = self._kinds[row]
        found = self._models.get(kind)
        if found is None:
            found = self._models[kind] = Alike(case())
        return found if found.is_sound else None
