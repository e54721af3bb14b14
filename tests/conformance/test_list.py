"""The project list in both forms."""

import json
from pathlib import Path

import pytest

from tests.conformance.catalogue import JSON_TYPE, PLAIN, PROJECTS
from tests.conformance.reading import read_html
from tests.conformance.requirements import holds
from tests.conformance.worlds import Spoken, World, opened, serve_list

pytestmark = pytest.mark.asyncio(loop_scope="session")


@holds("E56", "E57", "E58", "E60", "C29", "B26")
async def test_both_forms_list_every_project_once(world: World) -> None:
    answer = await world.ask("/simple/", Accept=JSON_TYPE)
    listed = answer.json()
    major, minor = listed["meta"]["api-version"].split(".")
    assert major == "1"
    assert int(minor) <= 5
    names = [entry["name"] for entry in listed["projects"]]
    assert names == [project.name for project in PROJECTS]
    html = read_html((await world.ask("/simple/", Accept="text/html")).body)
    assert [anchor.text for anchor in html.anchors] == names
    assert [anchor.href for anchor in html.anchors] == [f"{p.normalized}/" for p in PROJECTS]
    assert html.metas["pypi:repository-version"] in {"1.0", "1.4"}
    for anchor in html.anchors[:3]:
        assert (await world.ask(f"/simple/{anchor.href}")).status in {200, 451}


@holds("E59")
async def test_the_list_is_fetched_once_and_never_for_a_page(world: World) -> None:
    for accept in (JSON_TYPE, "text/html"):
        await world.ask("/simple/", Accept=accept)
    await world.ask("/simple/plain/")
    assert world.upstream.count("/simple/") <= 1


@holds("E56", "E57")
@pytest.mark.parametrize("spoken", ["json", "html"])
async def test_double_and_impossible_names_are_left_out_of_both_forms(
    spoken: Spoken, tmp_path: Path
) -> None:
    async with opened(spoken, "open", tmp_path, projects=[PLAIN]) as world:
        serve_list(world.upstream, spoken, ["Plain", "plain", "a", "..", "b\r\nc", "-", "A_b"])
        answer = await world.ask("/simple/", Accept=JSON_TYPE)
        names = [entry["name"] for entry in json.loads(answer.body)["projects"]]
        html = read_html((await world.ask("/simple/", Accept="text/html")).body)
        assert names == [anchor.text for anchor in html.anchors]
        assert sorted(names) == ["A_b", "Plain", "a"]
