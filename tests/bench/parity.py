"""Show that clients resolve through the gate exactly as without it, against the real index.

`python -m tests.bench.parity REQUIREMENTS.in` compiles the file with `uv pip compile` and resolves
ten packages with `pip install --dry-run --report`, both directly and through a gate that lets all
pass, and compares what they wrote to the byte; file addresses are compared by what they lead to.
The index is the one that pip is configured with. The exit code is 1 when anything differs.
"""

import argparse
import difflib
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from pypi_simple import PYPI_SIMPLE_ENDPOINT

from tests.end_to_end.clients import NEWEST_PIP, NEWEST_UV, Scratch
from tests.end_to_end.gate import Gate, serving

TEN = (
    "requests",
    "flask",
    "rich",
    "httpx",
    "pydantic",
    "pytest",
    "click",
    "jinja2",
    "tqdm",
    "attrs",
)
_ADDRESS = re.compile(r"https?://[^\s\"']+")


def compiled(scratch: Scratch, index_url: str, requirements: Path) -> str:
    """Return what `uv pip compile` makes of *requirements*, with hashes, for all platforms."""
    done = NEWEST_UV.run(
        scratch, index_url, "pip", "compile", requirements, "--universal", "--generate-hashes",
        "--no-header", "--quiet", "--cache-dir", scratch.folder / "uv-cache",
    )  # fmt: skip
    if done.exit_code:
        raise SystemExit(done.output)
    return done.output


def resolved(scratch: Scratch, index_url: str) -> str:
    """Return pip's report on the ten packages: names, versions, hashes, metadata, file names."""
    report = scratch.folder / "report.json"
    done = NEWEST_PIP.run(
        scratch, index_url, "install", "--dry-run", "--ignore-installed", "--no-cache-dir",
        "--quiet", "--report", report, *TEN,
    )  # fmt: skip
    if done.exit_code:
        raise SystemExit(done.output)
    found = json.loads(report.read_text(encoding="utf-8"))["install"]
    return json.dumps(sorted(found, key=lambda each: each["metadata"]["name"].lower()), indent=1)


def by_name(text: str) -> str:
    """Return *text* with the last part of each address alone: the hosts differ, the files not."""
    return _ADDRESS.sub(lambda found: found[0].rpartition("/")[2], text)


def compared(what: str, direct: str, through: str) -> bool:
    """Print whether both are the same, and where not; tell it."""
    lines = direct.splitlines(), through.splitlines()
    differing = list(difflib.unified_diff(*lines, "direct", "through the gate", lineterm=""))
    size = f"{len(direct.encode()):,} bytes, {len(lines[0]):,} lines"
    print(f"{what}: {size}: {'DIFFERENT' if differing else 'the same to the byte'}")
    print("\n".join(differing[:40]))
    return not differing


def both(gate: Gate, index_url: str, folder: Path, requirements: Path) -> bool:
    """Resolve directly and through *gate*; tell whether nothing differs."""
    direct, through = Scratch(folder / "direct"), Scratch(folder / "through")
    same = [
        compared(
            f"uv pip compile {requirements.name}",
            compiled(direct, index_url, requirements),
            compiled(through, gate.url, requirements),
        ),
        compared(
            f"pip install --dry-run of {len(TEN)} packages",
            by_name(resolved(direct, index_url)),
            by_name(resolved(through, gate.url)),
        ),
    ]
    return all(same)


def index_of_pip() -> str:
    """Return the index that this machine's pip uses, or the public one."""
    command = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return os.environ.get("PIP_INDEX_URL") or told or PYPI_SIMPLE_ENDPOINT


def main() -> int:
    """Compare, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("requirements", type=Path)
    asked = parser.parse_args()
    index_url = index_of_pip()
    with tempfile.TemporaryDirectory() as folder:
        policy = Path(folder) / "allowing.toml"
        policy.write_text("version = 1\n", encoding="utf-8")
        gate = serving(
            state=Path(folder) / "state", policy=policy, upstream=index_url,
            environment=os.environ, options=("--sources", "none"),
        )  # fmt: skip
        with gate as running:
            same = both(running, index_url, Path(folder), asked.requirements.resolve())
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
