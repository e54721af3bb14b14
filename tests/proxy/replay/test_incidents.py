"""Known incidents under policies: for how long each kept the bad version out."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from indexgate.cli.main import run
from indexgate.replay.exposure import Exposed, Exposure, expose
from indexgate.replay.incidents import Incident, incidents, moment, read_rows
from indexgate_policy import policies
from indexgate_policy.rules import document
from indexgate_policy.rules.document import Policy

SAMPLE = Path(__file__).with_name("incidents.tsv")
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def policy(when: str, unknown: str = "allow") -> Policy:
    text = f'version = 1\n[[rule]]\nid = "r"\naction = "refuse"\nwhen = {{ {when} }}\n'
    return document.parse(f'{text}unknown = "{unknown}"\n', source="p", now=NOW)


def sample() -> list[Incident]:
    with SAMPLE.open(encoding="utf-8") as file:
        return list(incidents(read_rows(file)))


def exposed(draft: Policy, in_force: Policy | None = None) -> Exposure:
    observe = document.parse(policies.shipped("observe"), source="observe", now=NOW)
    return expose(
        sample(), draft, in_force or observe, places=("draft", "other"), presentation="explain"
    )


def row(found: Exposure, project: str, number: int = 0) -> Exposed:
    return [one for one in found.incidents if one.project == project][number]


def test_the_sample_is_read() -> None:
    found = {(one.id, one.name): one for one in sample()}
    assert len(found) == 6  # the flood names nobody
    first = found["ultralytics-2024-a", "ultralytics"]
    assert (first.bad, first.last_good, first.is_takeover) == ("8.3.41", "8.3.40", True)
    assert first.uploaded == datetime(2024, 12, 4, 20, 50, tzinfo=UTC)
    squat = found["skcsirt-2017", "acqusition"]
    assert (squat.bad, squat.is_takeover, squat.is_benign) == ("1.0.0", False, False)
    benign = found["benign-made-up", "ordinary-library"]
    assert benign.is_benign
    assert benign.removed - benign.uploaded == timedelta(days=30)


def test_a_cooling_period_keeps_out_what_is_gone_before_it_ends() -> None:
    found = exposed(policy('release_age = { below = "24h" }'))
    short, long = row(found, "ultralytics"), row(found, "aiocpa")
    assert short.draft.share == pytest.approx(1)
    assert (short.draft.passes_after, short.draft.rules) == (None, ("r",))
    # 24 h 24 min 59 s, of which the first ten minutes are not looked at
    assert long.draft.passes_after == pytest.approx(1)
    assert long.draft.gained == pytest.approx(1 - 10 / 1440)
    assert long.draft.share == pytest.approx((24 * 60 - 10) / (24 * 60 + 24 + 59 / 60 - 10))
    assert long.in_force.gained == 0


def test_what_only_a_watching_gate_could_know_is_apart() -> None:
    found = exposed(policy('flag = { id = "provenance-lost" }'))
    lost = row(found, "ultralytics", 1)
    assert lost.draft.share == 0
    assert lost.draft_watched.share == pytest.approx(1)


def test_what_the_table_does_not_tell_is_not_judged() -> None:
    found = exposed(policy("owners = { below = 2 }", unknown="refuse"))
    assert {one.draft.not_judged for one in found.incidents} == {1.0}
    assert {one.draft.share for one in found.incidents} == {0.0}


def test_honest_releases_are_counted_apart() -> None:
    found = exposed(policy('release_age = { below = "24h" }'))
    assert (found.draft.benign.found, found.draft.benign.of) == (1, 1)
    assert (found.draft.out.found, found.draft.out.of, found.draft.late) == (2, 5, 3)
    assert (found.in_force.out.found, found.in_force.benign.found) == (0, 0)


def test_nothing_after_the_moment_is_used() -> None:
    """How long a version stayed up later changes nothing of what was said before."""
    known = [one for one in sample() if one.name == "aiocpa"]
    young = policy('release_age = { below = "12h" }')
    said = []
    for days in (1, 50):
        longer = [
            Incident(
                id=one.id,
                name=one.name,
                kind=one.kind,
                last_good=one.last_good,
                bad=one.bad,
                uploaded=one.uploaded,
                removed=one.uploaded + timedelta(days=days),
                signs=one.signs,
            )
            for one in known
        ]
        found = expose(longer, young, young, places=("a", "b"), presentation="explain")
        said.append((found.incidents[0].draft.gained, found.incidents[0].draft.passes_after))
    assert said[0] == pytest.approx(said[1])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-05", datetime(2024, 5, 1, tzinfo=UTC)),
        ("2024-05-03", datetime(2024, 5, 3, tzinfo=UTC)),
        ("2024-05-03T10:39Z", datetime(2024, 5, 3, 10, 39, tzinfo=UTC)),
    ],
)
def test_a_moment_is_a_month_a_day_or_a_time(text: str, expected: datetime) -> None:
    assert moment(text) == expected


class TestCommand:
    @pytest.fixture(autouse=True)
    def _quiet(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
        monkeypatch.setenv("HOME", str(tmp_path))

    def test_no_gate_and_no_index_is_needed(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["replay", "balanced", "--incidents", str(SAMPLE), "--policy", "observe"]) == 0
        shown = " ".join(capsys.readouterr().out.split())
        assert "aiocpa" in shown
        assert "2 of 5" in shown or "3 of 5" in shown
        assert "kept out until removed" in shown
        assert "benign refused at some time: 1 of 1" in shown

    def test_json_has_every_incident(self, capsys: pytest.CaptureFixture[str]) -> None:
        arguments = ["replay", "balanced", "--incidents", str(SAMPLE), "--json"]
        assert run(arguments) == 0
        told = json.loads(capsys.readouterr().out)
        assert len(told["incidents"]) == 6
        assert told["incidents"][0]["draft"]["rules"] == ["release-age"]

    @pytest.mark.parametrize(
        ("content", "why"),
        [
            ("id\tpackages\n", "lacks the columns kind"),
            (
                SAMPLE.read_text(encoding="utf-8").replace("2024-12-04T20:50Z", "yesterday"),
                "row `ultralytics-2024-a`",
            ),
        ],
    )
    def test_what_is_no_table_says_why(
        self, content: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        table = tmp_path / "known.tsv"
        table.write_text(content, encoding="utf-8")
        assert run(["replay", "balanced", "--incidents", str(table)]) == 2
        told = capsys.readouterr().err
        assert "incidents-unreadable" in told
        assert why in told

    def test_a_table_that_is_not_there_is_told(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["replay", "balanced", "--incidents", "nowhere.tsv"]) == 2
        assert "cannot be read" in capsys.readouterr().err
