"""Asking for an exemption from the page of a refusal, and what it takes for that to count."""

import asyncio
import re
import shlex
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest

from indexgate import config, exempting, found_again, state_folder
from indexgate.cli.main import run
from indexgate.granted_file import NAME, changed
from indexgate.store import exemption_requests
from indexgate.store.exemption_requests import BROWSER
from tests.proxy.web.running import HTML, NOW, Running, running
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

BLOCKED = "/blocked/demo/2.0/any-slug?file=demo-2.0-py3-none-any.whl"
HIDDEN = re.compile(r'<input type="hidden" name="([a-z]+)" value="([^"]*)">')


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    fresh = NOW - timedelta(days=2)
    with Upstream(
        project("demo", wheel("demo", "1.0"), wheel("demo", "2.0", upload_time=fresh)),
        project("evil-demo", wheel("evil-demo", "1.0")),
        project("held", wheel("held", "1.0"), status="quarantined"),
    ) as server:
        yield server


def origin(gate: Running) -> dict[str, str]:
    return {"Origin": f"http://{gate.client.host}:{gate.client.port}"}


async def page(gate: Running, path: str = BLOCKED) -> str:
    async with gate.client.get(path, headers=HTML) as response:
        return await response.text()


async def form(gate: Running) -> dict[str, str]:
    return {**dict(HIDDEN.findall(await page(gate))), "reason": "the manual needs it", "days": "7"}


async def sent(
    gate: Running, fields: dict[str, str], headers: dict[str, str] | None = None
) -> tuple[int, str]:
    headers = origin(gate) if headers is None else headers
    async with gate.client.post(
        "/exemptions", data=fields, headers=headers, allow_redirects=False
    ) as response:
        return response.status, response.headers.get("Location", "")


async def test_the_page_of_a_refusal_asks_and_the_answer_is_shown(
    upstream: Upstream, tmp_path: Path
) -> None:
    async with running(upstream, tmp_path) as gate:
        status, location = await sent(gate, await form(gate))
        assert (status, location[:11]) == (303, "exemptions/")
        requests = gate.parts.store.exemption_requests
        [asked] = requests.all()
        assert asked.id == location.removeprefix("exemptions/")
        wish = asked.wish
        assert (wish.author, wish.project, wish.version) == (BROWSER, "demo", "==2.0")
        assert (wish.rule, wish.reason, wish.days) == ("too-new", "the manual needs it", 7)
        told = await page(gate, f"/{location}")
        assert f"indexgate exempt grant {asked.id}" in told
        requests.decide(asked.id, "refused", by="bob", answer="<b>take 1.0</b>")
        assert "bob says: &lt;b&gt;take 1.0&lt;/b&gt;" in await page(gate, f"/{location}")


async def test_what_was_granted_is_said_to_be_over_when_it_is(
    upstream: Upstream, tmp_path: Path
) -> None:
    async with running(upstream, tmp_path) as gate:
        _, location = await sent(gate, await form(gate))
        requests = gate.parts.store.exemption_requests
        [asked] = requests.all()
        table = exempting.table(asked.wish, id_=asked.id, owner="ann", today=NOW.date())
        with changed(gate.state / NAME) as tables:
            tables["exemption"].append(table)
        requests.decide(asked.id, "granted", by="ann", answer="to the end of 2026-11-29")
        assert "Run the install again" in await page(gate, f"/{location}")
        gate.clock.turn(timedelta(days=8))
        over = await page(gate, f"/{location}")
        assert "Over: demo ==2.0" in over
        assert "Run the install again" not in over


async def test_the_terminal_gets_the_command_that_asks_this_gate(
    upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "with a 'space"
    folder.mkdir()
    async with running(upstream, folder) as gate:
        async with gate.client.get(BLOCKED) as response:
            problem = await response.json(content_type=None)
            assert len(response.reason or "") <= 200
        command = problem["ask"]
        assert command.startswith("indexgate exempt request demo==2.0 --rule too-new --policy ")
        assert command in problem["detail"]
        assert command in unescape(await page(gate))
        monkeypatch.chdir("/")
        words = [*shlex.split(command)[1:], "--reason", "pasted"]
        assert await asyncio.to_thread(run, words) == 0
        [asked] = gate.parts.store.exemption_requests.all()
        assert (asked.wish.rule, asked.wish.reason) == ("too-new", "pasted")
        told = unescape(await page(gate, f"/exemptions/{asked.id}"))
        [granting] = re.findall(r"<pre>(indexgate exempt grant .*?)</pre>", told)
        assert await asyncio.to_thread(run, shlex.split(granting)[1:]) == 0
        async with gate.client.get(BLOCKED) as response:
            assert response.status == 409, "it passes now"


@pytest.mark.parametrize(
    ("given", "flags"),
    [
        ({}, ""),
        ({"policy": "strict"}, "--policy strict"),
        ({"policy": "balanced"}, ""),
        ({"policy": "/etc/my policy.toml"}, "--policy '/etc/my policy.toml'"),
        ({"policy": "here.toml"}, "--policy HERE/here.toml"),
        ({"policy": "strict", "state": "/var/gate"}, "--policy strict --state /var/gate"),
        ({"state": "kept"}, "--state HERE/kept"),
    ],
)
def test_only_what_is_not_as_by_default_is_in_the_command(
    given: dict[str, str], flags: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    usual = state_folder.default_path()
    settings = config.load(given, {}, config.read_bounded, default_state=usual)
    assert found_again.flags(settings) == flags.replace("HERE", str(tmp_path))


async def test_beyond_this_machine_the_page_has_a_command_and_no_form(
    upstream: Upstream, tmp_path: Path
) -> None:
    async with running(upstream, tmp_path, host="0.0.0.0") as gate:
        told = await page(gate)
        assert "<form" not in told
        assert "indexgate exempt grant demo==2.0 --rule too-new" in told
        status, _ = await sent(gate, {"project": "demo"})
        assert status == 404
        async with gate.client.get(BLOCKED) as response:
            assert "ask" not in await response.json(content_type=None)


async def test_under_a_public_address_the_page_has_no_form_either(
    upstream: Upstream, tmp_path: Path
) -> None:
    public = {"public_url": "https://gate.example.test/", "allow_host": ("127.0.0.1",)}
    async with running(upstream, tmp_path, **public) as gate:  # type: ignore[arg-type]
        assert "<form" not in await page(gate)


async def test_what_nothing_can_waive_is_not_asked_for(upstream: Upstream, tmp_path: Path) -> None:
    async with running(upstream, tmp_path) as gate:
        told = await page(gate, "/blocked/held/1.0/slug?file=held-1.0-py3-none-any.whl")
        assert "exempt" not in told.replace("no exemption", "")
        assert "Ask for an exemption" not in told


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "http://other.example.test"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
    ids=["none", "null", "another site", "another port", "cross-site"],
)
async def test_only_a_page_of_the_gate_itself_asks(
    upstream: Upstream, tmp_path: Path, headers: dict[str, str]
) -> None:
    async with running(upstream, tmp_path) as gate:
        own = origin(gate) if "Sec-Fetch-Site" in headers else {}
        status, _ = await sent(gate, await form(gate), {**own, **headers})
        assert status == 403
        assert gate.parts.store.exemption_requests.all() == ()


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("token", "", 403),
        ("token", 64 * "0", 403),
        ("token", "\u00e9", 403),
        ("rule", "evil-name", 400),
        ("project", "evil-demo", 400),
        ("project", "../x", 400),
        ("file", "demo-1.0-py3-none-any.whl", 400),
        ("file", "nothing.whl", 400),
        ("reason", " ", 400),
        ("reason", "a\nb", 400),
        ("reason", 301 * "x", 400),
        ("reason", 9_000 * "x", 400),
    ],
)
async def test_what_the_form_did_not_say_is_not_taken(
    upstream: Upstream, tmp_path: Path, field: str, value: str, status: int
) -> None:
    async with running(upstream, tmp_path) as gate:
        found, _ = await sent(gate, {**await form(gate), field: value})
        assert found == status
        assert gate.parts.store.exemption_requests.all() == ()


@pytest.mark.parametrize(
    ("charset", "body"), [("no-such", b"reason=x"), ("utf-8", b"reason=\xff"), ("utf-8", b"a&" * 9)]
)
async def test_what_no_form_would_send_is_said_to_be_wrong(
    upstream: Upstream, tmp_path: Path, charset: str, body: bytes
) -> None:
    kind = {"Content-Type": f"application/x-www-form-urlencoded; charset={charset}"}
    async with running(upstream, tmp_path) as gate:
        headers = {**origin(gate), **kind}
        async with gate.client.post("/exemptions", data=body, headers=headers) as response:
            assert response.status == 400, await response.text()


async def test_no_other_page_shows_the_form_within_its_own(
    upstream: Upstream, tmp_path: Path
) -> None:
    async with running(upstream, tmp_path) as gate:
        _, location = await sent(gate, await form(gate))
        for path in (BLOCKED, f"/{location}"):
            async with gate.client.get(path, headers=HTML) as response:
                assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]


async def test_a_form_is_good_for_a_day(upstream: Upstream, tmp_path: Path) -> None:
    async with running(upstream, tmp_path) as gate:
        fields = await form(gate)
        gate.clock.turn(timedelta(days=1))
        assert (await sent(gate, fields))[0] == 303
        gate.clock.turn(timedelta(days=1))
        assert (await sent(gate, fields))[0] == 403


async def test_what_passes_by_now_needs_no_exemption(upstream: Upstream, tmp_path: Path) -> None:
    async with running(upstream, tmp_path) as gate:
        fields = await form(gate)
        gate.policy.write_text("version = 1\n")
        assert (await sent(gate, fields))[0] == 400


async def test_no_more_days_are_offered_than_the_policy_allows(
    upstream: Upstream, tmp_path: Path
) -> None:
    async with running(upstream, tmp_path) as gate:
        text = gate.policy.read_text()
        gate.policy.write_text(text.replace("\n", '\nmax_exemption = "20d"\n', 1))
        assert re.findall(r'<option value="(\d+)"', await page(gate)) == ["7", "14"]
        await sent(gate, {**await form(gate), "days": "365"})
        [asked] = gate.parts.store.exemption_requests.all()
        assert asked.wish.days == 7


async def test_a_script_cannot_flood_the_book(
    upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(upstream, tmp_path) as gate:
        fields = await form(gate)
        answers = [(await sent(gate, fields))[0] for _ in range(21)]
        assert answers == [303] * 20 + [503]
        async with gate.client.post("/exemptions", data=fields, headers=origin(gate)) as response:
            told = await response.json(content_type=None)
            assert "20 requests in a minute" in told["detail"]
            assert response.headers["Retry-After"] == "60"
        assert len(gate.parts.store.exemption_requests.all()) == 1
        monkeypatch.setattr(exemption_requests, "MOST_OPEN", 1)
        gate.parts.store.exemption_requests.decide(
            gate.parts.store.exemption_requests.all()[0].id, "ended", by="x"
        )
        gate.parts.store.exemption_requests.ask(
            exemption_requests.Wish(author="", project="x", version="", rule="r", reason="", days=1)
        )
        gate.clock.turn(timedelta(minutes=2))
        assert (await sent(gate, fields))[0] == 503


async def test_to_look_changes_nothing(upstream: Upstream, tmp_path: Path) -> None:
    async with running(upstream, tmp_path) as gate:
        await page(gate)
        for path in ("/exemptions", "/exemptions?project=demo", "/exemptions/0badf00d"):
            assert await gate.status(path) in {404, 405}
        assert gate.parts.store.exemption_requests.all() == ()


async def test_what_is_granted_passes_on_the_next_request_and_is_counted(
    upstream: Upstream, tmp_path: Path
) -> None:
    async with running(upstream, tmp_path) as gate:
        path = await gate.file_path("demo", "demo-2.0-py3-none-any.whl")
        assert await gate.status(path) == 302
        with changed(gate.state / NAME) as tables:
            tables["exemption"].append(
                {
                    "id": "one",
                    "project": "demo",
                    "rule": "too-new",
                    "reason": "why",
                    "owner": "me",
                    "expires": NOW.date(),
                }
            )
        assert await gate.status(path) == 200
        listed = await gate.json("/simple/demo/")
        assert not any(file.get("yanked") for file in listed["files"])
        await gate.parts.store.exemption_uses.prune(NOW)
        assert gate.parts.store.exemption_uses.of()["one"].count == 1
        decisions = gate.parts.store.decisions
        await decisions.flush()
        found = decisions.query(since=NOW - timedelta(hours=2))
        [warned] = [line for line in found if line.kind == "warned"]
        assert warned.reason.startswith("waived until the end of 2026-11-22 by me (why): ")


async def test_an_exemption_ends_with_its_second_on_pages_and_after_the_grace_for_files(
    upstream: Upstream, tmp_path: Path
) -> None:
    async with running(upstream, tmp_path) as gate:
        with changed(gate.state / NAME) as tables:
            tables["exemption"].append(
                {
                    "project": "evil-demo",
                    "rule": "evil-name",
                    "reason": "why",
                    "owner": "me",
                    "expires": NOW.date(),
                }
            )
        path = await gate.file_path("evil-demo", "evil_demo-1.0-py3-none-any.whl")
        end = NOW.replace(hour=0) + timedelta(days=1)
        gate.clock.now = end - timedelta(microseconds=1)
        assert await gate.status(path) == 200
        before = await gate.json("/simple/evil-demo/")
        gate.clock.now = end
        after = await gate.json("/simple/evil-demo/")
        assert "core-metadata" in before["files"][0]
        assert "core-metadata" not in after["files"][0]
        assert await gate.status(path) == 200
        gate.clock.turn(timedelta(minutes=10))
        assert await gate.status(path) == 302


async def test_broken_grants_degrade_health_and_keep_what_was_granted(
    upstream: Upstream, tmp_path: Path
) -> None:
    async with running(upstream, tmp_path) as gate:
        path = await gate.file_path("demo", "demo-1.0-py3-none-any.whl")
        (gate.state / NAME).write_text("nonsense")
        assert await gate.status(path) == 200
        health = await gate.json("/-/health")
        assert any(text.startswith("exemptions: ") for text in health["degraded"])
