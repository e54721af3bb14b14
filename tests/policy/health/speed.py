"""How long one score takes, from ready signals.

`python -m tests.policy.health.speed` prints microseconds for each package, the best of 50, and how
long a plain loop takes beside it: what a busy machine adds to the one it adds to the other.
"""

from collections.abc import Callable
from statistics import mean, median
from time import perf_counter

from indexgate_policy.health.score import score
from tests.policy.health.packages import load


def best(run: Callable[[], object], times: int = 50) -> float:
    """Return the shortest of some runs in microseconds."""
    shortest = float("inf")
    for _ in range(times):
        begin = perf_counter()
        run()
        shortest = min(shortest, perf_counter() - begin)
    return 1e6 * shortest


def loop() -> int:
    """Add up 10,000 numbers: some 300 microseconds on an idle core of 2023."""
    total = 0
    for number in range(10_000):
        total += number
    return total


def main() -> None:
    """Print the table."""
    took = {
        package.label: best(lambda one=package: score(one.case, one.advisories))  # type: ignore[misc]
        for package in load()
    }
    slowest = max(took, key=lambda label: took[label])
    print(f"median {median(took.values()):.0f} us, mean {mean(took.values()):.0f} us")
    print(f"slowest {took[slowest]:.0f} us: {slowest}")
    print(f"a loop of 10,000 additions {best(loop):.0f} us")


if __name__ == "__main__":
    main()
