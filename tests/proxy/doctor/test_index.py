"""What the report on an index says of indexes that speak much, little, or falsely."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner, Result

from indexgate.cli import doctor
from indexgate.doctor.index import check
from indexgate.doctor.index.answer import Examined
from indexgate.doctor.index.ask import Asking, new_client
from indexgate.doctor.index.check import Checked
from indexgate.doctor.index.parts import PARTS
from indexgate.errors import GateError
from tests.standins.faults import Status, garbage
from tests.standins.packages import IndexedProject, project, sdist, wheel
from tests.standins.upstream import Upstream

THEN = datetime(2024, 1, 2, tzinfo=UTC)


def _projects() -> list[IndexedProject]:
    return [
        project("demo-one", sdist("demo-one", "1.0"), wheel("demo-one", "1.0")),
        *(project(f"other{n}", wheel(f"other{n}", "1.0")) for n in range(200)),
    ]


@pytest.fixture(scope="module")
def index() -> Iterator[Upstream]:
    with Upstream(*_projects()) as running:
        yield running


def _examined(url: str, name: str | None = "demo-one") -> Examined:
    with Asking(root=url, client=new_client(None)) as asking:
        return asking.examine(name)


def _results(url: str) -> dict[str, str]:
    return {each.part.id: each.result for each in check.check(_examined(url))}


def _said(url: str) -> dict[str, Checked]:
    return {each.part.id: each for each in check.check(_examined(url))}


def test_every_part_is_looked_at_and_told_apart() -> None:
    assert len({part.id for part in PARTS}) == len(PARTS)
    assert check._LOOKS.keys() == {part.id for part in PARTS}
    assert all(part.loses and part.source for part in PARTS)


def test_an_index_that_speaks_all_loses_next_to_nothing(index: Upstream) -> None:
    results = _results(index.url)
    lost = {name for name, result in results.items() if result == "no"}
    assert lost <= {"provenance", "serial"}
    assert results["encrypted"] == results["requires-python"] == "unknown"
    assert {"json", "html", "same-files", "hashes", "metadata", "metadata-file", "etag",
            "unchanged", "gzip", "upload-time", "not-found"} <= {
        name for name, result in results.items() if result == "yes"
    }  # fmt: skip


def test_the_list_is_counted_as_it_comes_by(index: Upstream) -> None:
    examined = _examined(index.url)
    assert examined.names == 201
    assert examined.answers["list"].body == b""
    assert examined.answers["list"].length > 2_000


def test_few_requests_are_sent_one_after_another_and_by_name(index: Upstream) -> None:
    index.log.clear()
    examined = _examined(index.url)
    assert len(index.log) <= 14
    assert len(examined.answers) <= 12
    assert {asked.headers["User-Agent"].split("/")[0] for asked in index.log} == {"indexgate"}


def test_an_index_of_html_alone_is_told_what_it_costs() -> None:
    with Upstream(*_projects(), forms="html", compress=False) as index:
        results = _results(index.url)
    assert results["json"] == results["upload-time"] == results["size"] == results["gzip"] == "no"
    assert results["html"] == results["hashes"] == "yes"
    assert results["same-files"] == results["vary"] == "unknown"
    assert results["list"] == "partly"


def test_an_index_without_hashes_sizes_times_and_metadata_is_told_so() -> None:
    bare = replace(
        wheel("demo-one", "1.0"), upload_time=None, hashes={}, size=False, core_metadata=False
    )
    full = wheel("demo-one", "2.0", upload_time=THEN)
    with Upstream(project("demo-one", bare)) as index:
        results = _results(index.url)
        assert {results[name] for name in ("hashes", "size", "upload-time", "metadata")} == {"no"}
        assert results["metadata-file"] == "unknown"
        index.add(project("demo-one", bare, full))
        said = _said(index.url)
        assert (said["hashes"].result, said["hashes"].said) == ("partly", "1 of 2 files")


def test_metadata_that_is_listed_but_not_there_is_the_gravest_lack() -> None:
    with Upstream(*_projects()) as index:
        index.fault("*.metadata", Status(status=404))
        lacks = list(check.lacking(check.check(_examined(index.url))))
    assert lacks[0].part.id == "metadata-file"
    assert lacks[0].part.severity == "error"


@pytest.mark.parametrize(("name", "why"), [("nobody", "no page of `nobody`"), (None, "`pip`")])
def test_an_index_that_has_no_such_project_is_an_error(
    index: Upstream, name: str | None, why: str
) -> None:
    with pytest.raises(GateError, match=why) as raised:
        _examined(index.url, name)
    assert raised.value.reference == "index-has-none"


def test_an_index_that_is_not_there_is_an_error(unused_tcp_port: int) -> None:
    with pytest.raises(GateError, match="cannot be reached") as raised:
        _examined(f"http://127.0.0.1:{unused_tcp_port}/simple/")
    assert raised.value.reference == "index-not-reached"


def _invoke(*arguments: str) -> Result:
    return CliRunner().invoke(doctor.command, ("--index", *arguments), standalone_mode=False)


def test_the_report_comes_as_a_table_as_json_and_as_markdown(
    index: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    address = f"{index.url.replace('://', '://reader:hunter2@')}"
    about = ("--about", "Demo_One", "--fail-on", "never")
    table, markdown = _invoke(address, *about), _invoke(address, *about, "--markdown")
    report = json.loads(_invoke(address, *about, "--json").stdout)
    assert report["index"] == index.url
    assert report["project"] == "demo-one"
    assert report["projects"] == 201
    assert [each["id"] for each in report["checks"]] == [part.id for part in PARTS]
    assert "pages as JSON" in table.stdout
    assert "## What clients lose" in markdown.stdout
    assert markdown.stdout.count("\n| ") == len(PARTS) + 2
    for told in (table, markdown):
        assert "hunter2" not in told.output
        assert "about the project demo-one" in told.stdout


def test_the_exit_code_tells_how_grave_the_lack_is(index: Upstream) -> None:
    about = ("--about", "demo-one")
    assert _invoke(index.url, *about, "--fail-on", "error").return_value == 0
    assert _invoke(index.url, *about, "--fail-on", "note").return_value == 1


def test_no_login_reaches_another_host() -> None:
    file = wheel("demo-one", "1.0")
    with Upstream(project("demo-one", file)) as elsewhere, Upstream() as index:
        listed = {"filename": file.filename, "url": elsewhere.file_url(file), "hashes": {}}
        page = {"meta": {"api-version": "1.0"}, "name": "demo-one", "files": [listed]}
        index.fault("/simple/demo-one/", garbage(json.dumps(page).encode()))
        _invoke(index.url.replace("://", "://reader:pass@"), "--about", "demo-one")
        assert index.log
        assert all("Authorization" in asked.headers for asked in index.log)
        assert elsewhere.count("/packages/*") == 2
        assert not any("Authorization" in asked.headers for asked in elsewhere.log)
