"""Files: bytes, addresses, ranges, and what lies beside them."""

import hashlib
from urllib.parse import quote

import pytest

from tests.conformance import catalogue
from tests.conformance.catalogue import PROJECTS, Sent, SentProject
from tests.conformance.requirements import holds
from tests.conformance.worlds import World

pytestmark = pytest.mark.asyncio(loop_scope="session")

SERVED = [
    catalogue.PLAIN,
    catalogue.ODD_FILES,
    catalogue.SIDE,
    catalogue.LINKED,
    catalogue.TIMES,
    catalogue.OLD_API,
    catalogue.LEGACY_VERSIONS,
]
WHEEL = "plain-1.0-py3-none-any.whl"


def by_name(project: SentProject) -> dict[str, Sent]:
    return {file.filename: file for file in project.files}


@holds("F61", "F62", "F63", "F66", "F68", "F69", "F70", "N120", "R161", "Q136")
@pytest.mark.parametrize("project", SERVED, ids=lambda project: str(project.name))
async def test_every_file_that_passes_is_served_whole(world: World, project: SentProject) -> None:
    for filename, sent in by_name(project).items():
        if world.refuses(filename):
            continue
        path = await world.path_of(project.normalized, filename)
        for coding in ("identity", "gzip, br, zstd"):
            answer = await world.ask(path, Accept_Encoding=coding)
            assert answer.status == 200, (filename, answer)
            assert answer.sent == sent.body
            assert "Content-Encoding" not in answer.headers
            assert int(answer.headers["Content-Length"]) == len(sent.body)
            assert answer.media == "application/octet-stream"
            assert "Content-Disposition" not in answer.headers
            assert answer.headers["Cache-Control"] == "no-cache"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


@holds("F63", "F70")
async def test_odd_names_are_listed_as_they_are(world: World) -> None:
    assert list(await world.files("odd-files")) == [f.filename for f in catalogue.ODD_FILES.files]


@holds("F62", "F64", "F71")
async def test_relative_and_odd_addresses_become_the_gates_own(world: World) -> None:
    found = {name: str(file["url"]) for name, file in (await world.files("linked")).items()}
    authority = world.upstream.origin.removeprefix("http://").replace(":", "~")
    assert found == {
        "linked-1.0.tar.gz": f"../../files/http/{authority}/packages/linked/linked-1.0.tar.gz",
        "linked-1.1.tar.gz": f"../../files/http/{authority}/packages/linked/linked-1.1.tar.gz",
        "linked-1.2.tar.gz": f"../../files/http/{authority}/packages/linked-1.2.tar.gz",
        "linked-1.3.tar.gz": f"../../files/http/{authority}/simple/linked/linked-1.3.tar.gz",
        "linked-1.4.tar.gz": f"../../files/http/{authority}/dl/linked-1.4.tar.gz",
    }


@holds("F65", "N120")
async def test_head_of_a_file_tells_its_length_and_takes_ranges(world: World) -> None:
    body = by_name(catalogue.PLAIN)[WHEEL].body
    answer = await world.ask(await world.path_of("plain", WHEEL), method="HEAD")
    assert (answer.status, answer.sent) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(body))
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert hashlib.sha256(body).hexdigest() in answer.headers["ETag"]


@holds("F65")
@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=5-", 5, None),
        ("bytes=-7", -7, None),
        ("bytes=0-999999", 0, None),
        ("bytes=-999999", 0, None),
        ("Bytes = 3-4", 3, 5),
    ],
)
async def test_a_part_is_that_part(world: World, asked: str, start: int, stop: int | None) -> None:
    body = by_name(catalogue.PLAIN)[WHEEL].body
    path = await world.path_of("plain", WHEEL)
    answer = await world.ask(path, Range=asked)
    assert (answer.status, answer.sent) == (206, body[start:stop])
    first = start if start >= 0 else len(body) + start
    last = first + len(answer.sent) - 1
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(body)}"
    assert int(answer.headers["Content-Length"]) == len(answer.sent)


@holds("F65")
@pytest.mark.parametrize("asked", ["bytes=999999-", "bytes=-0"])
async def test_a_part_beyond_the_file_is_416(world: World, asked: str) -> None:
    body = by_name(catalogue.PLAIN)[WHEEL].body
    answer = await world.ask(await world.path_of("plain", WHEEL), Range=asked)
    assert (answer.status, answer.sent) == (416, b"")
    assert answer.headers["Content-Range"] == f"bytes */{len(body)}"


@holds("F65")
@pytest.mark.parametrize(
    "asked", ["bytes=", "bytes=9-3", "lines=0-1", "0-1", "bytes=a-b", "bytes=0-1,5-6", "bytes=--1"]
)
async def test_a_part_that_cannot_be_read_is_the_whole(world: World, asked: str) -> None:
    body = by_name(catalogue.PLAIN)[WHEEL].body
    answer = await world.ask(await world.path_of("plain", WHEEL), Range=asked)
    assert (answer.status, answer.sent) == (200, body)


@holds("F65", "N115", "N120")
async def test_conditions_on_a_file(world: World) -> None:
    body = by_name(catalogue.PLAIN)[WHEEL].body
    path = await world.path_of("plain", WHEEL)
    etag = (await world.ask(path)).headers["ETag"]
    part = {"Range": "bytes=1-3"}
    assert (await world.ask(path, If_Range=etag, **part)).sent == body[1:4]
    for other in ('"other"', f"W/{etag}", "Sun, 22 Nov 2026 12:00:00 GMT"):
        assert (await world.ask(path, If_Range=other, **part)).sent == body
    for held in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        answer = await world.ask(path, If_None_Match=held, **part)
        assert (answer.status, answer.sent) == (304, b"")
        assert answer.headers["ETag"] == etag
        assert answer.headers["Cache-Control"] == "no-cache"
    assert (await world.ask(path, If_None_Match='"other"')).status == 200


@holds("F68", "Q140")
async def test_what_no_page_lists_is_not_there(world: World) -> None:
    path = await world.path_of("plain", WHEEL)
    folder = path.rpartition("/")[0]
    authority = world.upstream.origin.removeprefix("http://")
    before = world.upstream.count("/packages/*")
    for asked in (
        f"{folder}/plain-1.0.1-py3-none-any.whl",
        f"{folder}/side-1.0-py3-none-any.whl",
        path.replace("/packages/", "/elsewhere/"),
        path.replace(authority.replace(":", "~"), "evil.example.test"),
        path.replace("~", "~1"), path.replace("~", "~~"), path.replace("~", "/"),
        path.replace("/files/http/", "/files/https/"),
        path + "/", path + "%00", path + ".exe", path.replace("/plain-", "/..%2fplain-"),
        path.replace("/packages/", "/packages/../packages/"),
        f"/files/http/{authority}/simple/plain/",
        f"/files/http/user:secret@{authority}/packages/plain-1.0.tar.gz",
        "/files/http/169.254.169.254/latest/meta-data/plain-1.0.tar.gz",
        "/files/file/etc/passwd",
        f"/files/{quote(world.upstream.origin, safe='')}/x",
        "/files//etc/passwd",
        "/files/",
    ):  # fmt: skip
        answer = await world.ask(asked)
        assert answer.status == 404, asked
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert world.upstream.count("/packages/*") == before


@holds("G72", "G73", "G74", "G78")
@pytest.mark.parametrize(
    "project", [catalogue.SIDE, catalogue.PLAIN], ids=lambda project: str(project.name)
)
async def test_metadata_answers_where_it_is_announced_and_nowhere_else(
    world: World, project: SentProject
) -> None:
    for filename, file in (await world.files(project.normalized)).items():
        sent = by_name(project)[filename]
        path = await world.path_of(project.normalized, filename)
        answer = await world.ask(f"{path}.metadata")
        if file.get("core-metadata"):
            assert (answer.status, answer.sent) == (200, sent.metadata)
            head = await world.ask(f"{path}.metadata", method="HEAD")
            assert (head.status, head.sent) == (200, b"")
        elif not world.refuses(filename):
            assert answer.status == 404


@holds("M112", "G78")
async def test_a_signature_answers_where_it_is_announced(world: World) -> None:
    for filename, sent in by_name(catalogue.SIGNED).items():
        answer = await world.ask(f"{await world.path_of('signed', filename)}.asc")
        if sent.signature is None:
            assert answer.status == 404
        else:
            assert (answer.status, answer.sent) == (200, sent.signature)


@holds("F64", "F71", "P135")
async def test_addresses_carry_no_secret_and_stay_the_same(world: World) -> None:
    for project in PROJECTS:
        if world.filtered and project.name in {"blocked-whole", "quarantined-project"}:
            continue
        first, second = [
            [file["url"] for file in (await world.json(project.normalized))["files"]]
            for _ in range(2)
        ]
        assert first == second
        assert not any("?" in url or "secret" in url or "@" in url for url in first)
