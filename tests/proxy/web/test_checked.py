"""Requirements judged without installing: what a running gate would answer, and why not."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from msgspec.structs import replace

from indexgate import config
from indexgate.checked import Check, Checked
from indexgate.locks.entry import Lock
from indexgate.pip_settings import PipSettings
from indexgate.requirements.file import Requirements, read_requirements
from indexgate.sources.osv_records import FeedState
from indexgate.sources.protocol import SourceFailed
from indexgate.upstream_choice import choose
from indexgate.web import checked as judging
from indexgate.web.parts import Parts
from tests.proxy.web.running import NOW, TOO_NEW, Clock, running
from tests.standins.faults import Status
from tests.standins.packages import IndexedFile, project, sdist, wheel
from tests.standins.upstream import Upstream

PY311 = {
    "python_version": "3.11",
    "python_full_version": "3.11.7",
    "sys_platform": "linux",
}
NO_SDISTS = (
    TOO_NEW
    + """
[[rule]]
id = "no-sdists"
action = "refuse"
when = { kind = ["sdist"], project = ["plain-1*"] }
"""
)
FRESH = NOW - timedelta(days=2)


def requirements(*lines: str) -> Requirements:
    return read_requirements(lines, [], [], read_file=lambda _p, _n: b"", environ={})


async def check(
    upstream: Upstream,
    folder: Path,
    *lines: str | Requirements,
    policy: str = TOO_NEW,
    environment: Mapping[str, str] = PY311,
    locks: Sequence[Lock] = (),
    gates: Sequence[str] = (),
    public_index: str = "https://index.example.test/simple/",
    **given: str | bool,
) -> Check:
    """Check *lines* and *locks* by the policy and the state in *folder*."""
    document = folder / "policy.toml"
    document.write_text(policy, encoding="utf-8")
    settings = config.load(
        {"policy": str(document), "upstream": upstream.url, "osv_url": "", **given},
        {},
        config.read_bounded,
        default_state=folder / "state",
    )
    choice = choose(
        settings,
        kept=None,
        pip=PipSettings(),
        login=lambda _host: None,
        public_index=public_index,
    )
    first = lines[0] if lines else None
    asked = first if isinstance(first, Requirements) else requirements(*map(str, lines))
    return await judging.check(
        settings, choice, asked, environment, locks=locks, gates=gates, clock=Clock()
    )


async def one(upstream: Upstream, folder: Path, *lines: str, policy: str = TOO_NEW) -> Checked:
    """Check *lines* and return what came of the first."""
    return (await check(upstream, folder, *lines, policy=policy)).requirements[0]


def many() -> list[tuple[str, tuple[IndexedFile, ...]]]:
    """Return sixty projects of one version: old ones, fresh ones, and some of a refused name."""
    made: list[tuple[str, tuple[IndexedFile, ...]]] = []
    for number in range(60):
        name = f"evil-{number}" if number % 7 == 0 else f"plain-{number}"
        uploaded = FRESH if number % 3 == 0 else NOW - timedelta(days=99)
        files = (
            wheel(name, "1.0", upload_time=uploaded),
            sdist(name, "1.0", upload_time=uploaded),
        )
        made.append((name, files))
    return made


@pytest.mark.parametrize("presentation", ["explain", "hide"])
async def test_sixty_hashed_requirements_are_judged_as_a_running_gate_answers_for_the_files(
    tmp_path: Path, presentation: str
) -> None:
    projects = many()
    lines = [
        f"{name}==1.0 " + " ".join(f"--hash=sha256:{file.sha256}" for file in files)
        for name, files in projects
    ]
    async with (
        Upstream(*(project(name, *files) for name, files in projects)) as upstream,
        running(upstream, tmp_path, NO_SDISTS, presentation=presentation) as gate,
    ):
        found = await check(upstream, tmp_path, *lines, policy=NO_SDISTS, presentation=presentation)
        served = {}
        for _, files in projects:
            for file in files:
                path = "/files/http/" + upstream.file_url(file).removeprefix("http://")
                served[file.filename] = await gate.status(path) == 200
        judged = {
            file.filename: file.action != "refuse"
            for row in found.requirements
            for file in row.files
        }
        assert judged == served
        assert len(judged) == 120
        assert {row.action for row in found.requirements} == {"allow", "refuse"}
        for row in found.requirements:
            assert (row.action == "refuse") == all(not served[f.filename] for f in row.files)


async def test_a_refused_pin_says_the_rule_the_reason_and_the_way_on(tmp_path: Path) -> None:
    demo = project("demo", wheel("demo", "1.0"), wheel("demo", "2.0", upload_time=FRESH))
    async with Upstream(demo) as upstream:
        row = await one(upstream, tmp_path, "Demo[b,a]==2.0")
    assert (row.action, row.version, row.chosen, row.rule) == (
        "refuse", "2.0", "pinned", "too-new")  # fmt: skip
    assert row.extras == ("a", "b")
    assert "2026-11-20" in row.reason
    assert "`demo==1.0` passes now" in row.hint


async def test_without_a_pin_the_newest_that_passes_is_judged_and_that_is_said(
    tmp_path: Path,
) -> None:
    files = [
        wheel("demo", "1.0"),
        wheel("demo", "1.1", yanked=True),
        wheel("demo", "2.0", upload_time=FRESH),
        wheel("demo", "3.0", requires_python=">=3.12"),
    ]
    async with Upstream(project("demo", *files)) as upstream:
        row = await one(upstream, tmp_path, "demo>=1")
        assert (row.action, row.version, row.chosen) == ("allow", "1.0", "newest")
        assert row.passed_over == ("2.0",)
        assert row.how == "the newest of 2 that match and pass; refused are 2.0"
        row = await one(upstream, tmp_path, "demo>=2")
        assert (row.action, row.version) == ("refuse", "2.0")
        assert row.how == "the newest of 1 that match, all refused"
        row = await one(upstream, tmp_path, "demo==1.1")
        assert (row.action, row.notes) == ("allow", ("upstream yanked it",))
        row = await one(upstream, tmp_path, "demo<2")
        assert row.how == "the newest of 1 that match"


async def test_hashes_choose_which_file_is_judged(tmp_path: Path) -> None:
    name = "plain-1"
    files = wheel(name, "1.0"), sdist(name, "1.0")
    async with Upstream(project(name, *files)) as upstream:
        for file, action in zip(files, ("allow", "refuse"), strict=True):
            line = f"{name}==1.0 --hash=sha256:{file.sha256}"
            row = await one(upstream, tmp_path, line, policy=NO_SDISTS)
            assert (row.action, [f.filename for f in row.files]) == (action, [file.filename])
        row = await one(upstream, tmp_path, f"{name}==1.0", policy=NO_SDISTS)
        assert row.action == "allow"
        assert row.notes[0].startswith("1 of 2 files are refused: ")
        gone = "0" * 64
        line = f"{name}==1.0 --hash=sha256:{files[0].sha256} --hash=sha256:{gone}"
        row = await one(upstream, tmp_path, line, policy=NO_SDISTS)
        assert (row.action, row.rule) == ("unlisted", "file-unlisted")
        assert row.reason == f"no listed file has the hash sha256:{gone}"
        row = await one(upstream, tmp_path, f"{name}==1.0 --hash=sha256:{gone}")
        assert row.action == "unlisted"
        assert row.reason == "no file of plain-1 1.0 has one of the hashes"


async def test_what_cannot_be_judged_says_why_and_holds_up_nothing_else(tmp_path: Path) -> None:
    projects = [project(name, wheel(name, "1.0")) for name in ("demo", "two")]
    async with Upstream(*projects) as upstream:
        upstream.fault("/simple/broken/", Status(status=500))
        found = await check(
            upstream,
            tmp_path,
            "gone==1",
            "broken==1",
            "two==9",
            "demo @ https://a.test/x.whl",
            "./path",
            "demo; python_version < '3'",
            "other @ https://a.test/x.whl ; python_version < '3'",
            "demo",
        )
    assert [row.action for row in found.requirements] == [
        "failed", "failed", "failed", "not judged", "not judged", "skipped", "skipped", "allow",
    ]  # fmt: skip
    reasons = [row.reason for row in found.requirements]
    assert reasons[0] == "the index has no project gone"
    assert reasons[1].startswith("upstream ")
    assert "that is ==9" in reasons[2]
    assert "asks no index" in reasons[3]
    assert "python_version" in reasons[5]
    assert found.counts["failed"] == 3


async def test_a_warning_passes_with_its_words(tmp_path: Path) -> None:
    policy = TOO_NEW.replace('action = "refuse"', 'action = "warn"')
    demo = project("demo", wheel("demo", "2.0", upload_time=FRESH))
    async with Upstream(demo) as upstream:
        row = await one(upstream, tmp_path, "demo", policy=policy)
    assert row.action == "warn"
    [warning] = row.warnings
    assert warning.rule == "too-new"


async def test_a_constraint_to_an_address_leaves_nothing_to_judge(tmp_path: Path) -> None:
    asked = requirements("demo")
    away = requirements("demo @ https://a.test/x.whl").entries
    async with Upstream(project("demo", wheel("demo", "1.0"))) as upstream:
        found = await check(upstream, tmp_path, replace(asked, constraints=away))
    [row] = found.requirements
    assert row.action == "not judged"
    assert "a constraint (command line)" in row.reason


async def test_offline_the_stored_pages_are_judged(tmp_path: Path) -> None:
    async with Upstream(project("demo", wheel("demo", "1.0"))) as upstream:
        await check(upstream, tmp_path, "demo")
        asked = upstream.count()
        found = await check(upstream, tmp_path, "demo", "never", offline=True)
        assert [row.action for row in found.requirements] == ["allow", "failed"]
        assert upstream.count() == asked


class Crowd:
    """Keeps answers back until so many are waited for at once; counts the most there ever were."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.present = 0
        self.most = 0
        self.full = asyncio.Event()

    async def answer(
        self, request: web.Request, honest: Callable[[], Awaitable[web.Response]]
    ) -> web.StreamResponse:
        self.present += 1
        self.most = max(self.most, self.present)
        if self.present == self.size:
            self.full.set()
        await self.full.wait()
        response = await honest()
        self.present -= 1
        return response


async def test_eight_projects_and_no_more_are_asked_for_at_a_time(tmp_path: Path) -> None:
    names = [f"demo-{number}" for number in range(20)]
    async with Upstream(*(project(n, wheel(n, "1.0")) for n in names)) as upstream:
        crowd = Crowd(judging.AT_ONCE)
        upstream.fault("/simple/*/", crowd)
        found = await check(upstream, tmp_path, *names)
    assert crowd.most == judging.AT_ONCE
    assert [row.project for row in found.requirements] == names
    assert found.counts["allow"] == 20


class Feed:
    """An advisory feed that is read, or cannot be."""

    def __init__(self, parts: Parts, failure: Exception | None = None) -> None:
        self.parts = parts
        self.failure = failure
        self.times = 0

    async def refresh(self, now: datetime) -> FeedState:
        self.times += 1
        if self.failure is not None:
            raise self.failure
        state = FeedState(fetched_at=now, newest_modified=now, etag=None, records=0)
        await asyncio.to_thread(self.parts.store.advisories.replace_all, (), state)
        return state


async def test_advisories_are_read_where_no_gate_has_kept_them_new(tmp_path: Path) -> None:
    async with Upstream() as upstream, running(upstream, tmp_path) as gate:
        feed = gate.parts.refresh.feed = Feed(gate.parts)
        assert await judging.read_feed(gate.parts) is None
        assert await judging.read_feed(gate.parts) is None
        assert feed.times == 1
        gate.clock.turn(gate.parts.gate.policy.current().max_feed_age + timedelta(seconds=1))
        assert await judging.read_feed(gate.parts) is None
        assert feed.times == 2


async def test_a_feed_that_cannot_be_read_is_told_and_stops_no_check(tmp_path: Path) -> None:
    async with Upstream() as upstream, running(upstream, tmp_path) as gate:
        failure = SourceFailed("osv", "dns", "has a host name that could not be resolved")
        gate.parts.refresh.feed = Feed(gate.parts, failure)
        told = await judging.read_feed(gate.parts)
        assert told is not None
        assert "could not be resolved" in told
