"""A loopback stand-in of pepy.tech, in the shape that its API page documents."""

import json
from datetime import date, timedelta

from tests.standins.documents import Documents

NEWEST = date(2026, 9, 1)


class PepyService(Documents):
    """Counts of 90 days: 10 and 1 a day of two versions."""

    def __init__(self, project: str = "sample-project", *, newest: date = NEWEST) -> None:
        super().__init__()
        answer = {
            "total_downloads": 990,
            "id": project,
            "versions": ["1.0", "1.1"],
            "downloads": {
                (newest - timedelta(days=back)).isoformat(): {"1.0": 10, "1.1": 1}
                for back in range(90)
            },
        }
        self.files[f"/projects/{project}"] = json.dumps(answer).encode()
