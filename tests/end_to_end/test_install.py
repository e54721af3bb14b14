"""Installing through the gate works, and goes on working from its cache when upstream is gone."""

from pathlib import Path
from typing import Literal

import pytest

from tests.end_to_end.clients import NEWEST, Installer, Scratch
from tests.end_to_end.gate import serving
from tests.standins.packages import project, sdist, wheel
from tests.standins.upstream import Upstream

pytestmark = pytest.mark.end_to_end


@pytest.mark.parametrize("client", NEWEST, ids=lambda client: str(client.name))
@pytest.mark.parametrize("forms", ["json", "html"])
def test_what_was_installed_once_installs_again_without_upstream(
    client: Installer, forms: Literal["json", "html"], allowing: Path, tmp_path: Path
) -> None:
    app = project("app", wheel("app", "1.0", requires=["big"]))
    big = project("big", wheel("big", "3.1", padding=3_000_000), sdist("big", "3.1"))
    first, second = Scratch(tmp_path / "first"), Scratch(tmp_path / "second")
    with (
        Upstream(app, big, forms=forms) as upstream,
        serving(
            state=tmp_path / "state",
            policy=allowing,
            upstream=upstream.url,
            environment=first.environment(),
        ) as gate,
    ):
        outcome = client.install(first, gate.url, "app")
        assert outcome.exit_code == 0, outcome.output
        with upstream.down():
            again = client.install(second, gate.url, "app")
        assert again.exit_code == 0, again.output
    assert first.installed() == second.installed() == {"app": "1.0", "big": "3.1"}


@pytest.mark.parametrize("client", NEWEST, ids=lambda client: str(client.name))
def test_an_upstream_that_is_down_is_named_and_not_taken_for_a_missing_project(
    client: Installer, allowing: Path, tmp_path: Path
) -> None:
    scratch = Scratch(tmp_path / "user")
    with (
        Upstream() as upstream,
        serving(
            state=tmp_path / "state",
            policy=allowing,
            upstream=upstream.url,
            environment=scratch.environment(),
        ) as gate,
        upstream.down(),
    ):
        outcome = client.install(scratch, gate.url, "app")
    assert outcome.exit_code != 0, outcome.output
    assert outcome.says("indexgate"), outcome.output
    assert outcome.says("upstream"), outcome.output


@pytest.mark.parametrize("client", NEWEST, ids=lambda client: str(client.name))
def test_a_project_that_upstream_does_not_have_is_missing_in_the_clients_own_words(
    client: Installer, upstream: Upstream, allowing: Path, scratch: Scratch, tmp_path: Path
) -> None:
    with serving(
        state=tmp_path / "state",
        policy=allowing,
        upstream=upstream.url,
        environment=scratch.environment(),
    ) as gate:
        outcome = client.install(scratch, gate.url, "nobody-has-this")
    assert outcome.exit_code != 0, outcome.output
    assert outcome.says("from versions: none") or outcome.says("was not found"), outcome.output
    assert not outcome.says("blocked by indexgate"), outcome.output
