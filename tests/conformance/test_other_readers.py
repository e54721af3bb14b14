"""What a reader that knows nothing of the gate makes of its pages."""

import json
import warnings
from dataclasses import replace
from pathlib import Path
from urllib.parse import urljoin

import pytest
from pypi_simple import IndexPage, ProjectPage

from tests.conformance import catalogue
from tests.conformance.catalogue import JSON_TYPE, PROJECTS, SentProject, tar
from tests.conformance.requirements import holds
from tests.conformance.worlds import World, opened, serve
from tests.standins.faults import Status

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Pages of 1.5, and a status that no standard knows: the reader cannot take them.
UNREAD = {catalogue.NEWER_API.name, catalogue.NAMESPACED.name, catalogue.SUNSET.name}
READ = [project for project in PROJECTS if project.name not in UNREAD]


@holds("S153", "C30", "D44", "F62")
@pytest.mark.parametrize("project", READ, ids=lambda project: str(project.name))
async def test_an_independent_reader_finds_the_same_in_both_forms(
    world: World, project: SentProject
) -> None:
    path = f"/simple/{project.normalized}/"
    as_json = await world.ask(path, Accept=JSON_TYPE)
    if as_json.status == 451:
        assert world.doing == "hide"
        return
    base = f"http://gate.example.test{path}"
    of_json = ProjectPage.from_json_data(json.loads(as_json.body), base)
    as_html = await world.ask(path, Accept="text/html")
    of_html = ProjectPage.from_html(project.normalized, as_html.body.decode(), base)
    assert of_json.project == of_html.project == project.normalized
    for one, other in zip(of_json.packages, of_html.packages, strict=True):
        assert one.url == other.url
        assert one.url.startswith("http://gate.example.test/files/http/")
        for fact in ("filename", "version", "requires_python", "is_yanked", "yanked_reason"):
            if (fact, getattr(one, fact)) != ("yanked_reason", None):
                assert getattr(one, fact) == getattr(other, fact), fact
        assert bool(one.has_metadata) == bool(other.has_metadata)
        if "sha256" in one.digests:
            assert other.digests == {"sha256": one.digests["sha256"]}


@holds("S153", "E56", "E57")
async def test_an_independent_reader_finds_the_same_projects_in_both_lists(world: World) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        of_json = IndexPage.from_json_data((await world.ask("/simple/", Accept=JSON_TYPE)).json())
        of_html = IndexPage.from_html((await world.ask("/simple/", Accept="text/html")).body)
    assert of_json.projects == of_html.projects == [project.name for project in PROJECTS]


@holds("D48", "R160")
async def test_a_gate_behind_a_gate_loses_nothing(world: World, tmp_path: Path) -> None:
    async with opened("json", "open", tmp_path, projects=[]) as second:
        for project in (catalogue.PLAIN, catalogue.TIMES, catalogue.ARCHIVED):
            path = f"/simple/{project.normalized}/"
            page = await world.json(project.normalized)
            for file in page["files"]:
                file["url"] = urljoin(str(world.gate.client.make_url(path)), file["url"])
            answer = Status(status=200, body=json.dumps(page).encode(), content_type=JSON_TYPE)
            second.upstream.fault(path, answer)
            again = await second.json(project.normalized)
            for file in (*page["files"], *again["files"]):
                del file["url"]
            assert again == page


@holds("F71", "N116")
async def test_an_address_outlives_the_page_it_stood_on(tmp_path: Path) -> None:
    """What a lock file holds is good while upstream lists the file, whatever else changes."""
    before = SentProject(name="plain", files=(tar("plain", "1.0"),))
    async with opened("json", "open", tmp_path, projects=[before]) as world:
        path = await world.path_of("plain", "plain-1.0.tar.gz")
        serve(world.upstream, "json", [replace(before, files=(tar("plain", "2.0"), *before.files))])
        later = await world.files("plain", Cache_Control="no-cache")
        assert path.endswith(str(later["plain-1.0.tar.gz"]["url"]).removeprefix("../.."))
        assert (await world.ask(path)).status == 200
