"""How long `indexgate check` takes for a `uv.lock` of 500 entries, with a new state and again.

Run it as `nice -n -10 python -m tests.bench.check_lock [ENTRIES]`. Every project has 30 versions of
four files each; upstream is a stand-in on loopback.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.standins.packages import IndexedProject, project, sdist, wheel
from tests.standins.upstream import Upstream

_VERSIONS = 30
_TAGS = ("py3-none-any", "cp311-cp311-linux_x86_64", "cp312-cp312-linux_x86_64")
_TIMES = 3


def main(entries: int) -> None:
    """Print the times of one cold and several warm checks."""
    projects = [_project(f"demo-{number}") for number in range(entries)]
    with Upstream(*projects) as upstream, tempfile.TemporaryDirectory() as folder:
        lock = Path(folder) / "uv.lock"
        lock.write_text(_lock(upstream, projects), encoding="utf-8")
        print(f"{entries} entries, {lock.stat().st_size // 1000} KB")
        for number in range(1 + _TIMES):
            started = time.perf_counter()
            usage = _check(upstream, lock, Path(folder) / "state")
            seconds = time.perf_counter() - started
            print(f"{'warm' if number else 'cold'} {seconds:6.2f} s, {usage} s of processor")


def _check(upstream: Upstream, lock: Path, state: Path) -> str:
    before = os.times()
    settings = ("--upstream", upstream.url, "--state", str(state), "--policy", "balanced")
    done = subprocess.run(
        [sys.executable, "-m", "indexgate", "check", str(lock), "--json", *settings],
        env=os.environ | {"INDEXGATE_OSV_URL": "", "PIP_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    after = os.times()
    used = after.children_user - before.children_user
    return f"{used + after.children_system - before.children_system:.2f}"


def _project(name: str) -> IndexedProject:
    files = [
        file
        for number in range(_VERSIONS)
        for file in (
            *(wheel(name, f"1.{number}", tag=tag) for tag in _TAGS),
            sdist(name, f"1.{number}"),
        )
    ]
    return project(name, *files)


def _lock(upstream: Upstream, projects: list[IndexedProject]) -> str:
    parts = ['version = 1\nrequires-python = ">=3.11"\n']
    for each in projects:
        files = "".join(
            f'    {{ url = "{upstream.file_url(file)}", hash = "sha256:{file.sha256}" }},\n'
            for file in each.files
            if file.version == "1.7" and file.filename.endswith(".whl")
        )
        parts.append(
            f'[[package]]\nname = "{each.name}"\nversion = "1.7"\n'
            f'source = {{ registry = "{upstream.url}" }}\nwheels = [\n{files}]\n'
        )
    return "\n".join(parts)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
