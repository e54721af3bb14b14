"""OpenSSF Scorecard check by check, weighted by risk: shown beside the score, not added to it.

Scorecard's own aggregate is the mean of check scores 0..10 by risk (critical 10, high 7.5, medium
5, low 2.5) without those that could not tell (-1). Read in ossf/scorecard at 40c1e35.
"""

from collections.abc import Iterable

from msgspec import Struct

from indexgate_policy.signals import Unknown

WEIGHTS: dict[str, float] = {
    **dict.fromkeys(("Dangerous-Workflow", "Webhooks"), 10.0),
    **dict.fromkeys(
        (
            "Maintained",
            "Dependency-Update-Tool",
            "Binary-Artifacts",
            "Branch-Protection",
            "Code-Review",
            "Signed-Releases",
            "Token-Permissions",
            "Vulnerabilities",
        ),
        7.5,
    ),
    **dict.fromkeys(
        ("Fuzzing", "Packaging", "Pinned-Dependencies", "SAST", "SBOM", "Security-Policy"), 5.0
    ),
    **dict.fromkeys(("CI-Tests", "CII-Best-Practices", "Contributors", "License"), 2.5),
}
"""The weight of each check by its risk."""

COUNTED_ELSEWHERE = frozenset({"Maintained", "Vulnerabilities"})
"""Checks of what the score has inputs of its own for."""

_COULD_NOT_TELL = -1.0


class Checked(Struct, frozen=True, kw_only=True):
    """One check: `points` 0..10 or why there are none; `weight` 0 is of a check unknown here."""

    name: str
    points: float | Unknown
    weight: float


def read(checks: Iterable[str]) -> tuple[Checked, ...]:
    """Return the checks in the texts of the signal `scorecard_checks` (`Maintained=10`)."""
    return tuple(_read(text) for text in checks)


def mean(checks: Iterable[Checked], *, without: frozenset[str] = frozenset()) -> float | Unknown:
    """Return the mean 0..10 of *checks* by weight, those *without* left out."""
    points = weight = 0.0
    for check in checks:
        if check.name not in without and not isinstance(check.points, Unknown):
            points += check.weight * check.points
            weight += check.weight
    return points / weight if weight else Unknown(reason="no check of Scorecard could tell")


def _read(text: str) -> Checked:
    name, _, number = text.partition("=")
    weight = WEIGHTS.get(name, 0.0)
    try:
        points = float(number)
    except ValueError:
        reason = f"`{text}` is not a check with its points"
        return Checked(name=name, points=Unknown(reason=reason), weight=weight)
    if points == _COULD_NOT_TELL:
        reason = "Scorecard could not tell"
        return Checked(name=name, points=Unknown(reason=reason), weight=weight)
    if not 0 <= points <= 10:
        reason = f"{number} is not between 0 and 10"
        return Checked(name=name, points=Unknown(reason=reason), weight=weight)
    return Checked(name=name, points=points, weight=weight)
