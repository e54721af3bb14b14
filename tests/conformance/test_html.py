"""The HTML form of a project page (PEP 503, 592, 629, 714, 740, 792, 833)."""

import re

import pytest

from tests.conformance import catalogue
from tests.conformance.catalogue import PROOF, SentProject
from tests.conformance.requirements import holds
from tests.conformance.worlds import HTML_V1, World

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHOWN = [
    catalogue.PLAIN,
    catalogue.ODD_FILES,
    catalogue.SIDE,
    catalogue.SIGNED,
    catalogue.HOSTILE,
    catalogue.NEWER_API,
    catalogue.NAMESPACED,
    catalogue.ARCHIVED,
    catalogue.EMPTY,
]


@holds("C28", "C29", "C41", "C43", "Q136", "Q137")
@pytest.mark.parametrize("project", SHOWN, ids=lambda project: str(project.name))
async def test_a_page_is_html5_in_a_plain_layout(world: World, project: SentProject) -> None:
    path = f"/simple/{project.normalized}/"
    answer = await world.ask(path, Accept="text/html")
    assert answer.body.startswith(b"<!DOCTYPE html>\n<html")
    page = await world.html(project.normalized)
    assert page.text.lower().count("<meta charset=") == 1
    assert set(page.tags) <= {"html", "head", "meta", "title", "body", "h1", "a", "br"}
    major, minor = page.metas["pypi:repository-version"].split(".")
    assert major == "1"
    assert int(minor) <= 4
    lines = [line for line in page.text.splitlines() if "<a " in line]
    assert len(lines) == len(page.anchors)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    again = await world.ask(path, Accept=HTML_V1)
    assert again.body == answer.body


@holds("C30", "C31", "S153", "F64")
@pytest.mark.parametrize("project", SHOWN, ids=lambda project: str(project.name))
async def test_there_is_one_anchor_a_file_with_its_name_and_hash(
    world: World, project: SentProject
) -> None:
    page = await world.html(project.normalized)
    files = await world.files(project.normalized)
    assert [anchor.text for anchor in page.anchors] == list(files)
    for anchor in page.anchors:
        file = files[anchor.text]
        assert anchor.last == anchor.text
        assert anchor.url == file["url"]
        assert "?" not in anchor.url
        if "sha256" in file["hashes"]:
            assert anchor.fragment == f"sha256={file['hashes']['sha256']}"


@holds("C32")
async def test_no_fragment_that_clients_reject(world: World) -> None:
    page = await world.html("hashes")
    kinds = {anchor.text: anchor.fragment.partition("=")[0] for anchor in page.anchors}
    assert set(kinds.values()) <= {"", "sha256", "sha384", "sha512", "md5", "blake2b"}
    assert kinds["hashes-1.0.tar.gz"] == "sha256"
    assert kinds["hashes-1.1.tar.gz"] == "sha512"
    assert kinds["hashes-1.2.tar.gz"] == ""


@holds("C33", "J95")
async def test_requires_python_is_escaped_and_whole(world: World) -> None:
    page = await world.html("plain")
    assert 'data-requires-python="&gt;=3.8,&lt;4"' in page.text
    for filename, entry in world.passing(catalogue.PLAIN).items():
        attribute = page.anchor(filename).attributes.get("data-requires-python")
        assert attribute == entry.get("requires-python")


@holds("C34", "H80", "H81", "H83")
async def test_yank_marks_survive_whole(world: World) -> None:
    page = await world.html("plain")
    for filename, entry in world.passing(catalogue.PLAIN).items():
        attributes = page.anchor(filename).attributes
        yanked = entry.get("yanked", False)
        assert ("data-yanked" in attributes) == (yanked is not False), filename
        if yanked is not False:
            assert attributes["data-yanked"] == ("" if yanked is True else yanked)


@holds("C35", "C36", "C37", "G77", "G78")
async def test_metadata_is_announced_where_there_is_some(world: World) -> None:
    page = await world.html("side")
    files = await world.files("side")
    told = {}
    for anchor in page.anchors:
        core = anchor.attributes.get("data-core-metadata")
        assert anchor.attributes.get("data-dist-info-metadata") == core
        assert core is None or core == "true" or re.fullmatch("sha256=[0-9a-f]{64}", core)
        assert core != "false"
        said = files[anchor.text].get("core-metadata")
        digest = said.get("sha256") if isinstance(said, dict) else None
        assert core == (f"sha256={digest}" if digest else "true" if said else None)
        told[anchor.text] = core
    assert str(told["side-1.0-py3-none-any.whl"]).startswith("sha256=")
    assert told["side-1.1-py3-none-any.whl"] == "true"
    assert told["side-1.2-py3-none-any.whl"] is None
    assert told["side-1.3-py3-none-any.whl"] is None
    assert told["side-1.4.tar.gz"] == "true"
    assert told["side-1.6-py3-none-any.whl"] == "true"


@holds("C38", "M112")
async def test_signatures_are_told_of_every_file_or_of_none(world: World) -> None:
    signed = [a.attributes.get("data-gpg-sig") for a in (await world.html("signed")).anchors]
    assert signed == ["true", "false", "false"]
    plain = [a.attributes.get("data-gpg-sig") for a in (await world.html("plain")).anchors]
    assert set(plain) == {None}


@holds("C39", "M108", "M109")
async def test_provenance_is_upstreams_whole_address_or_nothing(world: World) -> None:
    page = await world.html("proven")
    assert [a.attributes.get("data-provenance") for a in page.anchors] == [PROOF, None, None, None]


@holds("C40", "K97", "K100", "Q137")
@pytest.mark.parametrize(
    "project",
    [catalogue.PLAIN, catalogue.ARCHIVED, catalogue.DEPRECATED, catalogue.SUNSET, catalogue.TIMES],
    ids=lambda project: str(project.name),
)
async def test_the_status_is_told_with_its_reason(world: World, project: SentProject) -> None:
    metas = (await world.html(project.normalized)).metas
    marker = project.members.get("project-status", {})
    assert metas.get("pypi:project-status") == marker.get("status")
    assert metas.get("pypi:project-status-reason") == marker.get("reason")


@holds("C42")
async def test_attributes_that_are_no_standard_are_not_written(world: World) -> None:
    known = {"href", "data-requires-python", "data-yanked", "data-core-metadata"}
    known |= {"data-dist-info-metadata", "data-gpg-sig", "data-provenance"}
    for project in catalogue.PROJECTS:
        if world.doing == "hide" and project.name in {"blocked-whole", "quarantined-project"}:
            continue
        for anchor in (await world.html(project.normalized)).anchors:
            assert anchor.attributes.keys() <= known


@holds("Q137")
async def test_nothing_of_upstream_becomes_markup(world: World) -> None:
    for name in ("plain", "hostile", "archived-project"):
        page = await world.html(name)
        assert "<script" not in page.text
        assert "<b>" not in page.text
        assert "<https" not in page.text
