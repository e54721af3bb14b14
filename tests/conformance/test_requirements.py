"""The table of requirements: every id that is held has a test, and the page says what it says."""

import importlib
import pkgutil
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import tests.conformance
from tests.conformance import reference
from tests.conformance.requirements import REQUIREMENTS, SECTIONS

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "standards.md"


def _marked() -> Iterator[tuple[str, str]]:
    """Yield the id and the name of every test that holds it."""
    for module in pkgutil.iter_modules(tests.conformance.__path__, "tests.conformance."):
        if not module.name.rpartition(".")[2].startswith("test_"):
            continue
        for name, found in vars(importlib.import_module(module.name)).items():
            if name.startswith("test_") and callable(found):
                for mark in getattr(found, "pytestmark", []):
                    if mark.name == "requirement":
                        yield from ((id_, name) for id_ in mark.args)


def test_every_requirement_that_is_held_has_a_test() -> None:
    tested = {id_ for id_, _ in _marked()}
    assert {one.id for one in REQUIREMENTS.values() if one.tested} - tested == set()


def test_every_test_holds_requirements_that_there_are() -> None:
    held = {one.id for one in REQUIREMENTS.values() if one.tested}
    wrong = defaultdict(set)
    for id_, name in _marked():
        if id_ not in held:
            wrong[id_].add(name)
    assert wrong == {}


def test_the_ids_are_numbered_through() -> None:
    numbers = [int(id_[1:]) for id_ in REQUIREMENTS]
    # The sections stand in the order of the checklist, in which T comes before S.
    assert sorted(numbers) == list(range(1, 162))
    assert sum(len(section.requirements) for section in SECTIONS) == len(REQUIREMENTS)


def test_what_is_not_as_it_is_asked_for_says_why() -> None:
    assert [r.id for r in REQUIREMENTS.values() if r.standing != "held" and not r.note] == []


def test_the_page_of_the_reference_is_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference.page(), (
        "write it anew: python -c 'from tests.conformance import reference; "
        f"print(reference.page(), end=str())' > {PAGE.name}"
    )
