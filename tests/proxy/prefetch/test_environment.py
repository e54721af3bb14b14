"""What the User-Agent of an installer tells of what it installs for."""

import platform
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import default_environment
from packaging.tags import sys_tags
from packaging.version import Version

from indexgate.prefetch.environment import environment_of
from tests.proxy.prefetch.agents import agent, pip_here, uv

LINUX = agent()
MUSL = agent(libc={"lib": "musl", "version": "1.2"})
MAC = agent(system="Darwin", cpu="arm64", release="23.5.0", distro_version="14.5", libc=None)
OLD_MAC = agent(system="Darwin", cpu="x86_64", distro_version="10.15.7", libc=None)
WINDOWS = agent(system="Windows", cpu="AMD64", release="10", libc=None)
PYPY = agent(implementation="PyPy", python="3.10.14")


@pytest.mark.parametrize(
    ("told", "marker", "value"),
    [
        (LINUX, "python_version", "3.11"),
        (LINUX, "python_full_version", "3.11.2"),
        (LINUX, "sys_platform", "linux"),
        (LINUX, "os_name", "posix"),
        (LINUX, "platform_machine", "x86_64"),
        (LINUX, "platform_python_implementation", "CPython"),
        (LINUX, "implementation_name", "cpython"),
        (MAC, "sys_platform", "darwin"),
        (MAC, "platform_release", "23.5.0"),
        (MAC, "platform_system", "Darwin"),
        (WINDOWS, "sys_platform", "win32"),
        (WINDOWS, "os_name", "nt"),
        (PYPY, "implementation_name", "pypy"),
        (PYPY, "python_version", "3.10"),
    ],
)
def test_markers_are_those_of_the_interpreter(told: str, marker: str, value: str) -> None:
    environment = environment_of(told)
    assert environment is not None
    assert environment.markers[marker] == value


@pytest.mark.parametrize(
    ("told", "tag", "fits"),
    [
        (LINUX, "cp311-cp311-manylinux_2_36_x86_64", True),
        (LINUX, "cp311-cp311-manylinux_2_37_x86_64", False),
        (LINUX, "cp311-cp311-manylinux2014_x86_64", True),
        (LINUX, "cp311-cp311-manylinux_2_17_aarch64", False),
        (LINUX, "cp311-cp311-musllinux_1_1_x86_64", False),
        (LINUX, "cp312-cp312-manylinux_2_17_x86_64", False),
        (LINUX, "cp39-abi3-manylinux_2_17_x86_64", True),
        (LINUX, "py3-none-any", True),
        (LINUX, "py2-none-any", False),
        (MUSL, "cp311-cp311-musllinux_1_2_x86_64", True),
        (MUSL, "cp311-cp311-musllinux_1_3_x86_64", False),
        (MUSL, "cp311-cp311-manylinux_2_17_x86_64", False),
        (MAC, "cp311-cp311-macosx_11_0_arm64", True),
        (MAC, "cp311-cp311-macosx_15_0_arm64", False),
        (MAC, "cp311-cp311-macosx_11_0_x86_64", False),
        (OLD_MAC, "cp311-cp311-macosx_10_9_x86_64", True),
        (WINDOWS, "cp311-cp311-win_amd64", True),
        (WINDOWS, "cp311-cp311-win32", False),
        (PYPY, "py3-none-any", True),
        (PYPY, "cp310-cp310-manylinux_2_17_x86_64", False),
    ],
)
def test_tags_are_those_that_fit(told: str, tag: str, fits: bool) -> None:
    environment = environment_of(told)
    assert environment is not None
    assert (tag in environment.ranks) is fits


def test_it_is_the_environment_that_pip_here_would_see() -> None:
    environment = environment_of(pip_here())
    assert environment is not None
    known = {name: value for name, value in environment.markers.items() if value}
    assert known.items() <= default_environment().items()
    assert environment.python == Version(platform.python_version())


@pytest.mark.skipif(sys.platform != "linux", reason="only there the agent tells the C library")
def test_the_tags_of_this_machine_come_in_its_own_order() -> None:
    environment = environment_of(pip_here())
    assert environment is not None
    here = [str(tag) for tag in sys_tags()]
    assert [tag for tag in environment.ranks if tag in set(here)] == here


def test_uv_says_it_in_the_same_words() -> None:
    assert environment_of(uv(LINUX)) is not None


@pytest.mark.parametrize(
    "told",
    [
        "",
        "pip/26.1",
        "curl/8.5.0",
        "poetry/2.1.1 CPython/3.11.2 Linux/6.1",
        "pip/26.1 {",
        "pip/26.1 []",
        "pip/26.1 {}",
        agent(python="three"),
        agent(python="3"),
        agent(system="Plan9"),
        "pip/26.1 " + "x" * 10_000,
        "pip/26.1 \udc80",
    ],
)
def test_who_tells_too_little_has_none(told: str) -> None:
    assert environment_of(told) is None


@pytest.mark.parametrize(
    "told",
    [
        agent(python="3.999999999"),
        agent(python="999999999.2"),
        agent(cpu="x" * 1000),
        agent(system="Darwin", distro_version="999.999"),
        agent(system="Darwin", distro_version="10.999"),
        agent(python="40.40", system="Darwin", distro_version="40.0"),
        agent(libc={"lib": "glibc", "version": "2.999"}),
        agent(libc={"lib": "musl", "version": "1.999"}),
    ],
)
def test_what_anybody_may_claim_takes_little_to_hold(told: str) -> None:
    environment = environment_of(told)
    assert environment is None or len(environment.ranks) < 30_000


@given(st.text())
def test_no_agent_is_too_strange(told: str) -> None:
    environment_of(f"pip/26.1 {told}")
    environment_of(agent(python=told, cpu=told, distro_version=told))
    environment_of(agent(libc={"lib": "glibc", "version": told}))
    environment_of(agent(libc={"lib": "musl", "version": told}))
