"""`timeline`: what is asked for, and in which form it comes."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from indexgate.charts.view import View
from indexgate.cli import timeline
from indexgate.cli.main import run
from indexgate.config import Settings
from indexgate.errors import GateError
from indexgate.upstream_choice import UpstreamChoice
from tests.proxy.charts.views import view_of

TODAY = date(2026, 11, 22)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what was asked for; the answer is a made-up story."""
    found: list[Any] = []

    async def fake(
        settings: Settings, upstream: UpstreamChoice, name: str, *, until: date | None, days: int
    ) -> View:
        found.append((upstream.url, name, until, days))
        return view_of("bought")

    monkeypatch.setattr("indexgate.web.timelined.timeline_of", fake)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("COLUMNS", "90")
    return found


@pytest.fixture
def place(tmp_path: Path) -> list[str]:
    """Return the flags that name an upstream and an own state folder."""
    return ["--upstream", "https://a.test/simple", "--state", str(tmp_path)]


def test_it_draws_half_a_year_up_to_today(
    asked: list[Any], place: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["timeline", "Tidy_Frames", *place]) == 0
    assert asked == [("https://a.test/simple/", "tidy-frames", None, 182)]
    output = capsys.readouterr().out
    assert "A  surge since 2026-10-29" in output
    assert "owner `ann` replaced by `bo1987`" in output


def test_it_takes_a_day_and_a_length(asked: list[Any], place: list[str]) -> None:
    assert run(["timeline", "demo", "--until", "2026-09-01", "--days", "30", *place]) == 0
    assert asked[0][2:] == (date(2026, 9, 1), 30)


def test_json_is_one_object_and_nothing_else(
    asked: list[Any], place: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["timeline", "demo", "--json", *place]) == 0
    assert json.loads(capsys.readouterr().out)["project"] == "tidy-frames"


def test_a_picture_is_written_beside_what_is_printed(
    asked: list[Any], place: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "demo.svg"
    assert run(["timeline", "demo", "--svg", str(picture), *place]) == 0
    assert ET.parse(picture).getroot().tag.endswith("svg")
    assert "A  surge" in capsys.readouterr().out


def test_a_picture_that_cannot_be_written_is_told(
    asked: list[Any], place: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["timeline", "demo", "--svg", str(tmp_path / "none" / "a.svg"), *place]) == 2
    assert "error: picture-unwritable" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "reference"),
    [
        (["demo==1.0"], "project-invalid"),
        (["-"], "project-invalid"),
        (["demo", "--until", "yesterday"], "until-invalid"),
        (["demo", "--until", "9999-01-01"], "until-invalid"),
        (["demo", "--days", "3"], "usage"),
    ],
)
def test_what_cannot_be_meant_is_told(
    arguments: list[str],
    reference: str,
    asked: list[Any],
    place: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["timeline", *arguments, *place]) == 2
    assert f"error: {reference}" in capsys.readouterr().err
    assert asked == []


def test_today_is_a_day_and_tomorrow_is_not_yet() -> None:
    assert timeline.day("2026-11-22", TODAY) == TODAY
    with pytest.raises(GateError):
        timeline.day("2026-11-23", TODAY)


def test_help_needs_no_numpy() -> None:
    program = (
        "import sys; from indexgate.cli.main import run; run(['timeline', '--help']);"
        "assert 'numpy' not in sys.modules and 'rich' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
