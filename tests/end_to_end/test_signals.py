"""Being told to stop, being started twice, and sharing a folder."""

import asyncio
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import aiohttp
import pytest

from tests.end_to_end.clients import NEWEST, Scratch
from tests.end_to_end.gate import Gate, command, free_port, serving
from tests.standins.faults import Stall
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

pytestmark = pytest.mark.end_to_end

BIG = wheel("big", "1.0", padding=3_000_000)


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM], ids=lambda name: str(name.name))
async def test_a_gate_told_to_stop_in_the_middle_of_a_download_ends_well_and_frees_its_port(
    name: signal.Signals, allowing: Path, scratch: Scratch, tmp_path: Path
) -> None:
    port = free_port()
    stall = Stall(after=1_500_000)
    with Upstream(project("big", BIG)) as upstream:
        upstream.fault(BIG.path, stall)
        path = f"files/http/127.0.0.1:{upstream.port}{BIG.path}"

        def start() -> AbstractContextManager[Gate]:
            return serving(
                state=tmp_path / "state",
                policy=allowing,
                upstream=upstream.url,
                environment=scratch.environment(),
                port=port,
            )

        async with aiohttp.ClientSession() as session:
            with start() as gate:
                async with session.get(f"{gate.origin}/{path}") as response:
                    await response.content.readexactly(1000)
                    await stall.reached()
                    assert await asyncio.to_thread(gate.tell, name) == 0, gate.output
                    with pytest.raises(aiohttp.ClientError):
                        await response.read()
            assert "Traceback" not in gate.output, gate.output
            assert "exception" not in gate.output.lower(), gate.output
            upstream.heal()
            with start() as gate:
                async with session.get(f"{gate.origin}/{path}") as response:
                    assert await response.read() == BIG.content


def test_a_second_gate_on_the_same_port_says_so_and_leaves_the_first_alone(
    upstream: Upstream, allowing: Path, scratch: Scratch, tmp_path: Path
) -> None:
    with serving(
        state=tmp_path / "state",
        policy=allowing,
        upstream=upstream.url,
        environment=scratch.environment(),
    ) as gate:
        second = subprocess.run(
            (
                *command(state=tmp_path / "other", policy=allowing, port=gate.port),
                *("--upstream", upstream.url, "--osv-url", ""),
            ),
            env=scratch.environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert second.returncode == 2, second.stderr
        assert f"port {gate.port}: another program does" in second.stderr
        assert "Traceback" not in second.stderr
        assert gate.health()["degraded"] == []


def test_two_gates_share_a_state_folder_and_both_serve(
    upstream: Upstream, refusing: Path, tmp_path: Path
) -> None:
    users = [Scratch(tmp_path / client.name) for client in NEWEST]

    def start() -> AbstractContextManager[Gate]:
        return serving(
            state=tmp_path / "state",
            policy=refusing,
            upstream=upstream.url,
            environment=users[0].environment(),
        )

    with start() as one, start() as other, ThreadPoolExecutor() as threads:
        gates = (one, other)
        assert one.port != other.port
        for wanted, code in (("app", 0), ("evil-demo", 1)):
            tries = [
                threads.submit(client.install, user, gate.url, wanted)
                for client, user, gate in zip(NEWEST, users, gates, strict=True)
            ]
            for attempt in tries:
                outcome = attempt.result()
                assert outcome.exit_code == code, outcome.output
                assert outcome.says("blocked by indexgate") == (code == 1), outcome.output
        assert [gate.health()["degraded"] for gate in gates] == [[], []]
    assert [user.installed() for user in users] == [{"app": "1.0", "demo": "1.1"}] * 2
    assert "Traceback" not in one.output + other.output
