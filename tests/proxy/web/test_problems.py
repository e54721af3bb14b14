"""Problem documents: one table has every type; the page and the refusals are held to it."""

import ast
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from indexgate.index import protocol
from indexgate.judged_files import JudgedFile
from indexgate.web import problem_types
from indexgate.web.problem_types import BY_ID, COMMON, FIELDS, PREFIX, TYPES
from indexgate.web.refusal_details import Evidence, details, project_details
from indexgate_policy.advisories import Advisory
from indexgate_policy.assessment import Assessment
from indexgate_policy.flags import Severity
from indexgate_policy.rules.verdict import Action, Verdict
from indexgate_policy.subject import Client
from tests.policy.rules import facts
from tests.proxy.web.running import JSON, NOW, running
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

ROOT = Path(__file__).parents[3]
WEB = ROOT / "proxy" / "indexgate"
NEW = wheel("demo", "2.0", upload_time=NOW - timedelta(days=2))
DEMO = project("demo", wheel("demo", "0.9"), wheel("demo", "1.0"), NEW)
EVIL = project("evil-thing", wheel("evil-thing", "1.0"))


def _made() -> Iterator[tuple[str, int | None]]:
    """Yield each type that the code makes, and its status where it is written down."""
    for path in sorted(WEB.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Problem"):
                continue
            given = {word.arg: word.value for word in node.keywords}
            kind, status = given["type"], given["status"]
            if isinstance(kind, ast.Constant):
                code = status.value if isinstance(status, ast.Constant) else None
                yield str(kind.value).removeprefix(PREFIX), code  # type: ignore[misc]


def test_the_table_has_the_types_that_the_code_makes_and_no_others() -> None:
    made = dict(_made())
    patterns = {each.id for each in TYPES if each.id.startswith(("upstream-", "http-"))}
    assert made.keys() | patterns == BY_ID.keys()
    for name, status in _made():
        assert status is None or status in BY_ID[name].status, name


def test_the_table_has_every_kind_of_trouble_with_upstream() -> None:
    told = set(re.findall(r"`([a-z-]+)`", protocol.UpstreamFailed.__doc__ or ""))
    kinds = {each.id.removeprefix("upstream-") for each in TYPES if each.id.startswith("upstream-")}
    assert kinds == told - {"kind", "reason", "status", "retry_after"} | {"status"}
    for path in WEB.rglob("*.py"):
        made = re.findall(r'UpstreamFailed\(\s*"([a-z-]+)"', path.read_text(encoding="utf-8"))
        assert set(made) <= kinds, path


def test_every_type_says_when_it_is_sent_and_what_to_do() -> None:
    assert len(BY_ID) == len(TYPES)
    for each in TYPES:
        assert each.when.endswith(".")
        assert each.do
        assert {*each.fields, *each.maybe} <= FIELDS.keys()
    used = {name for each in TYPES for name in (*each.fields, *each.maybe)}
    assert used == FIELDS.keys()


def test_the_page_of_problems_is_the_rendered_one() -> None:
    # If it is not: print `problem_types.page()` into docs/reference/problems.md.
    page = ROOT / "docs" / "reference" / "problems.md"
    assert page.read_text(encoding="utf-8") == problem_types.page()


def held(document: dict[str, Any]) -> None:
    """Hold a problem document to what the table says of its type."""
    kind = BY_ID[document["type"].removeprefix(PREFIX)]
    assert document["status"] in kind.status
    needed = {*COMMON, *kind.fields}
    assert needed <= document.keys()
    assert document.keys() <= needed | {*kind.maybe}


async def test_a_refused_file_has_all_that_a_program_needs(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        async with gate.client.get(await gate.file_path("demo", NEW.filename)) as response:
            document = await response.json(content_type=None)
        held(document)
        assert document["passing_versions"] == ["1.0", "0.9"]
        assert document["imitates"] is None
        assert (document["action"], document["rule"]) == ("refuse", "too-new")
        assert document["policy"] == gate.parts.gate.policy.current().digest
        facts = {(each["kind"], each["id"]): each["text"] for each in document["evidence"]}
        assert facts["release", "uploaded"] == "2026-11-20T12:00:00Z"
        assert facts["project", "releases"] == "3"
        assert document["request_id"] == response.headers["X-Request-Id"]


@pytest.mark.parametrize("path", ["/simple/evil-thing/", "/simple/absent/", "/simple/%20/", "/no"])
async def test_other_refusals_and_failures_have_what_the_table_says(
    path: str, tmp_path: Path
) -> None:
    async with (
        Upstream(DEMO, EVIL) as upstream,
        running(upstream, tmp_path, presentation="hide") as gate,
        gate.client.get(path, headers=JSON) as response,
    ):
        document = await response.json(content_type=None)
        if document["type"].startswith(f"{PREFIX}http-"):
            assert document.keys() == COMMON.keys()
            return
        held(document)
        assert ("passing_versions" in document) is (response.status == 451)


def test_the_document_in_the_guide_is_one() -> None:
    guide = (ROOT / "docs" / "tasks" / "read-refusals-by-machine.md").read_text(encoding="utf-8")
    [shown] = re.findall(r"^```json\n(.*?)^```", guide, re.DOTALL | re.MULTILINE)
    held(json.loads(shown))


async def test_a_file_that_passes_now_says_so(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        await gate.file_path("demo", NEW.filename)
        gate.clock.turn(timedelta(days=9))
        async with gate.client.get(f"/blocked/demo/2.0/x?file={NEW.filename}") as response:
            held(await response.json(content_type=None))


LOOKALIKES = facts.policy(facts.rule('flag = { id = "typosquat" }'))


def judged() -> JudgedFile:
    return JudgedFile(
        subject=facts.file(yanked="oops", uploaded=NOW),
        verdict=Verdict(action=Action.REFUSE, rule="r"),
        listed=None,
        index_id="i",
        policy="digest",
    )


def assessed(**more: Any) -> Assessment:
    return facts.assessment(flags=[facts.flag(facts={"imitates": "requests"})], **more)


def test_the_imitated_name_and_the_advisories_of_the_version_are_evidence() -> None:
    known = assessed(advisories=[facts.malware(versions=("1.0",))])
    told = details(judged(), known, LOOKALIKES, ("3", "2"), Client())
    assert told.imitates == "requests"
    assert told.passing_versions == ("3", "2")
    assert told.evidence[:2] == (
        Evidence(kind="advisory", id="MAL-1", text=told.evidence[0].text, severity="critical"),
        Evidence(kind="flag", id="typosquat", text="typosquat found", severity="high"),
    )
    assert Evidence(kind="upstream", id="yanked", text="oops") in told.evidence


def test_an_advisory_of_another_version_is_no_evidence() -> None:
    other: Advisory = facts.malware(versions=("9.9",))
    told = details(judged(), assessed(advisories=[other]), LOOKALIKES, (), Client())
    assert "advisory" not in {each.kind for each in told.evidence}


@pytest.mark.parametrize(
    ("when", "named"),
    [
        ('flag = { id = ["typosquat"] }', True),
        ("any_flag = { explained = false }", True),
        ('all = [{ flag = { id = "typosquat" } }, { kind = "wheel" }]', True),
        ('flag = { id = "maintainer-change" }', False),
        ('release_age = { below = "1d" }', False),
    ],
)
def test_a_name_that_is_like_another_is_only_told_where_that_is_the_matter(
    when: str, named: bool
) -> None:
    policy = facts.policy(facts.rule(when))
    told = details(judged(), assessed(), policy, (), Client())
    assert told.imitates == ("requests" if named else None)
    assert project_details(assessed(), policy, "r").imitates == told.imitates
    assert project_details(assessed(), policy, "quarantined").imitates is None


def test_upstreams_words_cannot_write_lines() -> None:
    bad = facts.flag(severity=Severity.LOW, facts={"imitates": f"re\nquests{'x' * 200}"})
    told = project_details(facts.assessment(flags=[bad]), LOOKALIKES, "r")
    assert told.imitates is not None
    assert "\n" not in told.imitates
    assert len(told.imitates) <= 80
