"""Every answer names its request, every failure too, and nothing that is kept names another one."""

import re
from pathlib import Path
from typing import Any

import pytest

from indexgate.index.protocol import UpstreamFailed
from indexgate.web.new_names import NewNames
from indexgate.web.refusal import PROBLEM
from indexgate.web.request_id import HEADER, request_id
from tests.proxy.web.running import HTML, JSON, Running, running
from tests.standins.faults import Status
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

OLD = wheel("demo", "1.0")
EVIL = wheel("evil-demo", "1.0")
DEMO, EVIL_DEMO = project("demo", OLD), project("evil-demo", EVIL)
OURS = re.compile(r"[0-9a-f]{12}")
BLOCKED = f"/blocked/evil-demo/1.0/x?file={EVIL.filename}"
UV = {"User-Agent": "uv/0.13.9", **JSON}


async def problem(gate: Running, path: str, method: str = "GET", **headers: str) -> dict[str, Any]:
    """Return the problem at *path*, whose id must be that of its answer."""
    async with gate.client.request(
        method, path, headers=headers, allow_redirects=False
    ) as response:
        assert response.headers["Content-Type"] == PROBLEM, await response.text()
        document: dict[str, Any] = await response.json(content_type=None)
        assert OURS.fullmatch(document["request_id"])
        assert response.headers[HEADER] == document["request_id"]
        return document


@pytest.mark.parametrize(
    ("path", "headers", "kind"),
    [
        ("/simple/demo/", {"Host": "evil.example.test"}, "unknown-host"),
        ("/nothing/here", {}, "http-404"),
        ("/simple/...", {}, "no-such-project"),
        ("/simple/absent/", JSON, "no-such-project"),
        ("/simple/demo/", {"Accept": "text/plain"}, "not-acceptable"),
        ("/files/http/nowhere.example.test/demo-9.whl", {}, "not-listed"),
        (BLOCKED, {}, "refused"),
        (f"/blocked/demo/1.0/x?file={OLD.filename}", {}, "passes-now"),
    ],
)
async def test_every_problem_has_the_id_of_its_request(
    tmp_path: Path, path: str, headers: dict[str, str], kind: str
) -> None:
    async with Upstream(DEMO, EVIL_DEMO) as upstream, running(upstream, tmp_path) as gate:
        found = await problem(gate, path, **headers)
        assert found["type"] == f"urn:indexgate:{kind}"


async def test_a_method_that_is_not_allowed_and_a_loop_have_one(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        await gate.json("/simple/demo/")
        via = upstream.asked("/simple/demo/")[0].headers["Via"]
        assert (await problem(gate, "/simple/demo/", "DELETE"))["status"] == 405
        assert (await problem(gate, "/simple/demo/", Via=via))["status"] == 508


async def test_what_is_hidden_has_one(tmp_path: Path) -> None:
    async with Upstream(EVIL_DEMO) as upstream:
        async with running(upstream, tmp_path, presentation="hide") as gate:
            assert (await problem(gate, "/simple/evil-demo/", **JSON))["status"] == 451
            path = "/files/" + upstream.file_url(EVIL).replace("://", "/")
            assert (await problem(gate, path))["status"] == 403


@pytest.mark.parametrize("headers", [UV, JSON])
async def test_an_upstream_in_trouble_has_one(tmp_path: Path, headers: dict[str, str]) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        upstream.fault("/simple/*", Status(status=500))
        assert (await problem(gate, "/simple/demo/", **headers))["kind"] == "status"
        path = "/files/" + upstream.file_url(OLD).replace("://", "/")
        assert (await problem(gate, path))["status"] == 424


async def test_what_pip_prints_of_an_upstream_in_trouble_names_the_request(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        upstream.fault("/simple/*", Status(status=500))
        pip = {"User-Agent": "pip/26.3", **JSON}
        async with gate.client.get("/simple/demo/", headers=pip) as response:
            told = response.headers["Content-Type"]
            assert told.endswith(f"request {response.headers[HEADER]}")


async def test_faults_and_too_many_names_have_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        with monkeypatch.context() as patched:
            patched.setattr(gate.parts.recorder, "page_served", None)
            assert (await problem(gate, "/simple/demo/", **JSON))["status"] == 500
        monkeypatch.setattr(NewNames, "count", _too_many)
        found = await problem(gate, "/simple/other/", **JSON)
        assert found["type"] == "urn:indexgate:upstream-too-many"


def _too_many(_names: NewNames, _client: str) -> None:
    raise UpstreamFailed("too-many", "is not asked", status=429, retry_after=60)


async def test_the_page_for_a_browser_shows_it(tmp_path: Path) -> None:
    async with Upstream(EVIL_DEMO) as upstream, running(upstream, tmp_path) as gate:
        async with gate.client.get(BLOCKED, headers=HTML) as response:
            assert response.status == 403
            assert f"<code>{response.headers[HEADER]}</code>" in await response.text()


async def test_a_page_from_memory_holds_no_id_of_another_request(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        seen = []
        for path in (
            "/simple/demo/",
            "/simple/demo/",
            "/simple/",
            await gate.file_path("demo", OLD.filename),
        ):
            async with gate.client.get(path, headers=JSON) as response:
                assert response.status == 200
                seen.append(response.headers[HEADER])
                body = await response.read()
                assert not [one for one in seen if one.encode() in body]
        assert len(set(seen)) == len(seen)


async def test_an_id_from_a_proxy_in_front_is_taken_over(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        theirs = "5f1d6a0e-8a8c-4f6e-9d0e-2f4b1c3d5e7f"
        async with gate.client.get("/simple/absent/", headers={HEADER: theirs}) as response:
            assert response.headers[HEADER] == theirs
            assert (await response.json(content_type=None))["request_id"] == theirs


@pytest.mark.parametrize(
    "given",
    [
        [],
        [""],
        ["short"],
        ["x" * 65],
        ["<script>alert(1)</script>"],
        ["12345678\r\nSet-Cookie: a=b"],
        ["12345678 12345678"],
        ["--------------"],
        ["12345678-"],
        ["1234..5678"],
        ["١٢٣٤٥٦٧٨٩"],
        ["one-that-is-fine", "another-that-is"],
    ],
)
def test_what_is_no_id_is_replaced(given: list[str]) -> None:
    assert OURS.fullmatch(request_id(given))


@pytest.mark.parametrize(
    "given", ["0123456789abcdef0123456789abcdef", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "ci-run_17.3-a"]
)
def test_a_well_formed_id_is_kept(given: str) -> None:
    assert request_id([given]) == given


def test_problems_are_made_in_one_place() -> None:
    # Whoever wrote the type somewhere else would leave out the request's id.
    web = Path(__file__).parents[3] / "proxy" / "indexgate" / "web"
    sent_by = re.compile(rf'"{re.escape(PROBLEM)}"|\bPROBLEM\b')
    found = [path.name for path in web.rglob("*.py") if sent_by.search(path.read_text("utf-8"))]
    assert found == ["refusal.py"]
