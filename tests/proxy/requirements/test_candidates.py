"""Which releases a resolver would look at, on pages as an index lists them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from indexgate.index.listing import Listing, listing
from indexgate.index.packing import pack
from indexgate.index.protocol import Snapshot
from indexgate.index.subjects import releases
from indexgate.requirements.bounds import Bounds
from indexgate.requirements.candidates import NoCandidate, candidates, unlisted
from indexgate.simple.model import PageFile, ProjectPage

PYTHON = Version("3.11.7")


def digest(letter: str) -> str:
    return letter * 64


def page(*files: tuple[str, dict[str, Any]]) -> Listing:
    """Return the listing of a page with these files."""
    made = ProjectPage(
        name="demo",
        files=tuple(
            PageFile(filename=name, url=f"https://a.test/{name}", **({"hashes": {}} | facts))
            for name, facts in files
        ),
    )
    snapshot = Snapshot(
        project=canonicalize_name("demo"),
        packed=pack(b""),
        content_type="",
        url="https://a.test/simple/demo/",
        digest="",
        fetched_at=datetime(2026, 11, 22, tzinfo=UTC),
    )
    seen = datetime(2026, 1, 1, tzinfo=UTC)
    project, found = releases(made, index_id="i", public=False, first_seen=seen)
    return listing(snapshot, made, project, found)


DEMO = page(
    ("demo-1.0-py3-none-any.whl", {"hashes": {"sha256": digest("a")}}),
    ("demo-1.0.tar.gz", {"hashes": {"sha256": digest("b")}}),
    ("demo-1.1-py3-none-any.whl", {"yanked": "broken"}),
    ("demo-1.0+cpu-py3-none-any.whl", {}),
    ("demo-2.0-py3-none-any.whl", {"requires_python": ">=3.12"}),
    ("demo-1.2-py3-none-any.whl", {"requires_python": "not a specifier"}),
    ("demo-3.0a1-py3-none-any.whl", {"requires_python": ">=3.9"}),
    ("demo-odd.tar.gz", {}),
)


def found(specifier: str = "", hashes: set[str] | None = None, **more: Any) -> list[str]:
    allowed = None if hashes is None else frozenset(f"sha256:{digest(h)}" for h in hashes)
    bounds = Bounds(specifier=SpecifierSet(specifier), hashes=allowed, **more)
    return [each.release.version for each in candidates(DEMO, bounds, PYTHON)]


@pytest.mark.parametrize(
    ("specifier", "versions"),
    [
        ("", ["1.2", "1.0+cpu", "1.0"]),
        ("<1.2", ["1.0+cpu", "1.0"]),
        (">=2", ["3.0a1"]),
        (">=3.0a0", ["3.0a1"]),
        ("==1.*", ["1.2", "1.0+cpu", "1.0"]),
        ("==1.0", ["1.0+cpu", "1.0"]),
        ("===1.0", ["1.0"]),
        ("==1.1", ["1.1"]),
        ("==2.0", ["2.0"]),
        ("==3.0a1", ["3.0a1"]),
        ("===odd", ["odd"]),
    ],
)
def test_a_range_takes_what_pip_would_and_a_pin_what_it_names(
    specifier: str, versions: list[str]
) -> None:
    assert found(specifier) == versions


def test_pre_releases_are_seen_where_they_are_asked_for() -> None:
    assert found("", prereleases=True)[0] == "3.0a1"


@pytest.mark.parametrize(
    ("specifier", "words"),
    [
        ("==9", "no release of demo that is ==9"),
        ("==1.*,>1.2", "fits this interpreter"),
        ("==1.1.*", "was yanked"),
        ("==1.0,==1.2", "no release of demo"),
    ],
)
def test_where_nothing_will_do_it_says_why(specifier: str, words: str) -> None:
    with pytest.raises(NoCandidate) as raised:
        found(specifier)
    assert words in str(raised.value)


def test_a_project_without_files_has_no_candidate() -> None:
    with pytest.raises(NoCandidate):
        candidates(page(), Bounds(specifier=SpecifierSet()), PYTHON)


def test_hashes_choose_the_files() -> None:
    bounds = Bounds(specifier=SpecifierSet("==1.0"), hashes=frozenset([f"sha256:{digest('b')}"]))
    one, other = candidates(DEMO, bounds, PYTHON)
    assert [file.filename for file in other.files] == ["demo-1.0.tar.gz"]
    # The page gives no hash of this one: it may be the one that is meant.
    assert [file.filename for file in one.files] == ["demo-1.0+cpu-py3-none-any.whl"]


def test_where_no_file_has_the_hash_nothing_is_judged_instead() -> None:
    with pytest.raises(NoCandidate) as raised:
        found("===1.0", {"c"})
    assert "demo 1.0 has one of the hashes" in str(raised.value)
    with pytest.raises(NoCandidate):
        found("===1.0", set())


def test_a_hash_that_no_listed_file_has_is_named() -> None:
    asked = frozenset([f"sha256:{digest('a')}", f"sha256:{digest('c')}", f"sha512:{digest('d')}"])
    # The index tells no sha512, so it does not say that there is no such file.
    assert unlisted(DEMO, asked) == (f"sha256:{digest('c')}",)
    assert unlisted(DEMO, None) == ()
