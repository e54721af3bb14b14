"""The JSON form of a project page (PEP 691 with 700, 714, 740, 752 and 792)."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.conformance import catalogue
from tests.conformance.catalogue import JSON_TYPE, PROJECTS, PROOF, SentProject
from tests.conformance.requirements import holds
from tests.conformance.worlds import World, opened, serve

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHOWN = [p for p in PROJECTS if p not in (catalogue.BLOCKED, catalogue.QUARANTINED)]
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
SINCE = {"alternate-locations": 2, "project-status": 4, "namespaces": 5}


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len({key for key, _ in pairs}) == len(pairs), f"a member comes twice: {pairs}"
    return dict(pairs)


@holds(
    "D44", "D45", "D46", "D47", "D48", "D49", "D54", "D55", "G76", "I84", "I85", "I87", "J90", "J93"
)
@holds("K99", "L104", "M109")
@pytest.mark.parametrize("project", SHOWN, ids=lambda project: str(project.name))
async def test_a_page_keeps_to_the_version_that_it_says(world: World, project: SentProject) -> None:
    answer = await world.ask(f"/simple/{project.normalized}/", Accept=JSON_TYPE)
    page = json.loads(answer.body, object_pairs_hook=once)
    found = re.fullmatch(r"1\.([0-5])", page["meta"]["api-version"])
    assert found is not None
    minor = int(found[1])
    assert page["name"] == project.normalized
    assert {key for key in page if SINCE.get(key, 0) > minor} == set()
    assert minor >= 2 or "tracks" not in page["meta"]
    if minor >= 1:
        assert len(set(page["versions"])) == len(page["versions"])
    if "project-status" in page:
        assert isinstance(page["project-status"]["status"], str)
    names = [file["filename"] for file in page["files"]]
    assert len(set(names)) == len(names)
    for file in page["files"]:
        _check_file(file, minor)


def _check_file(file: dict[str, Any], minor: int) -> None:
    assert isinstance(file["filename"], str)
    assert isinstance(file["url"], str)
    for hashes in (file["hashes"], file.get("core-metadata")):
        if isinstance(hashes, dict):
            assert all(name == name.lower() for name in hashes)
            assert all(re.fullmatch("[0-9a-f]+", digest) for digest in hashes.values())
            assert len(hashes.get("blake2b", "0" * 64)) == 64
            assert len(hashes.get("sha256", "0" * 64)) == 64
    assert "dist-info-metadata" not in file
    assert "data-dist-info-metadata" not in file
    assert isinstance(file.get("core-metadata"), bool | dict | None)
    assert isinstance(file.get("requires-python"), str | None)
    yanked = file.get("yanked", False)
    assert isinstance(yanked, bool) or (isinstance(yanked, str) and yanked != "")
    assert isinstance(file.get("gpg-sig", False), bool)
    assert type(file.get("size", 0)) is int
    assert file.get("size", 0) >= 0
    assert minor == 0 or "size" in file
    assert "upload-time" not in file or TIME.fullmatch(file["upload-time"])
    assert minor >= 3 or "provenance" not in file
    provenance = file.get("provenance")
    assert provenance is None or provenance.startswith("https://")


@holds("D47", "J92")
async def test_a_page_that_only_html_has_is_1_0_without_what_html_lacks(world: World) -> None:
    for name in ("plain", "times", "archived-project"):
        page = await world.json(name)
        if world.spoken == "html":
            assert page["meta"]["api-version"] == "1.0"
            assert not {"versions", "project-status"} & page.keys()
            assert all(not {"size", "upload-time"} & file.keys() for file in page["files"])
        else:
            assert page["meta"]["api-version"] == "1.4"


@holds("D47", "D51")
@pytest.mark.parametrize("name", ["old-api", "no-api"])
async def test_a_page_without_versions_says_1_0(world: World, name: str) -> None:
    page = await world.json(name)
    assert page["meta"]["api-version"] == "1.0"
    assert len(page["files"]) == len(next(p for p in PROJECTS if p.name == name).files)


@holds("D50", "D53")
async def test_unknown_members_are_passed_on_and_no_unknown_version_is_claimed(
    world: World,
) -> None:
    if world.spoken == "html":
        pytest.skip("HTML has no members")
    page = await world.json("newer-api")
    assert page["meta"] == {"api-version": "1.5", "_last-serial": 7, "_served-by": "cache-1"}
    assert (page["_more"], page["from-the-future"]) == (True, "yes")
    [file] = page["files"]
    assert file["_private"] == [1]
    assert file["from-the-future"] == {"deep": [None, 1.5e300]}


@holds("D53")
async def test_a_newer_minor_version_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with opened("json", "open", tmp_path, projects=[catalogue.NEWER_API]) as world:
        for name in ("newer", "newest", "newer-api"):
            page = replace(catalogue.NEWER_API, name=name)
            serve(world.upstream, "json", [page])
            await world.ask(f"/simple/{name}/")
    told = [line for line in capsys.readouterr().err.splitlines() if "newer-api" in line]
    assert len([line for line in told if "upstream speaks 1.9, newer than 1.5" in line]) == 1


@holds("D49", "D48")
async def test_sloppy_values_are_left_out_and_not_guessed(world: World) -> None:
    files = await world.files("sloppy")
    assert len(files) == 4
    assert all(None not in {f.get("size", 0), f.get("upload-time", 0)} for f in files.values())
    if world.spoken == "json":
        assert files["sloppy-1.2.tar.gz"]["yanked"] is True
        assert files["sloppy-1.1.tar.gz"]["requires-python"] is None


@holds("D48", "G75", "H80", "I84", "I86", "J89", "J90", "J91", "J95", "M108", "R160")
@pytest.mark.parametrize(
    "project",
    [catalogue.PLAIN, catalogue.TIMES, catalogue.ODD_FILES, catalogue.LEGACY_VERSIONS],
    ids=lambda project: str(project.name),
)
async def test_what_passes_is_listed_as_upstream_lists_it(
    world: World, project: SentProject
) -> None:
    ours = await world.files(project.normalized)
    theirs = world.passing(project)
    assert [name for name in ours if not world.refuses(name)] == list(theirs)
    for name, entry in theirs.items():
        sent = {**entry, "url": ours[name]["url"]}
        if world.spoken == "html":  # which has neither
            sent = {k: v for k, v in sent.items() if k not in {"size", "upload-time"}}
        assert ours[name] == sent


@holds("I84", "I85", "I86", "I87")
async def test_hashes_are_upstreams_own(world: World) -> None:
    files = await world.files("hashes")
    hashes = {name: file["hashes"] for name, file in files.items()}
    sent = {f.filename: f.members["hashes"] for f in catalogue.HASHES.files}
    assert hashes["hashes-1.0.tar.gz"] == {"sha256": sent["hashes-1.0.tar.gz"]["SHA256"].lower()}
    if world.spoken == "json":
        assert hashes["hashes-1.1.tar.gz"] == sent["hashes-1.1.tar.gz"]
    assert hashes["hashes-1.2.tar.gz"] == sent["hashes-1.2.tar.gz"]
    for empty in ("hashes-1.3.tar.gz", "hashes-1.4.tar.gz", "hashes-1.5.tar.gz"):
        assert hashes[empty] == {}


@holds("G76", "G77", "G78")
async def test_core_metadata_is_read_before_its_older_name(world: World) -> None:
    files = await world.files("side")
    told = {name[5:8]: file.get("core-metadata") for name, file in files.items()}
    assert isinstance(told.pop("1.0"), dict)
    assert told.pop("1.5") is None
    assert {version for version, core in told.items() if core} == {"1.1", "1.4", "1.6"}
    assert all(core is True for core in told.values() if core)


@holds("J93", "J94")
async def test_versions_without_files_and_odd_ones_stay(world: World) -> None:
    if world.spoken == "html":
        pytest.skip("HTML lists no versions")
    assert (await world.json("legacy-versions"))["versions"] == ["2004d", "1.0", "0.1"]
    plain = (await world.json("plain"))["versions"]
    assert plain == ["1.0", "1.1", "1.2", "1.3", "2.0", *(["9.0"] if world.doing != "hide" else [])]
    assert (await world.json("sloppy"))["versions"] == ["1.0", "1.1", "1.2", "1.3"]


@holds("K97", "K98", "K99", "K100", "K101")
@pytest.mark.parametrize(
    "project",
    [catalogue.ARCHIVED, catalogue.DEPRECATED, catalogue.SUNSET, catalogue.PLAIN, catalogue.TIMES],
    ids=lambda project: str(project.name),
)
async def test_the_status_is_upstreams_and_hides_nothing(
    world: World, project: SentProject
) -> None:
    page = await world.json(project.normalized)
    assert page["files"]
    if world.spoken == "json":
        assert page.get("project-status") == project.members.get("project-status")
    assert "quarantined" not in json.dumps(page)


@holds("L103", "L104")
async def test_what_says_whose_a_name_is_passes_unchanged(world: World) -> None:
    if world.spoken == "html":
        for name in ("acme-tools", "tracking"):
            page = await world.json(name)
            assert not {"namespaces", "alternate-locations"} & page.keys()
            assert "tracks" not in page["meta"]
        return
    acme = await world.json("acme-tools")
    assert acme["namespaces"] == catalogue.NAMESPACED.members["namespaces"]
    assert acme["meta"]["api-version"] == "1.5"
    tracking = await world.json("tracking")
    assert tracking["alternate-locations"] == catalogue.TRACKING.members["alternate-locations"]
    assert tracking["meta"]["tracks"] == catalogue.TRACKING.meta["tracks"]
    assert "namespaces" not in await world.json("plain")


@holds("M108", "M109")
async def test_provenance_is_upstreams_whole_address_or_nothing(world: World) -> None:
    if world.spoken == "html":
        pytest.skip("a page made of HTML is 1.0, which has no provenance")
    files = await world.files("proven")
    assert [file.get("provenance") for file in files.values()] == [PROOF, None, None, None]
    assert (await world.json("proven"))["meta"]["api-version"] == "1.4"
