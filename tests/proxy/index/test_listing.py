"""What a page lists, looked up without making more than what is asked for."""

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import NormalizedName

from indexgate.index.addresses import address_of, canonical
from indexgate.index.listing import MOST_CANDIDATES, Listing, listing
from indexgate.index.protocol import Snapshot
from indexgate.index.subjects import releases
from indexgate.simple.filename import candidates, parse
from indexgate.simple.model import PageFile, ProjectPage
from indexgate.simple.ordinary_files import OrdinaryFiles
from indexgate.simple.read_json import read_page

NAME = NormalizedName("demo")
NOW = datetime(2026, 3, 1, tzinfo=UTC)
FILES = "https://f.example.test:8443/a+b/"
LISTED = (
    "demo-1.0.tar.gz",
    "demo-1.0-py3-none-any.whl",
    "demo-1.0.0.zip",
    "Demo-1.1rc1.tar.gz",
    "demo-1.1-rc1.tar.gz",
    "demo-1.0-1.tar.gz",
    "demo-1.0.post1-py3-none-any.whl",
    "demo-2.0.linux-x86_64.tar.gz",
    "demo-1.src.tar.gz",
    "demo.tar.gz",
    "demo-win32.tar.gz",
    "demo-9-py3-none-any.WHL",
    "demo-01.0-py3-none-any.whl",
    "demo-1!1.0.tar.gz",
)


def of(*names: str) -> Listing:
    files = tuple(PageFile(filename=name, url=FILES + name, hashes={}) for name in names)
    return as_listed(ProjectPage(name=NAME, files=files))


def as_listed(page: ProjectPage) -> Listing:
    snapshot = Snapshot(
        project=NAME, packed=b"", content_type="", url="", digest="", fetched_at=NOW
    )
    project, found = releases(page, index_id="i", public=True, first_seen=NOW)
    return listing(snapshot, page, project, found)


def ordinary(*names: str) -> Listing:
    files = [
        {"filename": name, "url": FILES + name, "hashes": {"sha256": "0" * 64}} for name in names
    ]
    sent = {"meta": {"api-version": "1.0"}, "name": NAME, "files": files}
    page = read_page(msgspec.json.encode(sent), url=FILES, project=NAME)
    assert isinstance(page.files, OrdinaryFiles)
    return as_listed(page)


@pytest.mark.parametrize("made", [of, ordinary])
def test_a_file_is_found_at_its_address_and_at_no_other(made: Callable[..., Listing]) -> None:
    listed = made(*LISTED)
    for name in LISTED:
        address = canonical(address_of(FILES + name, name))
        found = listed.at(address)
        assert found is not None
        assert found.filename == name
        assert listed.at(address.replace("/https/", "/http/")) is None
        assert listed.at(canonical(f"files/https/other.example.test/a+b/{name}")) is None
    assert listed.at("files/https/f.example.test%3A8443/a%2Bb/demo-7.tar.gz") is None
    assert listed.at("") is None


@pytest.mark.parametrize("made", [of, ordinary])
def test_every_file_is_of_the_release_that_has_it(made: Callable[..., Listing]) -> None:
    listed = made(*LISTED)
    for release in listed.releases:
        assert release.filenames == tuple(file.filename for file in release.files)
        for file in release.files:
            assert listed.release_of(file.filename) == (release, file)
            assert (file.version, file.released) == (release.version, release.released)
            assert file.kind == parse(file.filename, NAME).kind
    with pytest.raises(KeyError):
        listed.release_of("demo-7.tar.gz")


def test_what_must_be_remembered_is_what_the_name_does_not_tell() -> None:
    listed = of(*LISTED)
    untold = [
        canonical(address_of(FILES + name, name))
        for name in LISTED
        if not name.endswith(".whl") and NAME not in candidates(name)[:MOST_CANDIDATES]
    ]
    assert list(listed.unguessable) == untold
    assert any(address.endswith("/demo-win32.tar.gz") for address in untold)


VERSIONS = st.from_regex(r"v?[0-2](\.[0-2]){0,2}(rc1|-1|\.post1|\.dev0|\+a|odd)?", fullmatch=True)
NAMES = st.builds(
    lambda head, version, end: f"{head}-{version}{end}",
    st.sampled_from(["demo", "Demo", "-"]),
    VERSIONS,
    st.sampled_from(["-py3-none-any.whl", "-1-py3-none-any.whl", ".tar.gz", ".zip", ".whl", ""]),
)


@given(st.lists(NAMES, unique=True, max_size=12))
def test_releases_are_the_versions_that_the_names_tell(names: list[str]) -> None:
    expected: dict[object, list[str]] = {}
    for name in names:
        named = parse(name, NAME)
        expected.setdefault(named.parsed or named.version, []).append(name)
    found = of(*names).releases
    assert [list(release.filenames) for release in found] == list(expected.values())
    for release in found:
        assert release.version == (parse(release.filenames[0], NAME).version or "unknown")
