"""What a policy refuses: kept together over every way to a page or a file (design, R154 on)."""

import json

import pytest

from tests.conformance import catalogue
from tests.conformance.catalogue import JSON_TYPE
from tests.conformance.requirements import holds
from tests.conformance.worlds import World

pytestmark = pytest.mark.asyncio(loop_scope="session")

UV = 'uv/0.13.9 {"installer":{"name":"uv"}}'
PIP = 'pip/26.3 {"installer":{"name":"pip"}}'
SAID = "Blocked by indexgate: "
BYTES = {file.filename: file for file in catalogue.PLAIN.files + catalogue.BLOCKED.files}
REFUSED = [
    ("plain", "plain-9.0-py3-none-any.whl"),
    ("plain", "plain-9.0.tar.gz"),
    ("blocked-whole", "blocked_whole-1.0-py3-none-any.whl"),
]


def address(world: World, filename: str) -> str:
    """Return a file's address as a lock file has it."""
    authority = world.upstream.origin.removeprefix("http://")
    return f"/files/http/{authority}{BYTES[filename].path}"


@holds("R154", "G79", "N120", "N122", "K101", "O127")
@pytest.mark.parametrize(("project", "filename"), REFUSED)
@pytest.mark.parametrize("side", ["", ".metadata", ".asc"])
async def test_a_refused_file_is_refused_on_every_way(
    world: World, project: str, filename: str, side: str
) -> None:
    path = address(world, filename)
    ways: list[tuple[str, str, dict[str, str]]] = [
        ("GET", path, {}),
        ("HEAD", path, {}),
        ("GET", path, {"Range": "bytes=0-3"}),
        ("GET", path, {"If-None-Match": "*"}),
        ("GET", path, {"Cache-Control": "no-cache"}),
        ("GET", path.replace("127.0.0.1:", "127.0.0.1%3A"), {}),
        ("GET", path.replace("127.0.0.1:", "127.0.0.1~"), {}),
        ("GET", path.replace("127.0.0.1:", "127.0.0.1%7E"), {}),
        ("GET", path.replace("/packages", "/%70ackages"), {}),
        ("GET", path, {"User-Agent": PIP}),
        ("GET", path, {"User-Agent": UV}),
    ]
    asked_before = world.upstream.count(f"{BYTES[filename].path}*")
    for method, where, headers in ways:
        answer = await world.ask(f"{where}{side}", *headers.items(), method=method)
        if not world.filtered:
            assert answer.status in {200, 206, 304} or side
            continue
        if side == ".metadata" and filename.endswith(".tar.gz"):
            assert answer.status == 404  # there is none to refuse
            continue
        assert answer.status == (302 if world.doing == "explain" else 403)
        assert answer.headers["Cache-Control"] == "no-store"
        assert BYTES[filename].body not in answer.sent
        assert "quarantine" not in answer.reason
    if world.filtered:
        assert world.upstream.count(f"{BYTES[filename].path}*") == asked_before


@holds("R154", "A4", "B15", "B24")
@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/simple/plain/", JSON_TYPE),
        ("/simple/plain/", "application/vnd.pypi.simple.latest+json"),
        ("/simple/plain/?format=application/vnd.pypi.simple.v1%2Bjson", "text/html"),
        ("/simple/plain/", "text/html"),
        ("/simple/plain/?format=text/html", JSON_TYPE),
        ("/simple/plain/?x=1", "application/vnd.pypi.simple.v1+html"),
    ],
)
async def test_one_decision_on_every_form(world: World, path: str, accept: str) -> None:
    for agent in ("", UV, PIP):
        answer = await world.ask(path, Accept=accept, User_Agent=agent)
        assert answer.status == 200
        text = answer.body.decode()
        listed = "plain-9.0" in text
        marked = text.count("blocked by indexgate: ")
        expected = {"open": (True, 0), "hide": (False, 0), "explain": (True, 2)}
        assert (listed, marked) == expected[world.doing]


@holds("R155", "R160")
async def test_what_is_hidden_is_left_out_of_files_and_versions(world: World) -> None:
    page = await world.json("plain")
    names = {file["filename"] for file in page["files"]}
    hidden = {name for _, name in REFUSED} & names
    assert bool(hidden) == (world.doing != "hide")
    if world.spoken == "json":
        assert ("9.0" in page["versions"]) == (world.doing != "hide")
    html = await world.html("plain")
    assert {anchor.text for anchor in html.anchors} == names


@holds("R156", "R159", "L107", "O127", "O128", "O129", "N122")
@pytest.mark.parametrize("accept", [JSON_TYPE, "text/html"])
async def test_a_refused_project_is_told_and_sends_nobody_elsewhere(
    world: World, accept: str
) -> None:
    answer = await world.ask("/simple/blocked-whole/", Accept=accept)
    assert answer.status not in {401, 403, 404}
    assert answer.status < 500
    if world.doing == "hide":
        assert answer.status == 451
        assert answer.reason == f"{SAID}the policy names blocked-whole"
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["Cache-Control"] == "no-store"
        problem = answer.json()
        assert problem["title"]
        assert "the policy names blocked-whole" in problem["detail"]
    else:
        assert answer.status == 200
        assert b"blocked_whole-1.0" in answer.body


@holds("R159", "G74")
async def test_of_a_refused_project_only_uv_is_told_by_a_mark(world: World) -> None:
    if world.doing != "explain":
        pytest.skip("files stay listed only under `explain`")
    [for_uv] = (await world.json("blocked-whole", User_Agent=UV))["files"]
    [for_pip] = (await world.json("blocked-whole", User_Agent=PIP))["files"]
    assert str(for_uv["yanked"]).startswith("blocked by indexgate: the policy names blocked-whole")
    assert for_pip.get("yanked", False) is False
    assert "core-metadata" not in for_uv
    assert "core-metadata" not in for_pip


@holds("R157", "G74", "H80", "K101")
async def test_refused_files_are_marked_with_our_reason_and_then_upstreams(world: World) -> None:
    if world.doing != "explain":
        pytest.skip("refused files stay listed only under `explain`")
    files = await world.files("plain")
    html = await world.html("plain")
    for _, name in REFUSED[:2]:
        yanked = str(files[name]["yanked"])
        assert yanked.startswith("blocked by indexgate: plain 9.0 is")
        assert " - see http://gate.example.test/blocked/plain/9.0/" in yanked
        assert "core-metadata" not in files[name]
        assert html.anchor(name).attributes["data-yanked"] == yanked
        assert "data-core-metadata" not in html.anchor(name).attributes
    withdrawn = str(files["plain-9.0.tar.gz"]["yanked"])
    assert withdrawn.endswith("; yanked upstream: withdrawn by its authors")
    assert "quarantined" not in json.dumps(files)


@holds("R156", "R158", "O127", "O128", "O129", "O131")
@pytest.mark.parametrize(("project", "filename"), REFUSED)
async def test_the_refusal_is_read_in_the_reason_phrase(
    world: World, project: str, filename: str
) -> None:
    if not world.filtered:
        pytest.skip("nothing is refused")
    path = address(world, filename)
    answer = await world.ask(path)
    if world.doing == "explain":
        location = answer.headers["Location"]
        assert location.startswith("../")
        assert "/blocked/" in location
        answer = await world.ask(location.replace("../", "").join(["/", ""]))
    assert answer.status == 403
    assert answer.reason.startswith(SAID)
    assert answer.reason.isascii()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    problem = answer.json()
    assert problem["file"] == filename
    assert "/blocked/" in problem["detail"]


@holds("K96")
async def test_a_quarantined_project_offers_no_file(world: World) -> None:
    answer = await world.ask("/simple/quarantined-project/", Accept=JSON_TYPE)
    if answer.status == 200:
        assert answer.json()["files"] == []
        html = await world.html("quarantined-project")
        assert html.anchors == []
        assert html.metas["pypi:project-status"] == "quarantined"
    else:
        assert (world.doing, answer.status) == ("hide", 451)
        assert "quarantined" in answer.reason
    [file] = catalogue.QUARANTINED.files
    authority = world.upstream.origin.removeprefix("http://")
    refused = await world.ask(f"/files/http/{authority}{file.path}")
    assert refused.status == 403 or "quarantined" in refused.headers["Location"]


@holds("E58")
async def test_a_refused_project_stays_in_both_forms_of_the_list(world: World) -> None:
    for accept in (JSON_TYPE, "text/html"):
        assert b"blocked-whole" in (await world.ask("/simple/", Accept=accept)).body


@holds("R161", "G72")
async def test_what_is_listed_unmarked_is_served_with_its_metadata(world: World) -> None:
    for filename, file in (await world.files("plain")).items():
        if "blocked by indexgate" in str(file.get("yanked", "")):
            continue
        path = await world.path_of("plain", filename)
        assert (await world.ask(path)).status == 200
        if file.get("core-metadata"):
            assert (await world.ask(f"{path}.metadata")).status == 200
