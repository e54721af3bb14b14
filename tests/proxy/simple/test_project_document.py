"""The JSON document of a project says what the page says."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from indexgate.simple.model import PageFile, ProjectPage, Unreadable
from indexgate.simple.project_document import described, gated


def entry(filename: str, **more: object) -> dict[str, object]:
    return {
        "filename": filename,
        "url": f"https://files.example.test/{filename}",
        "core-metadata": {"sha256": "00"},
        "yanked": False,
        "yanked_reason": None,
        "size": 12,
        **more,
    }


def document(**releases: list[dict[str, object]]) -> bytes:
    versions = {name.replace("_", "."): files for name, files in releases.items()}
    latest = list(versions)[-1]
    return json.dumps(
        {
            "info": {"name": "Demo", "version": latest, "yanked": False, "keywords": "é"},
            "last_serial": 7,
            "releases": versions,
            "urls": versions[latest],
            "vulnerabilities": [{"id": "X-1"}],
            "of-tomorrow": {"kept": [1.50, None]},
        }
    ).encode()


ONE, TWO = "demo-1.0.tar.gz", "demo-2.0.tar.gz"
BODY = document(**{"0_9": [], "1_0": [entry(ONE)], "2_0": [entry(TWO)]})


def page(*files: PageFile) -> ProjectPage:
    return ProjectPage(name="demo", files=files)


def listed(filename: str) -> PageFile:
    return PageFile(filename=filename, url=f"http://gate.example.test/files/{filename}", hashes={})


def read(body: bytes) -> dict[str, Any]:
    return dict(json.loads(body))


def test_what_passes_keeps_every_field_but_its_address() -> None:
    found = read(gated(BODY, page(listed(ONE), listed(TWO)), ()))
    before = read(BODY)
    for version, filename in (("1.0", ONE), ("2.0", TWO)):
        before["releases"][version][0]["url"] = f"http://gate.example.test/files/{filename}"
    before["urls"][0]["url"] = f"http://gate.example.test/files/{TWO}"
    before["info"]["yanked"] = False
    assert found == before


def test_a_refused_file_is_marked_as_on_the_page_and_loses_its_metadata() -> None:
    why = "blocked by indexgate: too new - see http://gate.example.test/blocked"
    shown = page(listed(ONE), replace(listed(TWO), yanked=why))
    found = read(gated(BODY, shown, {TWO}))
    [marked] = found["releases"]["2.0"]
    assert (marked["yanked"], marked["yanked_reason"]) == (True, why)
    assert "core-metadata" not in marked
    assert found["urls"] == [marked]
    assert (found["info"]["yanked"], found["info"]["yanked_reason"]) == (True, why)
    [free] = found["releases"]["1.0"]
    assert free["core-metadata"] == {"sha256": "00"}


def test_a_file_that_the_page_does_not_show_is_left_out_with_its_version() -> None:
    found = read(gated(BODY, page(listed(ONE)), ()))
    assert list(found["releases"]) == ["0.9", "1.0"]
    assert found["urls"] == []


def test_the_latest_may_be_another_version() -> None:
    instead = document(**{"1_0": [entry(ONE)]})
    found = read(gated(BODY, page(listed(ONE)), (), latest=instead))
    assert found["info"]["version"] == "1.0"
    assert [file["filename"] for file in found["urls"]] == [ONE]
    assert found["of-tomorrow"] == {"kept": [1.5, None]}


def test_a_document_of_one_version_has_no_releases_and_gets_none() -> None:
    whole = read(BODY)
    del whole["releases"]
    found = read(gated(json.dumps(whole).encode(), page(listed(TWO)), ()))
    assert "releases" not in found
    assert [file["filename"] for file in found["urls"]] == [TWO]


def test_it_tells_what_it_describes() -> None:
    assert described(BODY) == ("Demo", "2.0")


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>log in</html>", b"[]", b"{}", b'{"info": 1}', b"\xff", b"[" * 100_000],
    ids=["empty", "html", "list", "bare", "number", "bytes", "deep"],
)
def test_what_is_no_document_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(Unreadable):
        described(body)


@pytest.mark.parametrize(
    "changed",
    [{"releases": []}, {"releases": {"1.0": [{}]}}, {"urls": {}}, {"urls": [1]}, {"info": []}],
    ids=str,
)
def test_a_document_of_another_shape_is_never_half_relayed(changed: dict[str, object]) -> None:
    body = json.dumps(read(BODY) | changed).encode()
    with pytest.raises(Unreadable):
        gated(body, page(listed(ONE)), ())


@given(
    st.dictionaries(
        st.sampled_from(["1.0", "2.0", "3.0", "4.0"]),
        st.lists(st.sampled_from("abcdef"), max_size=4, unique=True),
        min_size=1,
    ),
    st.sets(st.sampled_from("abcdef")),
)
def test_nothing_is_offered_that_the_page_does_not_show(
    releases: dict[str, list[str]], shown: set[str]
) -> None:
    body = document(**{v.replace(".", "_"): [entry(f) for f in fs] for v, fs in releases.items()})
    found = read(gated(body, page(*map(listed, sorted(shown))), ()))
    offered = [file for files in (*found["releases"].values(), found["urls"]) for file in files]
    assert {file["filename"] for file in offered} <= shown
    assert all(file["url"].startswith("http://gate.example.test/") for file in offered)
    expected = {f for files in releases.values() for f in files} & shown
    assert {file["filename"] for file in offered} == expected
