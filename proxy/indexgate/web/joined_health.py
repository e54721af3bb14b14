"""How each worker is, as how one gate is."""

from collections.abc import Mapping, Sequence
from typing import Any

_COUNTED: Mapping[str, tuple[str, ...]] = {
    "record": ("waiting", "lost"),
    "own_traffic": ("waiting", "dropped"),
    "served_files": ("waiting", "dropped"),
    "owners": ("changed",),
}
"""What of each part is summed up."""


def joined(
    own: dict[str, Any], others: Sequence[Mapping[str, Any]], workers: int
) -> dict[str, Any]:
    """Return the report of the gate whose *workers* should be so many.

    What all of them look at is as the one that was asked sees it, what each counts is summed up,
    and what is wrong with any of them is told.
    """
    report = {**own, "workers": {"wanted": workers, "serving": 1 + len(others)}}
    if workers == 1:
        return report
    each = [own, *others]
    degraded = dict.fromkeys(text for one in each for text in one["degraded"])
    if len(each) < workers:
        degraded[f"workers: {len(each)} of {workers} serve"] = None
    report["degraded"] = list(degraded)
    for part, counted in _COUNTED.items():
        parts = [one[part] for one in each]
        report[part] = {
            name: sum(one[name] for one in parts) if name in counted else _worst(name, parts)
            for name in own[part]
        }
    failures = (one["feeds"]["osv"]["failure"] for one in each)
    feed = {**own["feeds"]["osv"], "failure": next(filter(None, failures), None)}
    report["feeds"] = {**own["feeds"], "osv": feed}
    return report


def _worst(name: str, parts: Sequence[Mapping[str, Any]]) -> object:
    """Return whether all do well, or the first thing that any has to say."""
    values = [part[name] for part in parts]
    return all(values) if name == "kept" else next(filter(None, values), None)
