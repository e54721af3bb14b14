"""A version of which one file is gone and another is still listed is one version."""

from datetime import UTC, datetime

from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate.index.subjects import releases
from indexgate.replay import remembered
from indexgate.simple.model import PageFile, ProjectPage


def test_a_file_that_is_gone_stands_beside_those_of_its_version_that_are_not() -> None:
    wheel = "demo-1.0-py3-none-any.whl"
    listed = PageFile(
        filename=wheel,
        url=f"https://files.example.test/{wheel}",
        hashes={},
        upload_time="2026-11-01T00:00:00Z",
    )
    page = ProjectPage(name=NormalizedName("demo"), files=(listed,))
    _, found = releases(
        page, index_id="ab", public=True, first_seen=datetime(2026, 1, 1, tzinfo=UTC)
    )
    gone = replace(found[0].files[0], filename="demo-1.0.tar.gz", kind="sdist")
    (joined,) = remembered._joined(found, [gone])
    assert joined.filenames == (wheel, "demo-1.0.tar.gz")
    assert (joined.version, joined.released) == ("1.0", found[0].released)
