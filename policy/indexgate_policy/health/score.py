"""The health score of a project: the sum of what its inputs give, under its caps (science hs-1)."""

from collections.abc import Iterable, Set
from datetime import datetime
from functools import lru_cache

from msgspec.structs import replace

from indexgate_policy.advisories import Advisories
from indexgate_policy.assessment import Case
from indexgate_policy.health.adoption import ADOPTION
from indexgate_policy.health.caps import caps, of_advisories
from indexgate_policy.health.centrality import CENTRALITY
from indexgate_policy.health.community import COMMUNITY
from indexgate_policy.health.definition import NEUTRAL, Dimension, Input, Reading
from indexgate_policy.health.facts import Facts
from indexgate_policy.health.maintainers import MAINTAINERS
from indexgate_policy.health.maintenance import MAINTENANCE
from indexgate_policy.health.open_advisories import OpenAdvisories
from indexgate_policy.health.popularity import POPULARITY
from indexgate_policy.health.result import Cap, HealthScore, Line, grade
from indexgate_policy.health.security import SECURITY, advisories_evidence, advisories_value
from indexgate_policy.signals import Unknown

FORMULA = "hs-1"
DIMENSIONS: tuple[Dimension, ...] = (
    SECURITY,
    MAINTENANCE,
    CENTRALITY,
    MAINTAINERS,
    COMMUNITY,
    POPULARITY,
    ADOPTION,
)
"""All dimensions, the weightiest first; their weights add up to 1, and so do those in each."""

_NOT_SHOWN = "nothing shows that the repository is its own"
_NO_FEED = Unknown(reason="no advisory feed has been read yet")


def score(case: Case, advisories: Advisories | Unknown = _NO_FEED) -> HealthScore:
    """Return the health of the project of *case*, with *advisories* as known at `case.now`.

    Pure, and never raises: an input that fails is unknown and says so.
    """
    facts = Facts(case, advisories)
    lines: list[Line] = []
    confidence = 0.0
    for dimension in DIMENSIONS:
        for each in dimension.inputs:
            reading = _read(each, facts)
            share = dimension.weight * each.weight
            lines.append(_line(dimension, each, 100 * share, reading))
            if reading.value is not None:
                confidence += share * facts.freshness(each.signals, reading.seen)
    return _result(tuple(lines), min(1.0, confidence), caps(facts))


def confidence_at_most(case: Case, unheard: Set[str] = frozenset()) -> float:
    """Return what the confidence of the score of *case* comes to at most.

    That takes a fraction of the time that the score takes. Signals *unheard* may become known.
    """
    facts, signals = Facts(case, _NO_FEED), case.signals.values()
    known = {signal.name for signal in signals if not isinstance(signal.value, Unknown)}
    return sum(
        dimension.weight * each.weight
        for dimension in DIMENSIONS
        for each in dimension.inputs
        if each.of_page
        or not each.signals
        or not unheard.isdisjoint(each.signals)
        or (not known.isdisjoint(each.signals) and _read(each, facts).value is not None)
    )


def with_advisories(
    scored: HealthScore, opened: OpenAdvisories | Unknown, now: datetime
) -> HealthScore:
    """Return *scored* with what is *opened* at *now*: it may be lower for that, and never higher.

    This is for the moment between an advisory's publication and the next assessment. What an
    advisory lowers besides (a finished library is none with a high advisory) waits for that.
    """
    if isinstance(opened, Unknown):
        return scored
    lines = tuple(
        _lowered(line, opened) if line.input == "advisories" else line for line in scored.lines
    )
    more = (cap for cap in of_advisories(opened, now) if cap not in scored.caps)
    return _result(lines, scored.confidence, (*scored.caps, *more))


def _read(each: Input, facts: Facts) -> Reading:
    try:
        reading = each.read(facts)
    except Exception as error:  # any failure of an input is a fact about it
        lines = str(error).splitlines() or [""]
        return Reading(None, f"the input failed: {type(error).__name__} {lines[0][:200]}".rstrip())
    if each.of_repository and reading.value is not None:
        return _credited(reading, facts.repository_share)
    return reading


def _credited(reading: Reading, share: float | Unknown) -> Reading:
    """Let a fact of the repository count as far as the repository is known to be the project's."""
    if isinstance(share, Unknown):
        return Reading(None, f"{reading.evidence}, but {share.reason}")
    if share == 1 or reading.value is None or reading.value <= NEUTRAL:
        return reading
    if not share:
        return Reading(None, f"{reading.evidence}, but {_NOT_SHOWN}")
    said = f"{reading.evidence}; counts in part, {_NOT_SHOWN}"
    return reading._replace(value=NEUTRAL + (reading.value - NEUTRAL) * share, evidence=said)


def _line(dimension: Dimension, each: Input, most: float, reading: Reading) -> Line:
    value, evidence, _ = reading
    if value is None:
        return _unknown_line(dimension.name, each.name, most, evidence)
    if not 0 <= value <= 1:  # no input gives such a value; a sum must hold all the same
        value = float(value > 1)
    return Line(
        dimension=dimension.name,
        input=each.name,
        points=most * value,
        most=most,
        known=True,
        evidence=evidence,
    )


@lru_cache(maxsize=4096)  # of a whole index most inputs are unknown, for a few reasons
def _unknown_line(dimension: str, name: str, most: float, evidence: str) -> Line:
    return Line(
        dimension=dimension,
        input=name,
        points=most * NEUTRAL,
        most=most,
        known=False,
        evidence=evidence,
    )


def _lowered(line: Line, opened: OpenAdvisories) -> Line:
    points = line.most * advisories_value(opened)
    if points >= line.points:
        return line
    return replace(line, points=points, known=True, evidence=advisories_evidence(opened))


def _result(lines: tuple[Line, ...], confidence: float, held: Iterable[Cap]) -> HealthScore:
    uncapped = min(100.0, sum(line.points for line in lines))
    below = tuple(sorted((c for c in held if c.limit < uncapped), key=lambda cap: cap.limit))
    value = below[0].limit if below else uncapped
    return HealthScore(
        formula=FORMULA,
        value=value,
        uncapped=uncapped,
        confidence=confidence,
        grade=grade(value),
        lines=lines,
        caps=below,
    )
