"""User-Agents as installers send them."""

import json
import platform
import sys
from typing import Any

GLIBC = {"lib": "glibc", "version": "2.36"}


def agent(
    *,
    python: str = "3.11.2",
    implementation: str = "CPython",
    system: str = "Linux",
    release: str = "6.1.0",
    cpu: str = "x86_64",
    distro_version: str = "12",
    libc: dict[str, str] | None = GLIBC,
) -> str:
    """Return the agent of pip on some machine."""
    told: dict[str, Any] = {
        "ci": None,
        "cpu": cpu,
        "distro": {"id": "some", "name": "some", "version": distro_version},
        "implementation": {"name": implementation, "version": python},
        "installer": {"name": "pip", "version": "26.1"},
        "python": python,
        "system": {"name": system, "release": release},
    }
    if libc is not None:
        told["distro"]["libc"] = libc
    return f"pip/26.1 {json.dumps(told, separators=(',', ':'), sort_keys=True)}"


def pip_here() -> str:
    """Return the agent of pip in this environment."""
    lib, version = platform.libc_ver()
    return agent(
        python=platform.python_version(),
        implementation=platform.python_implementation(),
        system={"linux": "Linux", "darwin": "Darwin"}.get(sys.platform, "Windows"),
        release=platform.release(),
        cpu=platform.machine(),
        distro_version=platform.mac_ver()[0] or "12",
        libc={"lib": lib, "version": version} if lib else None,
    )


def uv(pip: str) -> str:
    """Return what uv says where pip would say *pip*."""
    told = json.loads(pip.partition(" ")[2])
    told["installer"] = {"name": "uv", "version": "0.9.18", "subcommand": ["pip", "compile"]}
    return f"uv/0.9.18 {json.dumps(told, separators=(',', ':'))}"
