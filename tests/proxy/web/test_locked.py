"""What a lock pins, judged file by file, and what the index does not list."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from indexgate.checked import Checked
from indexgate.locks.entry import Format, Lock, Pinned, PinnedFile, Unasked
from tests.proxy.web.running import NOW, TOO_NEW
from tests.proxy.web.test_checked import NO_SDISTS, check
from tests.standins.packages import IndexedFile, project, sdist, wheel
from tests.standins.upstream import Upstream

FRESH = NOW - timedelta(days=2)
GATE = "http://127.0.0.1:8503/"
WRONG = "sha256:" + "0" * 64


def pin(*files: PinnedFile, name: str = "demo", version: str = "1.0", **more: str) -> Pinned:
    return Pinned(name=canonicalize_name(name), version=version, line=7, files=files, **more)


def pinned(file: IndexedFile, **changes: object) -> PinnedFile:
    found = PinnedFile(filename=file.filename, hashes=frozenset([f"sha256:{file.sha256}"]), line=9)
    return replace(found, **changes)  # type: ignore[arg-type]


async def judged(
    upstream: Upstream,
    folder: Path,
    entry: Pinned | Unasked,
    policy: str = TOO_NEW,
    *,
    offline: bool = False,
) -> Checked:
    lock = Lock(path="uv.lock", format="uv", entries=(entry,))
    found = await check(upstream, folder, policy=policy, locks=[lock], offline=offline)
    [row] = found.requirements
    return row


async def test_a_refused_version_is_refused_with_the_way_on(tmp_path: Path) -> None:
    new = wheel("demo", "2.0", upload_time=FRESH)
    async with Upstream(project("demo", wheel("demo", "1.0"), new)) as upstream:
        row = await judged(upstream, tmp_path, pin(pinned(new), version="2.0"))
    assert (row.action, row.rule, row.place) == ("refuse", "too-new", "uv.lock:7")
    assert "`demo==1.0` passes now" in row.hint
    assert [(file.action, file.line) for file in row.files] == [("refuse", 9)]


async def test_each_file_has_its_own_verdict_and_one_that_passes_is_enough(tmp_path: Path) -> None:
    name = "plain-1"
    files = wheel(name, "1.0"), sdist(name, "1.0")
    async with Upstream(project(name, *files)) as upstream:
        entry = pin(*map(pinned, files), name=name)
        row = await judged(upstream, tmp_path, entry, NO_SDISTS)
        assert row.action == "allow"
        assert [file.action for file in row.files] == ["allow", "refuse"]
        assert row.notes[0].startswith("1 of 2 files are refused: ")
        row = await judged(upstream, tmp_path, pin(pinned(files[1]), name=name), NO_SDISTS)
        assert row.action == "refuse"


async def test_a_file_with_another_hash_passes_nowhere(tmp_path: Path) -> None:
    file = wheel("demo", "1.0")
    async with Upstream(project("demo", file)) as upstream:
        entry = pin(pinned(file, hashes=frozenset([WRONG])))
        row = await judged(upstream, tmp_path, entry)
    assert (row.action, row.rule) == ("unlisted", "hash-differs")
    assert f"{file.filename} is {WRONG} in the lock" in row.reason
    assert file.sha256 in row.reason
    assert [file.line for file in row.files] == [9]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (pin(name="gone"), "the index has no project gone"),
        (pin(version="9.0"), "the index lists no demo 9.0"),
        (
            pin(PinnedFile(filename="demo-1.0-cp39-none-any.whl", hashes=frozenset([WRONG]))),
            "the index lists no demo-1.0-cp39-none-any.whl",
        ),
        (
            pin(PinnedFile(hashes=frozenset([WRONG]))),
            f"the index lists no file with the hash {WRONG}",
        ),
        (
            pin(
                PinnedFile(
                    filename="demo-1.0-py3-none-any.whl",
                    url="https://else.example.test/demo-1.0-py3-none-any.whl",
                )
            ),
            "demo-1.0-py3-none-any.whl has no hash in the lock and is taken from another address",
        ),
    ],
)
async def test_what_the_index_does_not_list_is_a_finding(
    tmp_path: Path, entry: Pinned, reason: str
) -> None:
    async with Upstream(project("demo", wheel("demo", "1.0"))) as upstream:
        row = await judged(upstream, tmp_path, entry)
    assert (row.action, row.rule, row.reason) == ("unlisted", "file-unlisted", reason)
    assert row.hint


async def test_one_missing_file_among_others_is_a_finding_too(tmp_path: Path) -> None:
    file = wheel("demo", "1.0")
    gone = PinnedFile(filename="demo-1.0-cp39-none-any.whl", hashes=frozenset([WRONG]))
    async with Upstream(project("demo", file)) as upstream:
        row = await judged(upstream, tmp_path, pin(pinned(file), gone, gone))
    assert row.action == "unlisted"
    assert row.reason.endswith("and 1 more like it")
    assert [file.action for file in row.files] == ["allow", "unlisted", "unlisted"]


async def test_a_file_without_a_hash_is_known_by_its_address_here_or_at_the_gate(
    tmp_path: Path,
) -> None:
    file = wheel("demo", "1.0")
    async with Upstream(project("demo", file)) as upstream:
        own = upstream.file_url(file)
        through = f"{GATE}files/{own.replace('://', '/')}"
        for url in (own, through):
            row = await judged(upstream, tmp_path, pin(pinned(file, hashes=frozenset(), url=url)))
            assert row.action == "allow"
            assert row.notes == ("the lock has no hash for 1 of its 1 files",)


@pytest.mark.parametrize("other", [f"sha512:{'0' * 128}", WRONG])
async def test_a_second_hash_that_the_index_does_not_tell_needs_the_indexs_own_address(
    tmp_path: Path, other: str
) -> None:
    file = wheel("demo", "1.0")
    hashes = frozenset([f"sha256:{file.sha256}", other])  # installers take what has either
    async with Upstream(project("demo", file)) as upstream:
        for url, action in (
            (f"https://else.example.test/{file.filename}", "unlisted"),
            ("https://[else", "unlisted"),
            # As the gate writes a port; in an address of upstream's it is another host.
            (upstream.file_url(file).replace("127.0.0.1:", "127.0.0.1~"), "unlisted"),
            (upstream.file_url(file), "allow"),
        ):
            row = await judged(upstream, tmp_path, pin(pinned(file, hashes=hashes, url=url)))
            assert row.action == action
            if action == "unlisted":
                assert row.rule == "file-unlisted"
                assert f"the hash {other} that the index does not tell" in row.reason


async def test_a_hash_alone_finds_its_file(tmp_path: Path) -> None:
    files = wheel("demo", "1.0"), sdist("demo", "1.0")
    async with Upstream(project("demo", *files)) as upstream:
        row = await judged(upstream, tmp_path, pin(*(pinned(f, filename=None) for f in files)))
    assert row.action == "allow"
    assert [file.filename for file in row.files] == [file.filename for file in files]


async def test_an_entry_without_files_is_its_version(tmp_path: Path) -> None:
    new = wheel("demo", "2.0", upload_time=FRESH), sdist("demo", "2.0", upload_time=FRESH)
    async with Upstream(project("demo", wheel("demo", "1.0.0"), *new)) as upstream:
        assert (await judged(upstream, tmp_path, pin(version="1"))).action == "allow"
        row = await judged(upstream, tmp_path, pin(version="2.0"))
    assert row.action == "refuse"
    assert len(row.files) == 2


@pytest.mark.parametrize("slash", ["", "/"])
async def test_upstream_the_gate_and_a_mirrored_public_index_are_judged_and_no_other(
    tmp_path: Path, slash: str
) -> None:
    async with Upstream(project("demo", wheel("demo", "1.0"))) as upstream:

        async def action(index: str, *gates: str) -> str:
            entry = pin(index=index.rstrip("/") + slash)
            lock = Lock(path="uv.lock", format="uv", entries=(entry,))
            found = await check(upstream, tmp_path, locks=[lock], gates=gates)
            return found.requirements[0].action

        other = "https://private.example.test/simple/"
        assert await action(upstream.url) == "allow"
        for login in ("me:pw", "${USER}:${PASS}"):
            assert await action(upstream.url.replace("://", f"://{login}@")) == "allow"
        assert await action(f"{GATE}simple/") == "allow"
        assert await action(other) == "not judged"
        assert await action(other, "https://private.example.test/") == "allow"


async def test_a_pin_of_another_index_says_which_without_its_password(tmp_path: Path) -> None:
    async with Upstream() as upstream:
        entry = pin(index="https://user:secret@private.example.test/simple/")
        row = await judged(upstream, tmp_path, entry)
    assert row.action == "not judged"
    assert "private.example.test" in row.reason
    assert "secret" not in row.reason


@pytest.mark.parametrize(("harmless", "action"), [(True, "skipped"), (False, "not judged")])
async def test_what_asks_no_index_is_told(tmp_path: Path, harmless: bool, action: str) -> None:
    entry = Unasked(text="here (.)", reason="it is a folder", line=3, harmless=harmless)
    async with Upstream() as upstream:
        row = await judged(upstream, tmp_path, entry)
    assert (row.action, row.reason, row.place) == (action, "it is a folder", "uv.lock:3")


@pytest.mark.parametrize(
    ("path", "format_", "place"),
    [
        ("a/uv.lock", "uv", ("a/uv.lock:7", "a/uv.lock", 7)),
        ("standard input", "uv", ("standard input:7", None, 7)),
        (".venv", "environment", (".venv", None, None)),
    ],
)
async def test_the_place_of_an_entry_is_told(
    tmp_path: Path, path: str, format_: Format, place: tuple[str, str | None, int | None]
) -> None:
    async with Upstream() as upstream:
        lock = Lock(path=path, format=format_, entries=(pin(),))
        [row] = (await check(upstream, tmp_path, locks=[lock])).requirements
    assert (row.place, row.path, row.line) == place


async def test_an_upstream_that_fails_judges_nothing(tmp_path: Path) -> None:
    async with Upstream() as upstream:
        row = await judged(upstream, tmp_path, pin(), offline=True)
    assert row.action == "failed"


async def test_a_yanked_version_and_a_warning_are_told(tmp_path: Path) -> None:
    policy = TOO_NEW.replace('action = "refuse"', 'action = "warn"')
    file = wheel("demo", "2.0", upload_time=FRESH, yanked="broken")
    async with Upstream(project("demo", file)) as upstream:
        row = await judged(upstream, tmp_path, pin(pinned(file), version="2.0"), policy)
    assert row.action == "warn"
    assert [warning.rule for warning in row.warnings] == ["too-new"]
    assert row.notes == ("upstream yanked it: broken",)
