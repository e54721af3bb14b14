"""What is legal and most likely not meant is found where it stands; what is meant is left alone."""

import pytest

from indexgate_policy import policies
from indexgate_policy.checks import CHECKS
from indexgate_policy.errors import PolicyError
from indexgate_policy.rules.lint import LINTS, Finding, lint
from indexgate_policy.rules.positions import Position
from tests.policy.rules.facts import NOW

COMPUTED = frozenset(check.definition.id for check in CHECKS)


def found(text: str, **more: object) -> list[Finding]:
    given: dict[str, object] = {"checks": COMPUTED} | more
    return list(lint(f"version = 1\n{text}", source="p.toml", now=NOW, **given))  # type: ignore[arg-type]


def rule(
    name: str, when: str, action: str = "refuse", unknown: str = "warn", more: str = ""
) -> str:
    return (
        f'[[rule]]\nid = "{name}"\naction = "{action}"\nwhen = {{ {when} }}\n'
        f'unknown = "{unknown}"\n{more}\n'
    )


def exemption(project: str = "demo", expires: str = "2026-12-31") -> str:
    return (
        f'[[exemption]]\nproject = "{project}"\nrule = "a"\nreason = "why"\nowner = "me"\n'
        f"expires = {expires}\n"
    )


YANKED = rule("a", "yanked = true")

ODD = [
    ("no-rules", "", None),
    ("never-fires", YANKED + rule("b", 'yanked = true, kind = "sdist"'), 8),
    ("never-fires", rule("a", "owners = { below = 5 }") + rule("b", "owners = { below = 3 }"), 8),
    ("never-holds", rule("a", "health = { below = 0 }, confidence = { at_least = 0.5 }"), 5),
    ("never-holds", rule("a", "confidence = { at_least = 60 }"), 5),
    ("always-holds", rule("a", "health = { below = 101 }, confidence = { at_least = 0.5 }"), 5),
    ("always-holds", rule("a", "owners = { at_least = 0 }"), 5),
    ("malware-unknown-allowed", rule("a", 'advisory = "malware"', unknown="allow"), 6),
    ("malware-unknown-allowed", rule("a", 'advisory = { id = "X-1" }', unknown="allow"), 6),
    ("new-projects-refused", rule("a", "owners = { below = 2 }", unknown="refuse"), 6),
    ("health-without-confidence", rule("a", 'grade = "E"'), 5),
    ("volume-refuses-alone", rule("a", 'flag = { id = ["typosquat", "download-surge"] }'), 5),
    (
        "volume-refuses-alone",
        rule("a", 'any = [{ yanked = true }, { flag = { id = "new-10k" } }]'),
        5,
    ),
    ("volume-refuses-alone", rule("a", "any_flag = { explained = false }"), 5),
    ("exemption-expired", YANKED + exemption(expires="2026-11-21"), 13),
    ("exemption-lasts-long", YANKED + exemption(expires="2027-11-24"), 13),
    ("exemption-lasts-long", 'max_exemption = "14d"\n' + YANKED + exemption(), 14),
]


@pytest.mark.parametrize(("lint_id", "text", "line"), ODD)
def test_what_is_odd_is_found_where_it_stands(lint_id: str, text: str, line: int | None) -> None:
    [finding] = found(text)
    assert finding.id == lint_id
    assert (finding.position and finding.position.line) == line
    assert finding.message
    assert finding.hint
    assert not finding.message.endswith(".")


@pytest.mark.parametrize(
    "text",
    [
        YANKED + rule("b", "yanked = false"),
        # A warning above refuses nothing; an excuse above lets the rule below speak.
        rule("a", "yanked = true", action="warn") + rule("b", "yanked = true"),
        rule("a", "yanked = true", more='unless = { project = "demo" }')
        + rule("b", "yanked = true"),
        # What is unknown above is allowed, and warned of below.
        rule("a", "release_age = { below = '2d' }", unknown="allow")
        + rule("b", "release_age = { below = '1d' }"),
        rule("a", "owners = { below = 3 }") + rule("b", "owners = { below = 5 }"),
        rule("a", 'flag = { id = "typosquat", severity = "high" }')
        + rule("b", 'flag = { id = "typosquat", severity = { at_least = "medium" } }'),
        rule("a", 'advisory = { kind = "vulnerability" }', unknown="allow"),
        rule("a", 'flag = { id = "download-surge" }, project_age = { below = "30d" }'),
        rule("a", 'flag = { id = "download-surge" }', action="warn"),
        YANKED + exemption(expires="2026-11-22"),
    ],
)
def test_what_can_be_meant_is_left_alone(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize("name", policies.NAMES)
def test_the_shipped_policies_are_not_odd(name: str) -> None:
    assert lint(policies.shipped(name), source=name, now=NOW, checks=COMPUTED) == ()


def test_a_flag_that_is_not_computed_is_found() -> None:
    text = rule("a", 'flag = { id = ["typosquat", "yanked"] }')
    [finding] = found(text, checks={"typosquat"})
    assert finding.id == "flag-not-computed"
    assert "`yanked`" in finding.message
    assert "typosquat" not in finding.message


def test_an_exemption_that_fits_no_name_is_found_where_names_are_given() -> None:
    text = YANKED + exemption("demo-*")
    assert found(text, names=["Demo_2"]) == []
    [finding] = found(text, names=["flask", "requests"])
    assert finding.id == "exemption-matches-none"
    assert finding.position == Position(9, 1)


def test_each_exemption_is_told_where_it_stands_also_one_that_is_written_twice() -> None:
    over = exemption(expires="2026-11-01")
    found_at = [each.position for each in found(YANKED + over + over + over.replace("demo", "x"))]
    assert [at.line for at in found_at if at] == [13, 19, 25]


def test_one_that_nothing_cuts_short_says_so_and_what_does() -> None:
    bound = 'max_exemption = "14d"\n' + YANKED
    [uncut] = found(bound + exemption())
    assert uncut.message.endswith("without its day of grant nothing cuts it short")
    assert "`granted = 2026-11-22`" in uncut.hint
    assert uncut.position is not None
    assert uncut.position.line == 14
    [cut] = found(bound + exemption() + "granted = 2026-11-20\n")
    assert "cut" not in cut.message
    assert found(bound + exemption(expires="2026-12-05")) == []


def test_an_exemption_that_the_policy_cut_short_is_over() -> None:
    text = 'max_exemption = "7d"\n' + YANKED + exemption() + "granted = 2026-11-01\n"
    [finding] = found(text)
    assert finding.id == "exemption-expired"
    assert "2026-11-08" in finding.message


def test_a_shadowed_rule_that_an_exemption_opens_is_told_apart() -> None:
    text = YANKED + rule("b", "yanked = true") + exemption()
    [finding] = found(text)
    assert "only where that one is waived" in finding.message


def test_findings_stand_in_the_order_of_the_document() -> None:
    text = rule("a", 'grade = "E"', unknown="refuse") + rule("b", "confidence = { below = 0 }")
    assert [finding.position for finding in found(text)] == sorted(
        finding.position for finding in found(text) if finding.position
    )
    assert len(found(text)) == 3


def test_every_lint_is_shown_by_a_test() -> None:
    shown = {lint_id for lint_id, _, _ in ODD} | {"flag-not-computed", "exemption-matches-none"}
    assert shown == LINTS.keys()


def test_a_document_that_cannot_be_used_is_an_error() -> None:
    with pytest.raises(PolicyError):
        lint("version = 2", source="p.toml", now=NOW)
