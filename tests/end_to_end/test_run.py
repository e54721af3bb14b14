"""`indexgate run` with each client: what it says afterwards, and what it leaves alone."""

import json
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from indexgate import public_index
from tests.end_to_end.clients import NEWEST_UV, Scratch, program, write_project
from tests.end_to_end.gate import Gate, free_port, serving
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

pytestmark = pytest.mark.end_to_end

POLICY = """\
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

[[rule]]
id = "old-name"
action = "warn"
when = { project = ["old-*"] }
"""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a run's gate is and what it serves: the settings of a run, as flags."""

    state: Path
    policy: Path
    upstream: str
    port: int

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self, *command: str | Path, options: Sequence[str] = ()) -> list[str]:
        settings = (
            *("--state", self.state, "--policy", self.policy, "--upstream", self.upstream),
            *("--osv-url", "", "--port", self.port, *options),
        )
        words = (sys.executable, "-m", "indexgate", "run", *settings, "--", *command)
        return [str(word) for word in words]

    def await_no_gate(self) -> None:
        """Return once the gate of the runs has ended.

        A connection to it ends when it does; where it only grew tired of one, the next is refused
        or not.
        """
        for _ in range(20):
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=120) as connection:
                    connection.recv(1)
            except ConnectionRefusedError:
                return
            except ConnectionResetError:
                continue
        raise AssertionError("a gate was left behind")


@dataclass(frozen=True, kw_only=True)
class Ran:
    exit_code: int
    stdout: bytes
    stderr: bytes

    @property
    def told(self) -> str:
        return self.stderr.decode()


def run(
    place: Place, scratch: Scratch, *command: str | Path, options: Sequence[str] = (), **more: str
) -> Ran:
    with started(place, scratch, *command, options=options, **more) as process:
        stdout, stderr = process.communicate(timeout=240)
    return Ran(exit_code=process.returncode, stdout=stdout, stderr=stderr)


@contextmanager
def started(
    place: Place, scratch: Scratch, *command: str | Path, options: Sequence[str] = (), **more: str
) -> "Iterator[subprocess.Popen[bytes]]":
    """Run without a terminal, so that signals come from the test alone."""
    with subprocess.Popen(
        place.command(*command, options=options),
        cwd=scratch.project,
        env=scratch.environment() | more,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def fake_pip(scratch: Scratch, body: str) -> Path:
    """Make a `pip` that only does what the test needs."""
    path = scratch.folder / "pip"
    path.write_text(f"#!{sys.executable}\nimport os, signal, sys\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture(scope="module")
def index() -> Iterator[Upstream]:
    """`demo` with a new 2.0, `evil-demo`, `old-demo` that is warned of, and `plain`."""
    lately = datetime.now(UTC) - timedelta(days=2)
    names = ("plain", "old-demo", "evil-demo")
    demo = project(
        "demo", wheel("demo", "1.0"), wheel("demo", "1.1"), wheel("demo", "2.0", upload_time=lately)
    )
    with Upstream(demo, *(project(name, wheel(name, "1.0")) for name in names)) as running:
        yield running


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("policy") / "policy.toml"
    path.write_text(POLICY, encoding="utf-8")
    return path


@pytest.fixture
def place(index: Upstream, policy: Path, tmp_path: Path) -> Place:
    """A place where no gate runs yet."""
    return Place(state=tmp_path / "state", policy=policy, upstream=index.url, port=free_port())


@pytest.fixture(scope="module")
def served(
    index: Upstream, policy: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Place, Gate]]:
    """A place where `indexgate serve` runs already."""
    folder = tmp_path_factory.mktemp("served")
    there = Place(state=folder / "state", policy=policy, upstream=index.url, port=free_port())
    with serving(
        state=there.state,
        policy=policy,
        upstream=index.url,
        environment=Scratch(folder / "user").environment(),
        port=there.port,
    ) as gate:
        yield there, gate


# -- each client, each kind of news ----------------------------------------------------------------


def _pip(scratch: Scratch, name: str) -> list[str | Path]:
    return [sys.executable, "-m", "pip", "install", "--target", scratch.target, name]


def _uv(scratch: Scratch, name: str) -> list[str | Path]:
    place = ("--python", sys.executable, "--target", scratch.target)
    return [NEWEST_UV.executable, "pip", "install", *place, name]


def _uv_add(scratch: Scratch, name: str) -> list[str | Path]:
    write_project(scratch)
    return [NEWEST_UV.executable, "add", "--python", sys.executable, name]


def _poetry(scratch: Scratch, name: str) -> list[str | Path]:
    write_project(scratch, "[tool.poetry]\npackage-mode = false\n")
    return [program("poetry-mirror", "poetry"), "add", "--no-interaction", name]


def _pdm(scratch: Scratch, name: str) -> list[str | Path]:
    write_project(scratch, "[tool.pdm]\ndistribution = false\n")
    return [program("pdm-newest", "pdm"), "add", "--no-self", name]


def _pipenv(scratch: Scratch, name: str) -> list[str | Path]:
    source = f'url = "{public_index.address().rstrip("/")}"\nverify_ssl = true\nname = "pypi"\n'
    text = f"[[source]]\n{source}\n[packages]\n"
    (scratch.project / "Pipfile").write_text(text, encoding="utf-8")
    return [program("pipenv-newest", "pipenv"), "install", name]


CLIENTS = {
    "pip": _pip,
    "uv pip": _uv,
    "uv add": _uv_add,
    "poetry": _poetry,
    "pdm": _pdm,
    "pipenv": _pipenv,
}
NEWS = {
    "plain": "",
    "old-demo": r"indexgate: 1 warned in this run\n"
    r"  warned    old-demo 1\.0: the policy names old-demo \(rule `old-name`\)\n"
    r"  why       indexgate explain --upstream \S+ --policy \S+ --state \S+ old-demo==1\.0\n",
    "demo": r"indexgate: 1 withheld in this run\n"
    r"  withheld  demo 2\.0 was uploaded [^\n]* \(rule `too-new`\); taken instead: 1\.1\n"
    r"  why       indexgate explain --upstream \S+ --policy \S+ --state \S+ demo==2\.0\n",
    "evil-demo": r"indexgate: 1 refused in this run\n"
    r"  refused   evil-demo 1\.0: the policy names evil-demo \(rule `evil-name`\)\n"
    r"  why       indexgate explain --upstream \S+ --policy \S+ --state \S+ evil-demo==1\.0\n"
    r"  ask       indexgate exempt request --policy \S+ --state \S+ evil-demo==1\.0"
    r" --rule evil-name\n",
}


@pytest.mark.parametrize("name", NEWS)
@pytest.mark.parametrize("client", CLIENTS)
def test_each_client_ends_as_ever_and_then_hears_what_the_gate_did(
    client: str, name: str, served: tuple[Place, Gate], scratch: Scratch
) -> None:
    place, _ = served
    command = CLIENTS[client](scratch, name)
    if not Path(command[0]).exists():
        pytest.skip(f"no environment for {client}: run `.ci/clients`")
    ran = run(place, scratch, *command)
    assert (ran.exit_code == 0) is (name != "evil-demo"), ran.told
    assert re.search(rf"(\A|\n){NEWS[name]}\Z", ran.told), ran.told
    assert name != "plain" or "indexgate" not in ran.told
    assert b"indexgate:" not in ran.stdout
    for path in scratch.project.iterdir():
        if path.is_file():
            assert place.origin not in path.read_text(encoding="utf-8"), path


def test_the_line_to_paste_judges_as_the_run_did(
    served: tuple[Place, Gate], scratch: Scratch
) -> None:
    place, _ = served
    told = run(place, scratch, *_pip(scratch, "evil-demo")).told
    line = re.search(r"^  why       indexgate (.*)$", told, re.MULTILINE)
    assert line is not None, told
    done = subprocess.run(
        [sys.executable, "-m", "indexgate", *shlex.split(line[1])],
        cwd=scratch.project,
        env=scratch.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "evil-demo==1.0 is refused by `evil-name`" in done.stdout


def test_two_runs_at_one_gate_are_told_apart(
    served: tuple[Place, Gate], scratch: Scratch, tmp_path: Path
) -> None:
    place, _ = served
    assert "withheld" in run(place, scratch, *_pip(scratch, "demo")).told
    other = Scratch(tmp_path / "other")
    assert run(place, other, *_pip(other, "plain")).told == ""


def test_json_tells_the_same_on_one_line_and_none_tells_nothing(
    served: tuple[Place, Gate], scratch: Scratch, tmp_path: Path
) -> None:
    place, _ = served
    ran = run(place, scratch, *_pip(scratch, "demo"), options=("--summary", "json"))
    [said] = json.loads(ran.told.splitlines()[-1])["indexgate"]["withheld"]
    assert (said["project"], said["versions"], said["instead"]) == ("demo", ["2.0"], ["1.1"])
    other = Scratch(tmp_path / "other")
    assert run(place, other, *_pip(other, "demo"), options=("--summary", "none")).told == ""


# -- the command's own terminal, output, signals and exit code -------------------------------------


@pytest.mark.parametrize("code", [0, 1, 7, 255])
def test_output_and_exit_code_are_the_commands_own(
    code: int, served: tuple[Place, Gate], scratch: Scratch
) -> None:
    place, _ = served
    pip = fake_pip(
        scratch,
        "data = sys.stdin.buffer.read()\n"
        "os.write(1, data + bytes(range(256)))\nos.write(2, b'\\xff\\r\\x1b[1m' + data)\n"
        f"sys.exit({code})",
    )
    with started(place, scratch, pip) as process:
        stdout, stderr = process.communicate(b"in\0put", timeout=120)
    assert process.returncode == code
    assert stdout == b"in\0put" + bytes(range(256))
    assert stderr == b"\xff\r\x1b[1min\0put"


def test_a_command_that_is_not_there_ends_as_in_a_shell(place: Place, scratch: Scratch) -> None:
    ran = run(place, scratch, "no-such-command-here")
    assert ran.exit_code == 127
    assert "there is no command `no-such-command-here`" in ran.told
    assert ran.stdout == b""


WAITING = "print('ready', flush=True)\nsys.stdin.readline()"


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_reaches_the_command_and_its_end_is_told_as_a_shell_tells_it(
    name: signal.Signals, served: tuple[Place, Gate], scratch: Scratch
) -> None:
    place, _ = served
    pip = fake_pip(scratch, f"signal.signal({int(name)}, signal.SIG_DFL)\n{WAITING}")
    with started(place, scratch, pip) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(name)
        assert process.stdout.read() == b""
    assert process.returncode == 128 + name


def test_a_command_that_outlives_a_signal_is_waited_for(
    served: tuple[Place, Gate], scratch: Scratch
) -> None:
    place, _ = served
    pip = fake_pip(
        scratch,
        "def stop(*_):\n    os.write(1, b'cleaning up\\n')\n    os._exit(9)\n"
        f"signal.signal(signal.SIGTERM, stop)\n{WAITING}",
    )
    with started(place, scratch, pip) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.terminate()
        assert process.stdout.read() == b"cleaning up\n"
    assert process.returncode == 9


def test_a_terminal_is_the_commands_own_and_ctrl_c_reaches_it_once(
    served: tuple[Place, Gate], scratch: Scratch
) -> None:
    place, _ = served
    pip = fake_pip(
        scratch,
        "times = []\n"
        "signal.signal(signal.SIGINT, lambda *_: times.append(1))\n"
        "print('terminal', os.isatty(0), os.isatty(1), os.isatty(2), flush=True)\n"
        "sys.stdin.readline()\nprint('times', len(times))\nsys.exit(5)",
    )
    words = place.command(pip)
    spawn = f"import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn({words!r})))"
    with subprocess.Popen(
        [sys.executable, "-c", spawn],
        cwd=scratch.project,
        env=scratch.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == b"terminal True True True\r\n"
        process.stdin.write(b"\x03\n")
        process.stdin.flush()
        rest = process.stdout.read()
    assert process.returncode == 5, rest
    assert b"times 1" in rest


# -- the gate of a run -----------------------------------------------------------------------------


def test_a_gate_is_started_for_a_run_and_ends_after_it(place: Place, scratch: Scratch) -> None:
    ran = run(place, scratch, *_pip(scratch, "demo"))
    assert ran.exit_code == 0, ran.told
    assert "taken instead: 1.1" in ran.told
    place.await_no_gate()


def test_a_second_run_keeps_the_gate_of_the_first_alive(
    place: Place, scratch: Scratch, tmp_path: Path
) -> None:
    other = Scratch(tmp_path / "other")
    with (
        started(place, scratch, fake_pip(scratch, WAITING)) as first,
        started(place, other, fake_pip(other, WAITING)) as second,
    ):
        for process in (first, second):
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
        first.communicate(b"\n", timeout=60)
        third = Scratch(tmp_path / "third")
        ran = run(place, third, *_pip(third, "plain"))
        assert (ran.exit_code, ran.told) == (0, "")
        with socket.create_connection(("127.0.0.1", place.port), timeout=10):
            pass
        second.communicate(b"\n", timeout=60)
    assert (first.returncode, second.returncode) == (0, 0)
    place.await_no_gate()


def test_a_killed_run_leaves_no_gate_behind(place: Place, scratch: Scratch) -> None:
    with started(place, scratch, fake_pip(scratch, WAITING)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.kill()
        process.wait()
    place.await_no_gate()


def test_a_gate_that_cannot_start_says_why(place: Place, scratch: Scratch) -> None:
    broken = scratch.folder / "broken.toml"
    broken.write_text("version = 1\nrlue = []\n", encoding="utf-8")
    with_it = Place(state=place.state, policy=broken, upstream=place.upstream, port=place.port)
    ran = run(with_it, scratch, fake_pip(scratch, "print('run')"))
    assert ran.exit_code == 2
    assert "rlue" in ran.told
    assert ran.stdout == b""


def test_a_program_that_cannot_prove_itself_is_not_used(place: Place, scratch: Scratch) -> None:
    with socket.create_server(("127.0.0.1", place.port)) as impostor:
        answer = b'HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{"proof": "0000"}'

        def serve() -> None:
            connection, _ = impostor.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        ran = run(place, scratch, fake_pip(scratch, "print('run')"))
        thread.join()
    assert ran.exit_code == 2
    assert f"port {place.port} cannot prove that it is this user's gate" in ran.told
    assert ran.stdout == b""


def test_a_gate_of_another_state_folder_is_not_used(
    served: tuple[Place, Gate], scratch: Scratch, tmp_path: Path
) -> None:
    there, _ = served
    place = Place(
        state=tmp_path / "state", policy=there.policy, upstream=there.upstream, port=there.port
    )
    ran = run(place, scratch, fake_pip(scratch, "print('run')"))
    assert (ran.exit_code, ran.stdout) == (2, b"")
    assert "cannot prove" in ran.told


def test_a_flag_that_the_running_gate_does_not_follow_stops_the_run(
    served: tuple[Place, Gate], scratch: Scratch
) -> None:
    there, _ = served
    place = Place(
        state=there.state, policy=Path("strict"), upstream=there.upstream, port=there.port
    )
    ran = run(place, scratch, fake_pip(scratch, "print('run')"))
    assert (ran.exit_code, ran.stdout) == (2, b"")
    assert "flag `--policy` is `strict`" in ran.told


# -- other indexes ---------------------------------------------------------------------------------


def test_another_index_stops_the_run_unless_it_is_kept(
    served: tuple[Place, Gate], scratch: Scratch
) -> None:
    place, _ = served
    extra = {"PIP_EXTRA_INDEX_URL": "http://me:secret@other.example.test/simple/"}
    pip = fake_pip(scratch, "print(os.environ['PIP_EXTRA_INDEX_URL'])")
    ran = run(place, scratch, pip, "install", "x", **extra)
    assert (ran.exit_code, ran.stdout) == (2, b"")
    assert "***@other.example.test/simple/` (variable `PIP_EXTRA_INDEX_URL`)" in ran.told
    assert "secret" not in ran.told
    kept = run(place, scratch, pip, "install", "x", options=("--keep-indexes",), **extra)
    assert (kept.exit_code, kept.stdout.decode().strip()) == (0, extra["PIP_EXTRA_INDEX_URL"])
    assert "note: `http://***@other.example.test/simple/`" in kept.told


def test_a_large_pylock_of_another_index_stops_the_run(
    served: tuple[Place, Gate], scratch: Scratch
) -> None:
    place, _ = served
    package = '[[packages]]\nname = "p{}"\nsdist = {{ url = "http://127.0.0.1:{}/p{}.tar.gz" }}\n'
    count = 5_000
    text = "".join(package.format(number, place.port, number) for number in range(count))
    elsewhere = package.format(count, place.port + 1, count)
    (scratch.project / "pylock.toml").write_text(text + elsewhere, encoding="utf-8")
    ran = run(place, scratch, fake_pip(scratch, "print('run')"), "install", "-r", "pylock.toml")
    assert (ran.exit_code, ran.stdout) == (2, b"")
    assert f"`http://127.0.0.1:{place.port + 1}/` (files in `" in ran.told
    assert f":{place.port}/`" not in ran.told


def test_a_pip_that_minds_no_variable_is_not_run_past_the_gate(
    served: tuple[Place, Gate], scratch: Scratch
) -> None:
    place, _ = served
    ran = run(place, scratch, fake_pip(scratch, "print('run')"), "--isolated", "install", "x")
    assert (ran.exit_code, ran.stdout) == (2, b"")
    assert "--isolated" in ran.told


def test_a_flag_that_there_is_not_is_no_command(place: Place, scratch: Scratch) -> None:
    ran = run(place, scratch, "pip", options=("--polcy", "strict"))
    assert (ran.exit_code, ran.stdout) == (2, b"")
    assert "--polcy" in ran.told


def test_modules_of_the_folder_are_not_taken_for_the_gates(place: Place, scratch: Scratch) -> None:
    (scratch.project / "aiohttp.py").write_text("raise SystemExit('taken')\n", encoding="utf-8")
    ran = run(place, scratch, *_pip(scratch, "plain"))
    assert (ran.exit_code, ran.told) == (0, "")


def test_poetry_without_its_plugin_is_not_run_past_the_gate(
    served: tuple[Place, Gate], scratch: Scratch
) -> None:
    place, _ = served
    path = fake_pip(scratch, "print('run')").rename(scratch.folder / "poetry")
    ran = run(place, scratch, path, "install")
    assert (ran.exit_code, ran.stdout) == (2, b"")
    assert "poetry-plugin-pypi-mirror" in ran.told


def test_pipenv_does_not_write_the_gate_into_a_new_pipfile(
    served: tuple[Place, Gate], scratch: Scratch
) -> None:
    place, _ = served
    path = fake_pip(scratch, "print('run')").rename(scratch.folder / "pipenv")
    ran = run(place, scratch, path, "install", "plain")
    assert (ran.exit_code, ran.stdout) == (2, b"")
    assert "there is no Pipfile" in ran.told


# -- uv.lock ---------------------------------------------------------------------------------------


@pytest.fixture(params=["", "/"], ids=["no slash", "slash"])
def locked(
    request: pytest.FixtureRequest, index: Upstream, scratch: Scratch
) -> tuple[Scratch, bytes]:
    """A project that was locked without a gate, the registry written in either way."""
    write_project(scratch, dependencies=["demo<2", "plain"])
    done = NEWEST_UV.run(scratch, index.url.rstrip("/") + str(request.param), "lock")
    assert done.exit_code == 0, done.output
    lock = (scratch.project / "uv.lock").read_bytes()
    assert f'registry = "{index.url.rstrip("/")}{request.param}"'.encode() in lock
    return scratch, lock


def _uv_command(*arguments: str | Path) -> list[str | Path]:
    return [NEWEST_UV.executable, *arguments, "--python", sys.executable]


def test_a_locked_project_is_installed_through_the_gate_and_its_lock_stays(
    served: tuple[Place, Gate], locked: tuple[Scratch, bytes]
) -> None:
    place, gate = served
    scratch, lock = locked
    ran = run(place, scratch, *_uv_command("sync", "--locked"))
    assert ran.exit_code == 0, ran.told
    assert scratch.installed() == {"demo": "1.1", "plain": "1.0"}
    assert (scratch.project / "uv.lock").read_bytes() == lock
    assert "/demo-1.1-py3-none-any.whl" in gate.output


def test_a_frozen_lock_of_another_index_is_not_followed_past_the_gate(
    served: tuple[Place, Gate], locked: tuple[Scratch, bytes], index: Upstream
) -> None:
    place, _ = served
    scratch, lock = locked
    path = scratch.project / "uv.lock"
    foreign = lock.replace(index.url.rstrip("/").encode(), b"https://other.example.test/simple")
    path.write_bytes(foreign)
    ran = run(place, scratch, *_uv_command("sync", "--frozen"))
    assert ran.exit_code == 2
    assert "`https://other.example.test/simple" in ran.told
    assert path.read_bytes() == foreign


def test_what_uv_adds_to_the_lock_is_upstreams_and_not_the_gates(
    served: tuple[Place, Gate], locked: tuple[Scratch, bytes], index: Upstream
) -> None:
    place, _ = served
    scratch, lock = locked
    ran = run(place, scratch, *_uv_command("add", "old-demo"))
    assert ran.exit_code == 0, ran.told
    after = (scratch.project / "uv.lock").read_bytes()
    assert place.origin.encode() not in after
    assert place.origin not in (scratch.project / "pyproject.toml").read_text(encoding="utf-8")
    direct = Scratch(scratch.folder / "direct")
    for name in ("pyproject.toml", "uv.lock"):
        (direct.project / name).write_bytes((scratch.project / name).read_bytes())
    slash = "/" if b'/simple/" }' in lock else ""
    checked = NEWEST_UV.run(direct, index.url.rstrip("/") + slash, "lock", "--locked")
    assert checked.exit_code == 0, checked.output


def test_a_command_that_fails_or_is_killed_leaves_the_lock_as_it_was(
    served: tuple[Place, Gate], locked: tuple[Scratch, bytes]
) -> None:
    place, _ = served
    scratch, lock = locked
    path = scratch.project / "uv.lock"
    uv = fake_pip(
        scratch,
        "print(open('uv.lock').read().count(os.environ['UV_DEFAULT_INDEX'][-20:]), flush=True)\n"
        "sys.stdin.readline()\nos.kill(os.getpid(), signal.SIGKILL)",
    ).rename(scratch.folder / "uv")
    with started(place, scratch, uv, "sync") as process:
        assert process.stdout is not None
        assert int(process.stdout.readline()) >= 2
        assert place.origin.encode() in path.read_bytes()
        process.communicate(b"\n", timeout=60)
    assert process.returncode == 128 + signal.SIGKILL
    assert path.read_bytes() == lock
    failed = run(place, scratch, *_uv_command("add", "nobody-has-this"))
    assert failed.exit_code != 0
    assert path.read_bytes() == lock


def test_the_lock_that_a_killed_run_left_is_mended_by_the_next_run(
    served: tuple[Place, Gate], locked: tuple[Scratch, bytes], tmp_path: Path
) -> None:
    place, _ = served
    scratch, lock = locked
    path = scratch.project / "uv.lock"
    uv = fake_pip(scratch, WAITING).rename(scratch.folder / "uv")
    with started(place, scratch, uv, "sync") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.kill()
        process.wait()
    assert path.read_bytes() != lock
    other = Scratch(tmp_path / "other")
    ran = run(place, other, fake_pip(other, ""))
    assert ran.exit_code == 0
    assert f"note: `{path}` held the gate's addresses since a run was killed; mended" in ran.told
    assert path.read_bytes() == lock


def test_two_runs_at_once_leave_the_lock_as_it_was(
    served: tuple[Place, Gate], locked: tuple[Scratch, bytes]
) -> None:
    place, _ = served
    scratch, lock = locked
    command = _uv_command("sync", "--locked")
    with started(place, scratch, *command) as one, started(place, scratch, *command) as other:
        told = [process.communicate(timeout=120)[1] for process in (one, other)]
    assert (one.returncode, other.returncode) == (0, 0), told
    assert (scratch.project / "uv.lock").read_bytes() == lock
    left = (place.state / "run" / "swapped").iterdir()
    assert [path.name for path in left] == ["turn.lock"]
