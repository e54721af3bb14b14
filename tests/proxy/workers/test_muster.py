"""No worker serves before all can, and one that comes back does not wait."""

import pytest

from indexgate.workers.muster import Muster


class Called:
    """Who was told to serve, in order."""

    def __init__(self) -> None:
        self.workers: list[int] = []

    def of(self, muster: Muster, worker: int) -> list[int]:
        muster.come(worker, lambda: self.workers.append(worker))
        return self.workers


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_all_serve_when_the_last_has_come(order: tuple[int, int, int]) -> None:
    muster, called = Muster(range(3)), Called()
    first, second, last = order
    assert called.of(muster, first) == []
    assert called.of(muster, second) == []
    assert called.of(muster, last) == [first, second, last]


def test_one_that_was_started_anew_serves_at_once() -> None:
    muster, called = Muster(range(2)), Called()
    called.of(muster, 0)
    called.of(muster, 1)
    assert called.of(muster, 0) == [0, 1, 0]
