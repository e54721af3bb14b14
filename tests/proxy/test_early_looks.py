"""What a first look was made for is never taken for more than it is."""

import pytest
from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate import early_looks
from indexgate.early_looks import EarlyLooks
from indexgate_policy.assessment import Assessment, Case, Context
from indexgate_policy.first_look import first_look
from indexgate_policy.rules.reads import ALL, NOTHING, Reads
from indexgate_policy.signals import Signals
from tests.policy.rules.facts import NOW, project, release
from tests.policy.test_first_look import Popular

PAGE = Reads(checks=frozenset(["typosquat"]), score=None, signals=False)
FILE = replace(PAGE, checks=frozenset(["typosquat", "malware"]))


def look(reads: Reads, name: str = "demo") -> Assessment:
    case = Case(
        project=replace(project(), name=NormalizedName(name)),
        releases=(release("1.0"),),
        signals=Signals(),
        context=Context(popular=Popular(0.1)),
        now=NOW,
    )
    found = first_look(case, reads)
    assert found is not None
    return found


def test_what_was_looked_at_for_a_page_is_too_little_for_a_file() -> None:
    early = EarlyLooks()
    page, file = look(PAGE), look(FILE)
    early.keep(page, PAGE)
    assert not early.is_too_little(page, PAGE)
    assert early.is_too_little(page, FILE)
    early.keep(file, FILE)
    assert not early.is_too_little(file, FILE)
    assert not early.is_too_little(file, PAGE)
    assert early.is_too_little(file, ALL)


def test_what_another_look_has_replaced_does_for_nothing_that_is_read() -> None:
    early = EarlyLooks()
    page = look(PAGE)
    early.keep(page, PAGE)
    early.keep(look(FILE), FILE)
    assert early.is_too_little(page, FILE)
    early.drop(page.project)
    assert early.is_too_little(page, FILE)
    assert early.made_for(page) == NOTHING


def test_what_is_forgotten_does_for_nothing_that_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early_looks, "_MOST", 1)
    early = EarlyLooks()
    page, other = look(PAGE), look(PAGE, "other")
    early.keep(page, PAGE)
    early.keep(other, PAGE)
    assert early.is_too_little(page, PAGE)
    assert not early.is_too_little(other, PAGE)
