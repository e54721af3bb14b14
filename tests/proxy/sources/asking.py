"""What the tests of sources share: a budget, a time, and signals as a plain mapping."""

from collections.abc import Iterable
from datetime import UTC, datetime

from packaging.utils import canonicalize_name

from indexgate.sources.budgets import Budget, Budgets, MemoryBook
from indexgate.sources.protocol import Asked
from indexgate_policy.signals import Signal, Signals, Unknown, Value

NOW = datetime(2026, 9, 2, tzinfo=UTC)
SAMPLE = canonicalize_name("sample-project")
OTHER = canonicalize_name("other-project")
REPOSITORY = "https://github.com/example/sample"


def budget(name: str) -> Budget:
    """Return a fresh budget at a clock that stands still."""
    return Budgets(MemoryBook(), clock=lambda: NOW, chance=lambda: 0.5).of(name)


def asked(project: str = SAMPLE, repository: str | None = REPOSITORY) -> Asked:
    """Return the question about *project*, which claims *repository*."""
    known = [] if repository is None else [_signal("repository", repository)]
    return Asked(project=canonicalize_name(project), known=Signals(known))


def values(signals: Iterable[Signal]) -> dict[str, Value | Unknown]:
    """Return the signals' values by name."""
    return {signal.name: signal.value for signal in signals}


def _signal(name: str, value: Value) -> Signal:
    return Signal(name=name, value=value, source="project-json", observed_at=NOW)
