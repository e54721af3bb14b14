"""The JSON documents beside the index: filtered like the page (design, R154 on)."""

from typing import Any

import pytest

from tests.conformance.requirements import holds
from tests.conformance.worlds import World

pytestmark = pytest.mark.asyncio(loop_scope="session")


def told(file: dict[str, Any], *, by_page: bool) -> tuple[str, bool, str | None]:
    """Return what a page, or a document, says of a file that both must say alike."""
    address = str(file["url"])
    path = address[address.index("files/") :]
    if not by_page:
        return path, file["yanked"], file["yanked_reason"]
    yanked = file.get("yanked", False)
    return path, yanked is not False, yanked if isinstance(yanked, str) else None


@holds("S148", "R154")
async def test_a_document_says_of_every_file_what_the_page_says(world: World) -> None:
    page = await world.files("plain")
    document = (await world.ask("/pypi/plain/json")).json()
    found = {str(f["filename"]): f for some in document["releases"].values() for f in some}
    assert found.keys() == page.keys()
    for filename, file in found.items():
        assert told(file, by_page=False) == told(page[filename], by_page=True)
    assert all(document["releases"].values())
    assert document["of-tomorrow"] == {"kept": None}


@holds("S148")
async def test_the_latest_is_one_that_passes(world: World) -> None:
    document = (await world.ask("/pypi/plain/json")).json()
    assert document["info"]["version"] == ("2.0" if world.filtered else "9.0")
    names = [file["filename"] for file in document["urls"]]
    assert names
    assert not any(world.refuses(name) for name in names)


@holds("S148")
async def test_the_document_of_a_refused_version_offers_nothing(world: World) -> None:
    document = (await world.ask("/pypi/plain/9.0/json")).json()
    if world.doing == "hide":
        assert document["urls"] == []
        return
    refused = world.doing == "explain"
    assert document["info"]["yanked"] is refused
    for file in document["urls"]:
        answer = await world.ask(file["url"][file["url"].index("/files/") :])
        assert answer.status == (302 if refused else 200)


@holds("S148", "R154")
async def test_the_document_of_a_refused_project_lets_nothing_through(world: World) -> None:
    answer = await world.ask("/pypi/blocked-whole/json")
    if world.doing == "hide":
        assert answer.status == 451
        return
    for file in answer.json()["urls"]:
        got = await world.ask(file["url"][file["url"].index("/files/") :])
        assert got.status == (302 if world.filtered else 200)
