import numpy as np
import pytest

from indexgate_policy.series.findings import findings
from indexgate_policy.series.stars import stars_in_bursts
from tests.policy.series.panels import DAYS, level, panel_of

DAY = 150
WHEN = np.arange(DAYS)


@pytest.mark.parametrize(
    ("burst", "people", "writers", "told"),
    [
        (100, 1.0, 0.0, True),
        (100, 1.0, 1.0, True),  # somebody writes, and nobody comes
        (100, 3.0, 1.0, False),  # an audience
        (100, 3.0, 0.0, True),  # more downloads, and nobody writes
        (100, 10.0, 0.0, False),  # a crowd needs no word
        (100, 1.0, np.nan, True),  # nobody comes, whoever writes
        (100, 3.0, np.nan, False),  # more downloads, and nobody counted who writes
        (2, 1.0, 0.0, False),
    ],
)
def test_a_burst_is_told_when_no_audience_came_with_it(
    burst: float, people: float, writers: float, told: bool
) -> None:
    on = (WHEN >= DAY) & (WHEN < DAY + 3)
    series = level(300)
    series[DAY : DAY + 14] *= people
    panel = panel_of(
        series,
        people=0.6,
        stars=np.where(on, burst, 0.2),
        writers=np.full(DAYS, writers) if np.isnan(writers) else np.where(on, writers, 0),
    )
    found = [one for one in findings(panel, first=60) if one.kind == "stars"]
    assert [one.onset for one in found] == ([DAY] if told else [])
    inside = stars_in_bursts(panel, 60)[0]
    assert inside == pytest.approx(3 * burst, rel=0.1) if told else inside == 0


def test_stars_that_are_not_known_are_no_burst() -> None:
    stars = np.full(DAYS, np.nan)
    stars[DAY:] = 100.0
    assert findings(panel_of(level(300), stars=stars), first=60) == []


def test_without_known_downloads_a_burst_is_not_judged() -> None:
    stars = np.where((WHEN >= DAY) & (WHEN < DAY + 3), 100.0, 0.2)
    unknown = np.full(DAYS, np.nan, np.float32)
    assert findings(panel_of(unknown, stars=stars), first=60) == []
