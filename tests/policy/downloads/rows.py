"""Rows of the log: the worked example, and mixtures whose classes are known.

The mixtures share their field values with what clients are known to send, so what is recovered
from them is an upper bound of what can be recovered from a real log.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from packaging.utils import canonicalize_name

from indexgate_policy.downloads.log_row import Client, LogRow

PROJECT = canonicalize_name("example")
DAY = date(2026, 10, 1)


def row(n: int, *, country: str | None = "US", version: str = "1.0", **given: Any) -> LogRow:
    """Return a row of *n* downloads by a client with the *given* fields."""
    file_type = given.pop("file_type", "bdist_wheel")
    return LogRow(
        project=given.pop("project", PROJECT),
        day=given.pop("day", DAY),
        client=Client(**given),
        country=country,
        version=version,
        file_type=file_type,
        n=n,
    )


def worked_example() -> list[LogRow]:
    """A month of 10,000: 2,000 by mirrors, 3,000 bots, 800 scanners, 4,000 CI, 200 people."""
    pip = {"installer": "pip", "installer_version": "25.3"}
    return [
        row(1500, installer="bandersnatch"),
        row(300, installer="Nexus"),
        row(200, installer="devpi"),
        row(3300, **pip, ci=True, system="Linux", distro="Ubuntu", python="3.12"),
        row(700, installer="uv", ci=True, system="Linux"),
        row(1900),
        row(1100, installer="Browser"),
        row(800, installer="requests"),
        row(120, **pip, system="Darwin", distro="macOS", python="3.12"),
        row(80, **pip, system="Windows", python="3.12"),
    ]


@dataclass(frozen=True, slots=True)
class Mixture:
    """Rows, and the share of them that people made."""

    rows: list[LogRow]
    human_share: float


_DEBIAN = {"system": "Linux", "distro": "Debian GNU/Linux"}
_UBUNTU = {"system": "Linux", "distro": "Ubuntu"}
_PIP = {"installer": "pip", "installer_version": "25.1", "python": "3.12"}
_SENDS: dict[str, list[tuple[float, dict[str, Any]]]] = {
    "mirror": [(0.6, {"installer": "bandersnatch"}), (0.4, {"installer": "pep381client"})],
    "cache": [(0.6, {"installer": "Nexus"}), (0.4, {"installer": "Artifactory"})],
    "bot": [(0.6, {}), (0.4, {"installer": "Browser"})],
    "scanner": [
        (0.6, {"installer": "requests"}),
        (0.2, {"python": "3.9"}),
        (0.2, {**_PIP, **_DEBIAN, "file_type": "sdist"}),
    ],
    "ci": [
        (0.55, {**_PIP, "ci": True, **_UBUNTU}),
        (0.2, {"installer": "uv", "ci": True, **_UBUNTU}),
        (0.1, {"installer": "poetry", "system": "Linux"}),
        (0.15, {**_PIP, **_DEBIAN}),
    ],
    "pipeline": [
        (0.4, {**_PIP, **_DEBIAN}),
        (0.15, {**_PIP, "system": "Linux", "distro": "Alpine Linux"}),
        (0.15, {"installer": "uv", "system": "Linux", "distro": "Amazon Linux"}),
        (0.2, {**_PIP, **_UBUNTU}),
        (0.1, {**_PIP, **_UBUNTU, "kernel": "cloud"}),
    ],
    "human": [
        (0.34, {**_PIP, "system": "Darwin"}),
        (0.32, {**_PIP, "system": "Windows"}),
        (0.1, {"installer": "uv", "system": "Darwin"}),
        (0.12, {**_PIP, **_UBUNTU}),
        (0.06, {"installer": "poetry", "system": "Darwin"}),
        (0.04, {**_PIP, **_UBUNTU, "kernel": "wsl"}),
        (0.02, {"installer": "Browser"}),
    ],
}
_WEIGHTS = [1.2, 0.6, 1.5, 0.8, 2.5, 3.0, 1.5]


def mixtures(count: int, seed: int = 20_261_122) -> Iterator[Mixture]:
    """Yield *count* mixtures of 500 to a million downloads, the same for the same *seed*."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        shares = rng.dirichlet(_WEIGHTS)
        size = np.exp(rng.uniform(np.log(500), np.log(1e6)))
        rows, of_people = [row(1, **_PIP, **_DEBIAN)], 0
        for (name, sends), share in zip(_SENDS.items(), shares, strict=True):
            parts = rng.dirichlet(np.array([part for part, _ in sends]) * 20)
            counts = rng.multinomial(int(size * share), parts)
            rows += [
                row(int(n), **fields) for (_, fields), n in zip(sends, counts, strict=True) if n
            ]
            of_people += int(counts.sum()) if name == "human" else 0
        yield Mixture(rows, of_people / sum(one.n for one in rows))
