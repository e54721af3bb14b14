"""Who asks, by the words of real clients."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate.web.asker import asker_of


def agent(tool: str = "pip/26.1.1", **told: Any) -> str:
    return f"{tool} {json.dumps({'installer': {'name': 'any'}, 'python': '3.13.7', **told})}"


def on(name: str, release: str = "", distro: str | None = None) -> dict[str, Any]:
    system = {"name": name, "release": release}
    return {"system": system, "distro": None if distro is None else {"name": distro}}


@pytest.mark.parametrize(
    ("user_agent", "asker"),
    [
        (agent(ci=True, **on("Darwin")), "ci"),
        (agent("uv/0.9.18", ci=True, **on("Linux", "6.8.0-azure", "Ubuntu")), "ci"),
        (agent(ci=None, **on("Darwin", "24.6.0")), "person"),
        (agent("uv/0.9.18", ci=None, **on("Windows", "11")), "person"),
        (agent(**on("Linux", "6.14.0-29-generic", "Ubuntu")), "person"),
        (agent(**on("Linux", "5.15.167.4-microsoft-standard-WSL2", "Debian GNU/Linux")), "person"),
        (agent(**on("Linux", "6.10.14-linuxkit", "Debian GNU/Linux")), "person"),
        (agent(**on("Linux", "6.8.0-1030-azure", "Ubuntu")), "system"),
        (agent(**on("Linux", "6.12.41", "Alpine Linux")), "system"),
        (agent(**on("Windows", "2022Server")), "system"),
        (agent("uv/0.9.18", ci=None), "person"),
        ("pip/26.1", "person"),
        ("poetry/2.2.1 CPython/3.12.3 Darwin/24.6.0", "person"),
        ("poetry/2.2.1 CPython/3.12.3 Linux/6.8.0-1021-aws", "system"),
        ("pdm/2.26.0 CPython/3.12.3", "person"),
        ("pip/26.1 {not json", "person"),
        ('pip/26.1 {"ci":"yes"}', "person"),
        ("python-requests/2.32.5", "system"),
        ("curl/8.5.0", "system"),
        ("Mozilla/5.0 (X11; Linux x86_64) Firefox/144.0", "system"),
        ("bandersnatch/6.6.0 (cpython 3.12.3, Linux x86_64)", "system"),
        ("Artifactory/7.111.4", "system"),
        ("", "system"),
    ],
)
def test_a_client_is_what_its_own_words_make_of_it(user_agent: str, asker: str) -> None:
    assert asker_of(user_agent) == asker


@given(st.sampled_from(["", "pip/1 ", "uv/1 {", 'pip/1 {"system":', "poetry/1 "]), st.text())
def test_whatever_a_client_says_it_is_one_of_three(begin: str, rest: str) -> None:
    assert asker_of(begin + rest) in ("person", "ci", "system")


def test_depth_without_end_and_half_characters_do_no_harm() -> None:
    assert asker_of("pip/1 " + '{"a":' * 3_000) == "person"
    assert asker_of('pip/1 {"ci":"\udc80"}') == "person"
