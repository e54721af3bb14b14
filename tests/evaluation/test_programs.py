"""That the measuring programs run, on tables of a few rows in the form that they read."""

import gzip
import json
import sys
from pathlib import Path

import pytest

from tests.evaluation import first_releases, incidents

STREAM = """\
name\tfirst_version_seen\tupload_time\tlooks_first_release\trepo_host\tlabel
reqeusts\t0.1.0\t2026-03-01T10:00:00Z\tyes\t\tmalicious
some-private-thing\t99.9.9\t2026-03-01T10:00:00Z\tno\t\tprobably_pentest
quite-ordinary-name\t0.1.0\t2026-03-01T10:00:00Z\tyes\tgithub\tpresumed-benign
an-update\t4.2.0\t2026-03-01T10:00:00Z\tno\tgithub\tpresumed-benign
"""
INCIDENTS = """\
id\tpackages\tkind\tlast_good\tbad_versions\tfirst_bad_upload_utc\tremoved_utc\tsignals_expected
demo-2026\tdemo\tcompromised-token\t1.3\t1.4\t2026-03-17\t2026-03-17\tprovenance_loss
squat-2026\treqeusts\ttyposquat\tnone\t0.1\t2026-03\t2026-04-02\ttyposquat_similarity
"""
HARD = """\
name\tcase\trank\tsince_or_value
dated\tcalendar-version\t70\t2026.9.0
counter\thigh-major-version\t80\t263.7
"""
UPLOADS = [
    [f"1.{place}", f"2026-{month}-01T08:00:00Z", "", "", f"github:ann/{repository}", 1, 0, 0]
    for place, (month, repository) in enumerate(
        [("01", "demo"), ("02", "demo"), ("03", "demo"), ("05", "other"), ("06", "other")]
    )
]


def test_first_releases_are_counted_by_what_they_were_labelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = tmp_path / "stream.tsv"
    stream.write_text(STREAM, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["first_releases", str(stream)])
    first_releases.main()
    head, _, *lines = capsys.readouterr().out.splitlines()
    assert head == "| what | malicious (1) | probably_pentest (1) | presumed-benign (1) |"
    found = {row[0]: [cell.split(" ")[0] for cell in row[1:]] for row in map(cells, lines)}
    assert found["typosquat high"] == ["1", "0", "0"]
    assert found["version-jump high"] == ["0", "1", "0"]
    assert found["balanced refuses at once"] == ["1", "1", "1"]
    assert found["balanced refuses a day later"][0] == "1"
    assert found["balanced refuses a day later"][2] == "0"


def test_incidents_are_told_with_their_flags_and_ordinary_releases_beside_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "incidents.tsv").write_text(INCIDENTS, encoding="utf-8")
    (tmp_path / "benign-hard-cases-dev.tsv").write_text(HARD, encoding="utf-8")
    histories = {"groups": {"other": {"moved": UPLOADS}}, "long": {}}
    with gzip.open(tmp_path / "release-histories-dev.json.gz", "wt") as file:
        json.dump(histories, file)
    monkeypatch.setattr(sys, "argv", ["incidents", str(tmp_path)])
    incidents.main()
    lines = capsys.readouterr().out.splitlines()
    rows = {row[1]: row for row in map(cells, lines) if len(row) == 6}
    assert rows["demo"][3:] == ["-", "provenance-lost medium", "refused until removed"]
    assert rows["reqeusts"][2:4] == ["32 d", "typosquat high"]
    assert "2 of a half year's releases of 1 projects, minutes after each:" in lines
    assert "| packaging-change | low | 1 | 500.0 | 1 |" in lines
    assert "calendar-version: version-jump on 0 of 1, were each a first release" in lines
    assert "high-major-version: version-jump on 1 of 1, were each a first release" in lines


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]
