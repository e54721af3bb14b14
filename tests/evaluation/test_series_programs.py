import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.evaluation import newest_day, real_series


def test_the_flags_of_a_whole_index_are_timed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["newest_day", "--projects", "90", "--chunk", "50"])
    newest_day.main()
    assert "90 projects x 182 days" in capsys.readouterr().out


def test_real_series_are_told_by_project_weeks_and_rule(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [date(2022, 1, 3) + timedelta(days=day) for day in range(420)]
    quiet = [f"{day},60,10,{40 + day.day % 5},5,5,0" for day in days]
    gone = [
        line if place < 300 else f"{days[place]},5,0,0,0,5,0" for place, line in enumerate(quiet)
    ]
    header = "date,downloads,darwin,linux,windows,null,other"
    (tmp_path / "quiet.csv").write_text("\n".join([header, *quiet]), encoding="utf-8")
    (tmp_path / "gone.csv").write_text("\n".join([header, *gone]), encoding="utf-8")
    squat = ["date,downloads,of_which_bandersnatch_or_null_installer,by_country_top8"]
    squat += [f"{day},20,{18 if place < 3 else 5},US=8;CN=2" for place, day in enumerate(days[:30])]
    (tmp_path / "squat.malicious-2017.csv").write_text("\n".join(squat), encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["real_series", str(tmp_path), "--show"])
    real_series.main()
    told = capsys.readouterr().out
    assert "each by itself: 2 projects, 96 project-weeks" in told
    assert "gone drop stopped" in told
    assert "quiet drop" not in told
    assert "(first 3 days  90%)" in told
