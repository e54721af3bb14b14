"""A loopback stand-in of pypistats.org, in the shape that its API page documents."""

import json
from collections.abc import Mapping
from datetime import date, timedelta

from tests.standins.documents import Documents

NEWEST = date(2026, 9, 1)
SYSTEMS = {"Linux": 600, "Darwin": 150, "Windows": 100, "null": 40, "other": 10}


class PypistatsService(Documents):
    """Counts of *days* days until NEWEST: every day the same."""

    def __init__(
        self,
        project: str = "sample-project",
        *,
        days: int = 180,
        newest: date = NEWEST,
        systems: Mapping[str, int] = SYSTEMS,
    ) -> None:
        super().__init__()
        span = [newest - timedelta(days=back) for back in range(days)]
        without = sum(systems.values())
        self.tell(
            project, "overall", {day: _overall(without + 100, without) for day in reversed(span)}
        )
        self.tell(project, "system", {day: dict(systems) for day in reversed(span)})

    def tell(self, project: str, what: str, counts: Mapping[date, Mapping[str, int]]) -> None:
        """Answer *counts* by day and category for *what*."""
        rows = [
            {"category": category, "date": day.isoformat(), "downloads": downloads}
            for day, told in counts.items()
            for category, downloads in told.items()
        ]
        answer = {"data": rows, "package": project, "type": f"{what}_downloads"}
        self.files[f"/packages/{project}/{what}"] = json.dumps(answer).encode()


def _overall(with_mirrors: int, without_mirrors: int) -> dict[str, int]:
    return {"with_mirrors": with_mirrors, "without_mirrors": without_mirrors}
