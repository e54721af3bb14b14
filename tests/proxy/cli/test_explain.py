"""`explain`: everything known, as tables and as JSON, and an exit code to act on."""

import io
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from rich.console import Console

from indexgate.cli import explain
from indexgate.cli.explanation_forms import as_json, print_tables
from indexgate.cli.main import run
from indexgate.config import Settings
from indexgate.errors import GateError
from indexgate.explanation import Explanation, ReleaseVerdict
from indexgate.upstream_choice import UpstreamChoice
from indexgate_policy.advisories import Advisories, Advisory
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.health.result import Cap, HealthScore, Line
from indexgate_policy.rules.verdict import ALLOWED, Action, Verdict, Warned
from indexgate_policy.signals import Signal, Unknown

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
REFUSED = Verdict(
    action=Action.REFUSE,
    rule="release-age",
    reason="demo 2.0 was uploaded 2026-11-20",
    hint="demo 1.9 passes",
    until=NOW + timedelta(days=1),
)
WARNED = Verdict(action=Action.WARN, warnings=(Warned(rule="archived", reason="demo is archived"),))


def made(**changes: Any) -> Explanation:
    facts: dict[str, Any] = {
        "project": "demo",
        "at": NOW,
        "index": "https://index.example.test/simple/",
        "public": True,
        "fetched_at": NOW - timedelta(minutes=5),
        "releases": 3,
        "first_upload": datetime(2020, 1, 2, 3, 4, tzinfo=UTC),
        "first_seen": Unknown(reason="the store is younger"),
        "assessed_at": NOW,
        "signals": (
            Signal(name="owners", value=2, source="json", observed_at=NOW - timedelta(hours=3)),
            Signal(
                name="repository", value=Unknown(reason="not given"), source="json", observed_at=NOW
            ),
            Signal(name="classifiers", value=("A", "B"), source="json", observed_at=NOW),
            Signal(name="stars", value=Unknown(reason="not given"), source="hub", observed_at=NOW),
            Signal(
                name="unchecked",
                value=("new-10k: no downloads: none are known", "clockwork: no downloads"),
                source="indexgate",
                observed_at=NOW,
            ),
            Signal(name="archived", value=False, source="page", observed_at=NOW),
        ),
        "flags": (
            Flag(
                check="typosquat",
                severity=Severity.HIGH,
                evidence="one letter from `demos`",
                facts={"imitates": "demos"},
                versions=("2.0",),
            ),
        ),
        "score": HealthScore(
            formula="hs-1",
            value=35,
            uncapped=52.25,
            confidence=0.64,
            grade="D",
            lines=(
                line("security", "scorecard", 4.5, 6.6, "Scorecard 6.0 of 10"),
                line("security", "advisories", 7.7, 7.7, "no open advisories"),
                line("community", "stars", 1.6, 4.0, "github is off", known=False),
                line("community", "forks", 0.5, 1.3, "github is off", known=False),
            ),
            caps=(Cap(limit=35, reason="first release under 30 days ago"),),
        ),
        "advisories": Advisories(
            records=(
                Advisory(
                    id="X-1",
                    kind="vulnerability",
                    severity=Unknown(reason="no score"),
                    summary="bad parsing",
                ),
            ),
            feed=NOW - timedelta(days=3),
        ),
        "policy": "balanced",
        "policy_digest": "abcdef0123456789",
        "verdicts": (
            ReleaseVerdict(version="2.0", released=NOW, verdict=REFUSED),
            ReleaseVerdict(version="1.9", released=NOW, verdict=WARNED),
            ReleaseVerdict(version="1.8", released=Unknown(reason="no time"), verdict=ALLOWED),
        ),
    }
    return Explanation(**(facts | changes))


def line(
    dimension: str, name: str, points: float, most: float, evidence: str, *, known: bool = True
) -> Line:
    return Line(
        dimension=dimension, input=name, points=points, most=most, known=known, evidence=evidence
    )


def shown(explanation: Explanation, width: int = 200) -> str:
    stream = io.StringIO()
    print_tables(explanation, Console(file=stream, width=width, highlight=False))
    return stream.getvalue()


def test_the_command_to_ask_with_is_one_line_and_names_the_policy_that_refused() -> None:
    stream = io.StringIO()
    console = Console(file=stream, width=60, highlight=False)
    print_tables(made(refused_project=REFUSED), console, asking="--policy ours.toml")
    assert "exempt request --policy ours.toml demo --rule release-age" in stream.getvalue()


@pytest.mark.parametrize(
    "words",
    [
        "https://index.example.test/simple/ (public)",
        "fetched 5 min ago",
        "2020-01-02 03:04 UTC",
        "unknown: the store is younger",
        "balanced (abcdef012345)",
        "3 h ago",
        "  repository, stars: not given",
        "  new-10k: no downloads: none are known",
        "Health 35 of 100, grade D (52 before caps); 64% of what it rests on is known and fresh",
        "12.2 of 14",
        "Scorecard 6.0 of 10; no open advisories",
        "  stars, forks: github is off",
        "first release under 30 days ago",
        "A, B",
        "one letter from `demos` (2.0)",
        "Advisories (feed read 3 days ago)",
        "unknown: no score",
        "demo 2.0 was uploaded 2026-11-20",
        "2026-11-21 12:00 UTC",
        "demo is archived",
        "demo passes",
    ],
)
def test_the_tables_say_all_that_is_known_and_why_the_rest_is_not(words: str) -> None:
    assert words in shown(made())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"asked": "2.0"}, "demo==2.0 is refused by `release-age`: demo 2.0 was uploaded"),
        ({"asked": "2.0"}, "hint: demo 1.9 passes"),
        ({"asked": "1.9"}, "demo==1.9 passes"),
        ({"refused_project": REFUSED}, "demo is refused by `release-age`"),
        ({"stale": "did not answer within 10 s"}, "stale: did not answer within 10 s"),
        ({"status": "archived", "status_reason": "moved"}, "archived: moved"),
        ({"signals": ()}, "Signals: none"),
        ({"flags": ()}, "Flags: none"),
        ({"score": Unknown(reason="not yet")}, "Health: not known (not yet)"),
        ({"advisories": Unknown(reason="no feed")}, "Advisories: not known (no feed)"),
        (
            {"advisories": Advisories(records=(), feed=Unknown(reason="it is not read yet"))},
            "Advisories: not known (it is not read yet)",
        ),
        ({"advisories": Advisories(records=(), feed=NOW, applicable=False)}, "is not public"),
        ({"advisories": Advisories(records=(), feed=NOW)}, "Advisories (feed read just now): none"),
    ],
)
def test_the_tables_tell_what_differs(changes: dict[str, Any], words: str) -> None:
    assert words in shown(made(**changes))


def test_text_from_upstream_moves_no_cursor_and_is_no_markup() -> None:
    text = shown(made(status_reason="\x1b[2J[red]boo[/red]\x07"))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[red]boo[/red]" in text


def test_narrow_terminals_lose_no_word_of_the_verdict() -> None:
    text = shown(made(asked="2.0"), width=50)
    assert "demo is archived".replace(" ", "") in "".join(
        line.split("│")[5] for line in text.splitlines() if line.count("│") == 7
    ).replace(" ", "")


def test_json_has_every_field_and_unknown_ones_with_their_reason() -> None:
    document = json.loads(as_json(made(asked="2.0")))
    assert document["refused"] is True
    assert document["at"] == "2026-11-20T12:00:00Z"
    assert document["first_seen"] == {"unknown": "the store is younger"}
    assert document["signals"][0]["value"] == 2
    assert document["signals"][1]["value"] == {"unknown": "not given"}
    assert document["signals"][2]["value"] == ["A", "B"]
    assert document["flags"][0]["severity"] == "high"
    assert document["flags"][0]["facts"] == {"imitates": "demos"}
    assert document["advisories"]["records"][0]["severity"] == {"unknown": "no score"}
    assert document["verdicts"][0]["verdict"]["action"] == "refuse"
    assert document["verdicts"][1]["verdict"]["warnings"][0]["rule"] == "archived"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, 0),
        ({"asked": "2.0"}, 1),
        ({"asked": "1.9"}, 0),
        ({"refused_project": REFUSED}, 1),
        ({"refused_project": REFUSED, "asked": "1.8"}, 0),
    ],
)
def test_the_exit_code_is_that_of_what_was_asked_for(
    changes: dict[str, Any],
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: list[tuple[str, str, str | None, str | None]] = []

    async def fake(
        settings: Settings,
        upstream: UpstreamChoice,
        name: str,
        version: str | None,
        *,
        team: str | None,
    ) -> Explanation:
        asked.append((upstream.url, name, version, team))
        return made(**changes)

    module = ModuleType(explain._EXPLAINER)
    module.__dict__["explain"] = fake
    monkeypatch.setitem(sys.modules, explain._EXPLAINER, module)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("INDEXGATE_STAET", "x")
    arguments = ["--upstream", "https://a.test/simple", "--state", str(tmp_path)]
    assert run(["explain", "De_Mo==2.0", "--team", "web", *arguments]) == code
    assert asked == [("https://a.test/simple/", "de-mo", "2.0", "web")]
    output = capsys.readouterr()
    assert "INDEXGATE_STAET" in output.err
    assert "release-age" in output.out
    assert run(["explain", "demo", "--json", *arguments]) == code
    assert json.loads(capsys.readouterr().out)["project"] == "demo"


@pytest.mark.parametrize(
    ("text", "name", "version"),
    [
        ("requests", "requests", None),
        ("Foo_Bar.baz", "foo-bar-baz", None),
        ("requests==2.32.3", "requests", "2.32.3"),
        (" requests == 2.0 ", "requests", "2.0"),
    ],
)
def test_a_project_is_named_alone_or_with_a_version(
    text: str, name: str, version: str | None
) -> None:
    assert explain.asked(text) == (name, version)


@pytest.mark.parametrize("text", ["", "==1", "a==", "-a", "a>=1", "a b", "\x1b[2J", "a==\x1b"])
def test_what_names_no_project_is_refused(text: str) -> None:
    with pytest.raises(GateError) as raised:
        explain.asked(text)
    assert raised.value.reference == "project-invalid"
    assert raised.value.message.isprintable()
