"""What each step of a project page costs, from upstream's bytes to the client's.

    python -m tests.bench.page_steps [--files 10,130,4000] [--policy balanced]

Prints the processor time of each step, and how many times as long it takes as to decode the page's
JSON with nothing looked at: that ratio is the same on a faster machine, and it is what to compare
before and after a change. `again` is the whole way of a page that is at hand.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import TypeVar

import msgspec
from packaging.utils import NormalizedName

from indexgate import logs
from indexgate.assessing import assessed
from indexgate.finished_page import JudgedBy, Variant, finish
from indexgate.index.listing import Listing, listing
from indexgate.index.packing import pack, unpack
from indexgate.index.presentation import Addresses
from indexgate.index.protocol import Snapshot
from indexgate.index.subjects import releases
from indexgate.past import Recalled
from indexgate.policy_file import PolicyInForce
from indexgate.simple.accept import Coding, Form
from indexgate.simple.model import ProjectPage
from indexgate.simple.read import page as read_page
from indexgate.sources import popular
from indexgate_policy.advisories import Advisories
from indexgate_policy.assessment import Assessment
from indexgate_policy.rules.document import Policy
from indexgate_policy.subject import Client
from tests.bench.invented_page import invented_page
from tests.proxy.web.running import running
from tests.proxy.web.test_verbatim import ask
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

NOW = datetime.now(UTC)
NAME = NormalizedName("invented")
T = TypeVar("T")


class Nobody:
    """No other project was ever assessed."""

    def current(self, index_id: str, project: NormalizedName) -> Assessment | None:
        """Return nothing."""


def timed(work: Callable[[], T], rounds: int = 7) -> tuple[T, float]:
    """Return what *work* returns, and the median of its processor seconds."""
    spent = []
    for _ in range(rounds):
        began = time.process_time()
        result = work()
        spent.append(time.process_time() - began)
    return result, statistics.median(spent)


def steps(body: bytes, policy: Policy) -> dict[str, float]:
    """Return the processor seconds of each step for the page *body*."""
    names = popular.load()
    names.prepare()
    spent: dict[str, float] = {}
    _, spent["decode"] = timed(lambda: msgspec.json.decode(body))
    packed, spent["pack"] = timed(lambda: pack(body))
    _, spent["unpack"] = timed(lambda: unpack(packed))
    snapshot = Snapshot(
        project=NAME,
        packed=packed,
        content_type=Form.JSON.value,
        url="http://index.example.test/simple/invented/",
        digest="digest",
        fetched_at=NOW,
    )
    page, spent["read"] = timed(
        lambda: read_page(body, content_type=snapshot.content_type, url=snapshot.url, project=NAME)
    )
    _, spent["list releases"] = timed(lambda: _listed(snapshot, page))
    # What is found out of a listing stays with it, so each step gets one that is new to it.
    fresh = [_listed(snapshot, page) for _ in range(14)]
    assessment, spent["assess"] = timed(
        lambda: assessed(
            fresh.pop(),
            (),
            Recalled(),
            advisories=Advisories(records=(), feed=NOW),
            popular=names,
            others=Nobody(),
            now=NOW,
        )
    )
    judged_by = JudgedBy(
        assessment=assessment,
        stamp=None,
        policy=policy,
        client=Client(family="pip"),
        at=NOW,
        presentation="explain",
    )
    _, spent["judge"] = timed(lambda: judged_by.verdicts(fresh.pop()))
    listed = _listed(snapshot, page)
    verdicts = judged_by.verdicts(listed)
    for form in (Form.JSON, Form.HTML):
        variant = Variant(form=form, coding=Coding.GZIP)
        _, spent[f"finish {form.name}"] = timed(
            lambda variant=variant: finish(  # type: ignore[misc]  # the default is for the loop
                listed,
                verdicts,
                variant,
                judged_by=judged_by,
                addresses=Addresses(root="../../", blocked=lambda _file, _verdict: "../../"),
                good_until=NOW,
            )
        )
    return spent


def _listed(snapshot: Snapshot, page: ProjectPage) -> Listing:
    found = releases(page, index_id="index", public=True, first_seen=NOW, watched_since=NOW)
    return listing(snapshot, page, *found)


async def again() -> float:
    """Return the processor seconds of an answer that is given once more."""
    demo = project("demo", wheel("demo", "1.0"))
    logs.configure(form="text", level="info", stream=StringIO(), environ={})
    folder = Path(tempfile.mkdtemp())
    async with Upstream(demo) as upstream, running(upstream, folder) as gate:
        request = ask("/simple/demo/")
        for _ in range(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", gate.client.server.port)
            writer.write(request)
            await reader.readuntil(b"</html>")
            writer.close()
            await writer.wait_closed()
        many = 2000
        _, spent = timed(lambda: [gate.verbatim.answer(request) for _ in range(many)])
        return spent / many


def told(files: int, spent: Mapping[str, float]) -> str:
    """Return the table of one page."""
    whole = sum(seconds for step, seconds in spent.items() if step not in {"decode", "finish HTML"})
    rows = [f"{files:,} files", f"  {'step':<14} {'ms':>9} {'x decode':>9}"]
    rows += [
        f"  {step:<14} {seconds * 1e3:>9.2f} {seconds / spent['decode']:>9.2f}"
        for step, seconds in {**spent, "cold, in all": whole}.items()
    ]
    return "\n".join(rows)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", default="10,130,4000", help="pages of so many files each")
    parser.add_argument("--policy", default="balanced", help="a shipped policy, or a file")
    given = parser.parse_args()
    policy = PolicyInForce(given.policy, clock=lambda: NOW).current()
    for files in map(int, given.files.split(",")):
        newest = NOW - timedelta(days=100)  # nothing of it is refused for its age
        body = invented_page("https://files.example.test", NAME, files, a_version=2, newest=newest)
        print(told(files, steps(body, policy)))
    print(f"again: {asyncio.run(again()) * 1e6:.1f} us")


if __name__ == "__main__":
    main()
