"""What a page warns of goes into the record: of all versions alike, or of some of them."""

from datetime import timedelta

import pytest

from indexgate.index.listing import Listing, listing
from indexgate.index.protocol import Snapshot
from indexgate.index.subjects import releases
from indexgate.record import warned
from indexgate.simple.model import PageFile, ProjectPage
from indexgate_policy.rules.page import judge_page
from indexgate_policy.subject import Client
from tests.policy.rules.facts import NOW, assessment, policy, rule

OLD = NOW - timedelta(days=100)


def listed(*newest: str) -> Listing:
    """Return a page of which the *newest* versions came just now."""
    files = tuple(
        PageFile(
            filename=f"demo-{version}.tar.gz",
            url=f"https://files.example.test/demo-{version}.tar.gz",
            hashes={},
            upload_time=f"{NOW if version in newest else OLD:%FT%T}Z",
        )
        for version in ("1.0", "1.1", "2.0")
    )
    page = ProjectPage(name="demo", files=files)
    found = releases(page, index_id="ab", public=True, first_seen=OLD)
    snapshot = Snapshot(
        project=found[0].name, packed=b"", content_type="", url="", digest="", fetched_at=NOW
    )
    return listing(snapshot, page, *found)


def said(text: str, page: Listing) -> list[tuple[str, tuple[str, ...]]]:
    verdicts = judge_page(
        page.releases, assessment(), policy(text), Client(), NOW, presentation="explain"
    )
    found = warned(page, verdicts, "digest")
    return [] if found is None else [(each.rule, each.versions) for each in found.reasons]


OF_ALL = rule('project_age = { at_least = "1d" }', action="warn").replace('"r"', '"of-all"')
OF_NEW = rule('release_age = { below = "1d" }', action="warn").replace('"r"', '"of-new"')


@pytest.mark.parametrize(
    ("text", "newest", "expected"),
    [
        (OF_ALL, (), [("of-all", ("1.0", "1.1", "2.0"))]),
        (OF_NEW, (), []),
        (OF_NEW, ("1.1",), [("of-new", ("1.1",))]),
        (
            OF_ALL + OF_NEW,
            ("1.1",),
            [("of-all", ("1.0", "1.1", "2.0")), ("of-new", ("1.1",))],
        ),
    ],
)
def test_each_version_is_named_under_what_is_warned_of_it(
    text: str, newest: tuple[str, ...], expected: list[tuple[str, tuple[str, ...]]]
) -> None:
    assert said(text, listed(*newest)) == expected
