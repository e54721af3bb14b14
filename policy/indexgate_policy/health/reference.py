"""The reference of the score, rendered from the definitions that it is computed by."""

from collections.abc import Iterator

from indexgate_policy.health.caps import RULES
from indexgate_policy.health.criticality import TERMS, VARIANTS
from indexgate_policy.health.definition import NEUTRAL, Dimension
from indexgate_policy.health.facts import ALIKE
from indexgate_policy.health.result import GRADES, LOWEST
from indexgate_policy.health.score import DIMENSIONS, FORMULA
from indexgate_policy.health.scorecard_view import COUNTED_ELSEWHERE, WEIGHTS

_OPENING = """\
# The health score

The score `{formula}` is the sum of the points below, from 0 to 100, under its caps. What it is good
for is told in [the health score](../concepts/score.md). This page is made from the program's own
definitions.

Each input gives a value from 0 to 1, and its points are the value times what it can give at most.
An input that is unknown gives {neutral:.0%} of its points: not bad, and never good.

Confidence is the share of all points whose inputs are known, each halved for every 30 days since
its oldest fact was seen. It stands beside the score and never moves it.

Facts marked "of the repository" are true of the repository that a project names, and anyone can
name a famous one. They count in full when an attestation ties the two together, when the repository
itself says that it is this project, or when 300 owners need it and the link has stood for a year.
They are unknown when the repository says that it is another project. Else what lies above
{neutral:.0%} counts by {alike:.0%} where the repository is called like the project, and is unknown
where it is not.
"""


def render() -> str:
    """Return `docs/reference/score.md`."""
    lines = [
        *_OPENING.format(formula=FORMULA, neutral=NEUTRAL, alike=ALIKE).splitlines(),
        "",
        "| dimension | points | why it counts so much |",
        "| --- | --- | --- |",
        *(
            f"| [{each.name}](#{each.name}) | {100 * each.weight:g} | {each.why} |"
            for each in DIMENSIONS
        ),
    ]
    for dimension in DIMENSIONS:
        lines.extend(_dimension(dimension))
    lines.extend((*_caps(), *_grades(), *_views()))
    return "\n".join(lines) + "\n"


def _dimension(dimension: Dimension) -> Iterator[str]:
    yield from ("", f"## {dimension.name}", "", f"{dimension.why}.")
    for each in dimension.inputs:
        names = ", ".join(f"`{name}`" for name in each.signals)
        if each.of_repository:
            names += ", of the repository"
        yield from (
            "",
            f"### `{each.name}`",
            "",
            f"{each.says}.",
            "",
            f"- points: at most {100 * dimension.weight * each.weight:.3g}",
            f"- value: {each.computes}",
            f"- signals: {names or 'none, it is read from the page or the advisory feed'}",
            f"- source: {each.source}",
        )


def _caps() -> Iterator[str]:
    yield from ("", "## Caps", "")
    yield "What no other merit makes up for. A cap that holds is shown as a line of its own."
    yield from ("", "| at most | when |", "| --- | --- |")
    yield from (f"| {rule.limit:g} | {rule.when} |" for rule in RULES)


def _grades() -> Iterator[str]:
    yield from ("", "## Grades", "", "| grade | from |", "| --- | --- |")
    yield from (f"| {name} | {least:g} |" for least, name in (*GRADES, (0, LOWEST)))


def _views() -> Iterator[str]:
    apart = " and ".join(sorted(COUNTED_ELSEWHERE))
    yield from (
        "",
        "## Two further views",
        "",
        "They are shown beside the score and are no part of its sum.",
        "",
        "### Criticality",
        "",
        "OpenSSF's Criticality Score says how much stands on a project, not how well it is: the",
        "mean of ln(1 + x) / ln(1 + bound) by weight. Fields that are missing are left out of the",
        "mean and shown.",
        "",
        f"| field | bound | {' | '.join(f'weight, {variant}' for variant in VARIANTS)} |",
        f"| --- | --- |{' --- |' * len(VARIANTS)}",
    )
    for term in TERMS:
        weights = " | ".join(f"{term.weights[variant]:g}" for variant in VARIANTS)
        yield f"| {term.name} | {term.bound:,g} | {weights} |"
    yield from (
        "",
        "### Scorecard by check",
        "",
        "The mean of the checks of OpenSSF Scorecard by risk, without those that could not tell;",
        f"and the same without {apart}, which the score has inputs of its own for.",
        "",
        "| weight | checks |",
        "| --- | --- |",
    )
    for weight in sorted(set(WEIGHTS.values()), reverse=True):
        names = ", ".join(name for name, its in WEIGHTS.items() if its == weight)
        yield f"| {weight:g} | {names} |"
