"""The event loop that the gate runs on."""

import asyncio
import sys

import pytest

from indexgate import event_loop
from indexgate.cli.main import run
from indexgate.errors import GateError


async def _running() -> str:
    return type(asyncio.get_running_loop()).__module__.partition(".")[0]


@pytest.mark.parametrize("name", ["asyncio", "uvloop"])
def test_what_is_asked_for_is_what_runs(name: str) -> None:
    event_loop.must_be_installed(name)
    with event_loop.runner(name) as runner:
        assert runner.run(_running()) == name


def test_what_is_not_installed_is_told_of_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    with pytest.raises(GateError) as failed:
        event_loop.runner("uvloop")
    assert failed.value.reference == "event-loop-extra"
    assert "indexgate[uvloop]" in failed.value.hint
    event_loop.must_be_installed("asyncio")


def test_a_gate_does_not_start_on_another_loop_than_the_one_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert run(["serve", "--event-loop", "uvloop", "--upstream", "https://a.test/"]) == 2
    assert "event-loop-extra" in capsys.readouterr().err
