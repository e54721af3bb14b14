"""What every end-to-end test starts from: an upstream, a policy that refuses, a user's folders."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.end_to_end.clients import Scratch
from tests.standins.packages import project, sdist, wheel
from tests.standins.upstream import Upstream

REFUSING = """\
version = 1

[[rule]]
id = "too-new"
action = "refuse"
when = { release_age = { below = "7d" } }
unknown = "allow"

[[rule]]
id = "evil-name"
action = "refuse"
when = { project = ["evil-*"] }
"""


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    return Scratch(tmp_path / "user")


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A policy that refuses releases of this week and every project called evil-something."""
    path = tmp_path_factory.mktemp("policy") / "refusing.toml"
    path.write_text(REFUSING, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def allowing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A policy that lets everything through."""
    path = tmp_path_factory.mktemp("policy") / "allowing.toml"
    path.write_text("version = 1\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    """`demo` 1.0, 1.1 and (two days old) 2.0, `app` that needs it, and `evil-demo`."""
    lately = datetime.now(UTC) - timedelta(days=2)
    demo = project(
        "demo",
        wheel("demo", "1.0"),
        wheel("demo", "1.1"),
        wheel("demo", "2.0", upload_time=lately),
        sdist("demo", "2.0", upload_time=lately),
    )
    app = project("app", wheel("app", "1.0", requires=["demo"]))
    evil = project("evil-demo", wheel("evil-demo", "1.0"), sdist("evil-demo", "1.0"))
    with Upstream(demo, app, evil) as running:
        yield running
