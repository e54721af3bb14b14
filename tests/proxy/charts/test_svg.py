"""The picture: whole, text as text, nothing that runs or loads, whatever others wrote."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from msgspec.structs import replace

from indexgate.charts.story import story
from indexgate.charts.svg import WIDTH, picture
from indexgate_policy.signals import Unknown
from tests.policy.timeline.cases import STORIES, before_end, event
from tests.proxy.charts.views import view_of

SHAPES = {"svg", "title", "desc", "style", "rect", "line", "text"}
SVG = "{http://www.w3.org/2000/svg}"


def texts(root: ET.Element) -> list[str]:
    return ["".join(one.itertext()) for one in root.iter(f"{SVG}text")]


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.parametrize("days", [20, 182])
def test_everything_that_is_said_is_in_the_picture_as_text(name: str, days: int) -> None:
    view = view_of(name, days=days)
    root = ET.fromstring(picture(view))
    said = " ".join(texts(root))
    told = story(view)
    assert told.headline in said
    for change in told.told:
        assert change.what in said
        assert change.why in said
    for row in told.rows:
        assert row.text in said
    assert all(note in said for note in told.notes)


@pytest.mark.parametrize("name", STORIES)
def test_nothing_lies_outside_the_picture(name: str) -> None:
    root = ET.fromstring(picture(view_of(name)))
    height = float(root.attrib["height"])
    for shape in root.iter():
        for axis, most in (("x", WIDTH), ("y", height)):
            if axis in shape.attrib:
                assert 0 <= float(shape.attrib[axis]) <= most
        if shape.tag == f"{SVG}rect":
            assert float(shape.attrib.get("x", 0)) + float(shape.attrib["width"]) <= WIDTH
            assert float(shape.attrib["height"]) >= 0


def test_it_runs_and_loads_nothing_and_knows_the_dark() -> None:
    text = picture(view_of("bought"))
    root = ET.fromstring(text)
    assert {shape.tag.removeprefix(SVG) for shape in root.iter()} == SHAPES
    assert "url(" not in text
    assert "href" not in text
    assert "@import" not in text
    assert "prefers-color-scheme: dark" in text


def test_text_of_others_stays_text() -> None:
    view = view_of("bought")
    evil = "</text><script>alert(1)</script>\x00\x1b & \ud800"
    entry = replace(view.timeline.entries[0], event=event("mention", before_end(20), evil))
    root = ET.fromstring(
        picture(
            replace(view, timeline=replace(view.timeline, entries=(entry,)), notes=(evil,))
        ).encode()
    )
    assert not list(root.iter(f"{SVG}script"))
    assert "<script>alert(1)</script>" in " ".join(texts(root))


def test_days_that_are_not_known_are_grey() -> None:
    root = ET.fromstring(picture(view_of("stopped")))
    unknown = [one for one in root.iter(f"{SVG}rect") if one.get("class") == "unknown"]
    assert len(unknown) >= 2
    assert "not known" in texts(root)


def test_without_a_history_there_is_no_chart() -> None:
    view = view_of("bought")
    root = ET.fromstring(picture(replace(view, history=Unknown(reason="none is kept"))))
    assert len(list(root.iter(f"{SVG}rect"))) == 1
    assert "No chart, since none is kept" in texts(root)


def test_the_picture_in_the_docs_is_such_a_picture() -> None:
    path = Path(__file__).parents[3] / "docs" / "images" / "timeline.svg"
    root = ET.fromstring(path.read_text(encoding="utf-8"))
    assert {shape.tag.removeprefix(SVG) for shape in root.iter()} == SHAPES
    assert "Unexplained, and its owners changed" in " ".join(texts(root))
