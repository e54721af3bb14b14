"""Conditions on health: `health`, `confidence`, `grade`, `human_installs`."""

from math import isfinite
from typing import TypeGuard, get_args

from indexgate_policy.health.result import Grade, HealthScore
from indexgate_policy.rules.conditions import shapes
from indexgate_policy.rules.conditions.definition import Definition, Scope, Test
from indexgate_policy.rules.conditions.windows import WINDOW, Window
from indexgate_policy.rules.kleene import FAILS, Outcome, holds, unknown
from indexgate_policy.rules.known import Known
from indexgate_policy.rules.strict import Field
from indexgate_policy.signals import Unknown, Value
from indexgate_policy.subject import File

GRADES = get_args(Grade)
_NOT_SCORED = "the project has not been scored yet"
_TOLD_LOSSES = 2
_WORTH_TELLING = 1.0  # points; what costs less does not make a project unhealthy


def _health(field: Field) -> Test:
    window = Window.read(field)

    def test(file: File, known: Known) -> Outcome:
        score = known.score
        if isinstance(score, Unknown):
            return unknown(score.reason)
        if not window.holds(score.value):
            return FAILS
        return holds(f"{file.project.name} has {scored(score)}{because(score)}")

    return test


def _confidence(field: Field) -> Test:
    window = Window.read(field)

    def test(file: File, known: Known) -> Outcome:
        score = known.score
        if isinstance(score, Unknown):
            return unknown(score.reason)
        if not window.holds(score.confidence):
            return FAILS
        return holds(f"{score.confidence:.0%} of what the score rests on is known")

    return test


def _grade(field: Field) -> Test:
    wanted = field.some_of(GRADES)

    def test(file: File, known: Known) -> Outcome:
        score = known.score
        if isinstance(score, Unknown):
            return unknown(score.reason)
        if score.grade not in wanted:
            return FAILS
        return holds(f"{file.project.name} has {scored(score)}{because(score)}")

    return test


def _human_installs(field: Field) -> Test:
    window = Window.read(field)

    def test(file: File, known: Known) -> Outcome:
        if isinstance(known.signals, Unknown):
            return unknown(known.signals.reason)
        guess = known.signals.value("human_installs")
        low = known.signals.value("human_installs_low")
        high = known.signals.value("human_installs_high")
        if isinstance(guess, Unknown):
            return unknown(guess.reason)
        if not _is_count(guess):
            return unknown("the signal human_installs is not a number")
        ends = [end if _is_count(end) else guess for end in (low, high)]
        within = {window.holds(end) for end in ends}
        if len(within) > 1:
            return unknown(
                f"{file.project.name} has {ends[0]:,.0f} to {ends[1]:,.0f} installs by people in "
                "30 days, which does not settle it"
            )
        if within == {False}:
            return FAILS
        return holds(f"{file.project.name} has about {guess:,.0f} installs by people in 30 days")

    return test


def _is_count(value: Value | Unknown) -> TypeGuard[float]:
    return isinstance(value, int | float) and isfinite(value)


def scored(score: HealthScore) -> str:
    """Return the score in words: `health 24 of 100 (grade E)`."""
    return f"health {score.value:.0f} of 100 (grade {score.grade})"


def because(score: HealthScore) -> str:
    """Say what keeps the score down: the lowest cap, or the known inputs that cost most."""
    if score.caps:
        return f": {score.caps[0].reason}"
    losses = sorted(
        (line for line in score.lines if line.known and line.most - line.points >= _WORTH_TELLING),
        key=lambda line: line.points - line.most,
    )
    told = "; ".join(line.evidence for line in losses[:_TOLD_LOSSES])
    return f": {told}" if told else ""


HEALTH = Definition(
    name="health",
    scope=Scope.PROJECT,
    what="The project's health score, 0 to 100, lies within the window.",
    value=WINDOW,
    example="{ below = 30 }",
    unknown=_NOT_SCORED,
    least=0,
    most=100,
    shape=shapes.WINDOW,
    read=_health,
)
CONFIDENCE = Definition(
    name="confidence",
    scope=Scope.PROJECT,
    what=(
        "The confidence of the health score lies within the window: the share, 0 to 1, of its "
        "inputs that are known and fresh. Ask for it beside `health`."
    ),
    value=WINDOW,
    example="{ at_least = 0.6 }",
    unknown=_NOT_SCORED,
    least=0,
    most=1,
    shape=shapes.WINDOW,
    read=_confidence,
)
GRADE = Definition(
    name="grade",
    scope=Scope.PROJECT,
    what="The project's grade is one of these: A from 75 points, B from 60, C from 45, D from 30.",
    value="one of " + ", ".join(f"`{grade}`" for grade in GRADES) + ", or a list of them",
    example='["D", "E"]',
    unknown=_NOT_SCORED,
    shape=shapes.one_or_many(shapes.one_of(GRADES)),
    read=_grade,
)
HUMAN_INSTALLS = Definition(
    name="human_installs",
    scope=Scope.PROJECT,
    what=(
        "Installs of the last 30 days that look like people lie within the window, the whole "
        "interval of them."
    ),
    value=WINDOW,
    example="{ below = 50 }",
    unknown="downloads are not known, or the interval reaches over an end of the window",
    least=0,
    shape=shapes.WINDOW,
    read=_human_installs,
)
