"""An environment is read by its metadata."""

import json
from pathlib import Path

import pytest

from indexgate.errors import GateError
from indexgate.locks.entry import Pinned, Unasked
from indexgate.locks.of_environment import read_environment


def installed(place: Path, name: str, version: str, origin: object = None) -> None:
    folder = place / f"{name}-{version}.dist-info"
    folder.mkdir(parents=True)
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    (folder / "METADATA").write_text(metadata, encoding="utf-8")
    if origin is not None:
        text = origin if isinstance(origin, str) else json.dumps(origin)
        (folder / "direct_url.json").write_text(text, encoding="utf-8")


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    place = tmp_path / "lib" / "python3.12" / "site-packages"
    installed(place, "Some_Demo", "1.1")
    installed(place, "away", "1.0", {"url": "https://a.test/away.whl", "archive_info": {}})
    installed(place, "checkout", "2", {"url": "https://u:pw@b.test/c", "vcs_info": {"vcs": "git"}})
    installed(place, "here", "3", {"url": "file:///src/here", "dir_info": {"editable": True}})
    installed(place, "spoilt", "4", "{")
    return tmp_path


def test_what_is_installed_is_pinned_and_what_came_from_elsewhere_says_so(
    environment: Path,
) -> None:
    found = read_environment(environment)
    assert found.format == "environment"
    assert [each.name for each in found.pinned] == ["some-demo"]
    reasons = {each.name: each.reason for each in found.entries if isinstance(each, Unasked)}
    assert reasons == {
        "away": "it was installed from an address and asked no index",
        "checkout": "it was installed from a repository",
        "here": "it was installed from a folder",
        "spoilt": "what it says of its origin is broken",
    }
    assert "pw" not in "".join(e.text for e in found.entries if isinstance(e, Unasked))


def test_a_site_packages_folder_will_do(environment: Path) -> None:
    place = environment / "lib" / "python3.12" / "site-packages"
    assert read_environment(place).entries == read_environment(environment).entries


def test_broken_metadata_is_not_judged(environment: Path) -> None:
    place = environment / "lib" / "python3.12" / "site-packages" / "odd-1.dist-info"
    place.mkdir()
    (place / "METADATA").write_text("Name: odd\n", encoding="utf-8")
    [odd] = [each for each in read_environment(environment).entries if each.name == "odd"]
    assert not isinstance(odd, Pinned)
    assert odd.reason == "its metadata is broken"


@pytest.mark.parametrize("folder", ["", "gone"])
def test_a_folder_that_is_no_environment_is_an_error(tmp_path: Path, folder: str) -> None:
    with pytest.raises(GateError, match="is no Python environment"):
        read_environment(tmp_path / folder)
