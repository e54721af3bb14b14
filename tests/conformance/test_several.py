"""Two indexes upstream: one answers for a project, never both (PEP 708)."""

from pathlib import Path

from tests.conformance.requirements import holds
from tests.proxy.web.running import JSON, running
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream


@holds("L106")
async def test_files_of_two_upstreams_are_never_merged(tmp_path: Path) -> None:
    first = Upstream(project("both", wheel("both", "1.0")))
    second = Upstream(
        project("both", wheel("both", "2.0")), project("other", wheel("other", "3.0"))
    )
    async with first, second:
        tables = "".join(
            f'[[index]]\nname = "{name}"\nurl = "{upstream.url}"\n'
            for name, upstream in (("first", first), ("second", second))
        )
        async with running(first, tmp_path, "version = 1\n", tables=tables) as gate:
            both = await gate.json("/simple/both/")
            other = await gate.json("/simple/other/")
            authority = second.origin.removeprefix("http://")
            elsewhere = wheel("both", "2.0").path
            assert await gate.status(f"/files/http/{authority}{elsewhere}", **JSON) == 404
    assert [file["filename"] for file in both["files"]] == ["both-1.0-py3-none-any.whl"]
    assert [file["filename"] for file in other["files"]] == ["other-3.0-py3-none-any.whl"]
    assert not second.count("/simple/both/")
