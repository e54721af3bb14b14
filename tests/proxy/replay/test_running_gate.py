"""What a running gate writes down can be replayed while it runs."""

from datetime import timedelta
from pathlib import Path

from packaging.utils import NormalizedName

from indexgate.replay.kept_pages import KeptPages
from indexgate.replay.of_record import replay_record
from indexgate.replay.replayed import Replayed
from indexgate.replay.replaying import Replaying
from indexgate.store.engines import STORE_FILE
from indexgate.store.past_alone import past_at
from indexgate.upstream_choice import UpstreamChoice
from indexgate_policy.rules import document
from tests.proxy.web.running import NOW, TOO_NEW, Running, running
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

DEMO = NormalizedName("demo")
DAY = timedelta(days=1)
OWNED = """\
version = 1
[[rule]]
id = "owned"
action = "refuse"
when = { signal = { index_status = { is = "active" } } }
unknown = "allow"
"""


def replay(gate: Running, draft: str) -> Replayed:
    now = gate.clock() + timedelta(minutes=1)
    choice = UpstreamChoice(
        url="https://index.example.test/simple/",
        index_id=gate.parts.gate.index_id,
        public=False,
        origin="test",
    )
    tried, in_force = (
        document.parse(text, source="test", now=NOW)
        for text in (draft, gate.policy.read_text(encoding="utf-8"))
    )
    with past_at(gate.state / STORE_FILE, lambda: now) as kept:
        return replay_record(
            KeptPages(gate.state / "pages", choice.all, kept),
            Replaying(tried, in_force, "explain"),
            places=("draft", "in force"),
            since=NOW - DAY,
            now=now,
        )


async def test_served_and_refused_files_are_judged_by_the_facts_of_then(tmp_path: Path) -> None:
    old = wheel("demo", "1.0", upload_time=NOW - 100 * DAY)
    new = wheel("demo", "2.0", upload_time=NOW - DAY)
    async with Upstream(project("demo", old, new)) as upstream:
        async with running(upstream, tmp_path, TOO_NEW) as gate:
            paths = [await gate.file_path("demo", one.filename) for one in (old, new)]
            await gate.parts.gate.facts.refresh(DEMO)
            assert [await gate.status(path) for path in paths] == [200, 302]
            assert await gate.status(paths[0]) == 200
            assert await gate.parts.store.served.flush()
            gate.clock.turn(30 * DAY)  # what passed by itself since changes nothing
            replayed = replay(gate, TOO_NEW)
            assert (replayed.asks, replayed.files) == (3, 2)
            for named in (replayed.draft, replayed.in_force):
                assert (named.figures.refused, named.figures.passed) == (1, 2)
            assert (replayed.agreement.again, replayed.agreement.of) == (1, 1)
            assert replayed.differing == 0
            assert replayed.basis.by_facts == 3
            # The assessment of then is at hand: a rule on its signals can be judged.
            other = replay(gate, OWNED)
            assert (other.draft.figures.refused, other.draft.figures.not_judged) == (3, 0)
            assert [one.draft_only for one in other.differences] == [2]


async def test_files_that_upstream_removed_since_are_told_as_such(tmp_path: Path) -> None:
    old = wheel("demo", "1.0", upload_time=NOW - 100 * DAY)
    gone = wheel("demo", "1.1", upload_time=NOW - 90 * DAY)
    async with Upstream(project("demo", old, gone)) as upstream:
        async with running(upstream, tmp_path, TOO_NEW) as gate:
            paths = [await gate.file_path("demo", one.filename) for one in (old, gone)]
            assert [await gate.status(path) for path in paths] == [200, 200]
            await gate.parts.gate.facts.refresh(DEMO)  # notes when the releases came out
            upstream.add(project("demo", old))
            gate.clock.turn(DAY / 24)
            page = await gate.json("/simple/demo/")
            assert [one["filename"] for one in page["files"]] == [old.filename]
        figures = replay(gate, TOO_NEW).draft.figures
        assert (figures.caught_files.found, figures.caught_files.of) == (0, 1)
        assert (figures.lost_files.found, figures.lost_files.of) == (0, 1)
