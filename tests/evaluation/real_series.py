"""Run the flags of the download history over real daily series and count what they say.

    python -m tests.evaluation.real_series FOLDER [--show]

FOLDER holds one CSV file a project: `NAME.csv` with the columns date, downloads, darwin, linux,
windows, null, other (mirrors left out); `NAME.malicious-YEAR.csv` with date, downloads,
of_which_bandersnatch_or_null_installer, by_country_top8; `NAME.legit-YEAR.csv` with date and
downloads. Nothing in them is labelled: every finding counts as a false alarm, so that the figures
are an upper bound. Downloads by Darwin and Windows stand for people, by Linux for pipelines, and
the weekly mix of systems for that of installers.
"""

import argparse
import csv
from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from msgspec.structs import replace
from packaging.utils import canonicalize_name

from indexgate_policy.downloads.kinds import CLASSES, INSTALLERS, REGIONS, VERSION_AGES
from indexgate_policy.downloads.movement import movement
from indexgate_policy.downloads.panel import Movement, Panel
from indexgate_policy.series.finding import Finding
from indexgate_policy.series.findings import findings

SYSTEMS = ("darwin", "linux", "windows", "null", "other")
BURN_IN = 84
RECOUNTED = 0.4  # what a new way of counting leaves, in the trial of it


def main() -> None:
    """Print the tables."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--show", action="store_true", help="print every finding")
    chosen = arguments.parse_args()
    paths = sorted(chosen.folder.glob("*.csv"))
    plain = [path for path in paths if path.name.count(".") == 1]
    panel = _panel(plain)
    moved = movement([panel])
    told = _report("each by itself", panel, None)
    _report("with how all moved", panel, moved)
    recounted = _recounted(panel)
    _report("all recounted, with how all moved", recounted, movement([recounted]))
    if chosen.show:
        for one in told:
            day = panel.first_day + timedelta(days=one.day)
            print(f"  {day} {panel.names[one.row]} {one.kind} {one.why}", end=" ")
            print(f"{one.before:.2f} -> {one.now:.2f}")
    print()
    for path in paths:
        if ".malicious-" in path.name or ".legit-" in path.name:
            _first_weeks(path)


def _report(title: str, panel: Panel, moved: Movement | None) -> list[Finding]:
    found = findings(panel, moved, first=BURN_IN)
    weeks = float(np.isfinite(panel.consumers[:, BURN_IN:]).sum()) / 7
    rules = Counter(
        f"{one.kind} {one.why}" if one.kind in {"surge", "drop"} else one.kind for one in found
    )
    print(f"{title}: {len(panel.names)} projects, {weeks:.0f} project-weeks")
    for rule, count in sorted(rules.items()):
        print(f"  {rule:16s} {count:4d}  {1000 * count / weeks:6.2f} per 1,000 project-weeks")
    return found


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def _panel(paths: Iterable[Path]) -> Panel:
    """Return the series of *paths* side by side, days without a row unknown."""
    tables = {path.stem: _rows(path) for path in paths}
    tables = {name: rows for name, rows in tables.items() if rows and "linux" in rows[0]}
    first = min(date.fromisoformat(rows[0]["date"]) for rows in tables.values())
    last = max(date.fromisoformat(rows[-1]["date"]) for rows in tables.values())
    shape = (len(tables), (last - first).days + 1)
    systems = np.full((*shape, len(SYSTEMS)), np.nan, np.float32)
    born = np.full(len(tables), -1, np.int32)
    for row, rows in enumerate(tables.values()):
        for line in rows:
            day = (date.fromisoformat(line["date"]) - first).days
            systems[row, day] = [float(line[system] or 0) for system in SYSTEMS]
        begin = (date.fromisoformat(rows[0]["date"]) - first).days
        born[row] = begin if begin > 7 else -1
    classes = np.zeros((*shape, len(CLASSES)), np.float32)
    classes[:, :, CLASSES.index("human")] = systems[:, :, 0] + systems[:, :, 2]
    classes[:, :, CLASSES.index("pipeline")] = systems[:, :, 1]
    classes[:, :, CLASSES.index("bot")] = systems[:, :, 3] + systems[:, :, 4]
    weeks = shape[1] // 7
    weekly = systems[:, : weeks * 7].reshape(len(tables), weeks, 7, len(SYSTEMS)).sum(axis=2)
    mix = np.zeros((len(tables), weeks, len(INSTALLERS)), np.float32)
    mix[:, :, : len(SYSTEMS)] = weekly
    unknown = np.full(shape, np.nan, np.float32)
    return Panel(
        names=tuple(canonicalize_name(name) for name in tables),
        first_day=first,
        classes=classes,
        installers=mix,
        regions=np.full((len(tables), weeks, len(REGIONS)), np.nan, np.float32),
        version_ages=np.full((len(tables), weeks, len(VERSION_AGES)), np.nan, np.float32),
        stars=unknown,
        people=unknown,
        releases=unknown,
        inflow=unknown,
        born=born,
        incomplete=np.zeros(shape[1], bool),
    )


def _recounted(panel: Panel) -> Panel:
    """Return the last year of *panel* with a fall of everybody to `RECOUNTED` in its middle."""
    day = panel.days - 182
    factor = np.where(np.arange(panel.days) < day, 1, RECOUNTED).astype(np.float32)
    return replace(panel, classes=panel.classes * factor[None, :, None])


def _first_weeks(path: Path) -> None:
    """Print who fetched a project in its first weeks on record, and whether more came later."""
    rows = _rows(path)
    downloads = np.array([float(line["downloads"]) for line in rows])
    line = f"{path.stem:42s} {downloads.sum():10.0f} downloads"
    mirrors = rows[0].get("of_which_bandersnatch_or_null_installer")
    if mirrors is not None:
        copied = np.array([float(r["of_which_bandersnatch_or_null_installer"]) for r in rows])
        countries: Counter[str] = Counter()
        for row in rows[3:]:
            for pair in filter(None, row["by_country_top8"].split(";")):
                country, count = pair.split("=")
                countries[country] += int(count)
        most, size = countries.most_common(1)[0]
        line += f", mirrors {copied.sum() / downloads.sum():4.0%}"
        line += f" (first 3 days {copied[:3].sum() / downloads[:3].sum():4.0%})"
        line += f", {most} {size / countries.total():4.0%}"
        downloads = downloads - copied
    third = len(downloads) // 3
    growth = downloads[-third:].sum() / downloads[:third].sum()
    print(f"{line}, the rest: last third over first {growth:.2f}")


if __name__ == "__main__":
    main()
