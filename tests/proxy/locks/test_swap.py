"""The swap of addresses in `uv.lock`: there and back without another byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate.locks.swap import Swap

SWAP = Swap(gate="http://127.0.0.1:8503/", upstream="https://index.example.test/simple/")
PRIVATE = "https://private.example.test/simple"
LOCK = """\
version = 1
requires-python = ">=3.11"

[[package]]
name = "consumer"
version = "0.1"
source = { virtual = "." }

[[package]]
name = "demo"
version = "1.1"
source = { registry = "https://index.example.test/simple" }
sdist = { url = "https://files.example.test/ab/demo-1.1.tar.gz", hash = "sha256:00", size = 7 }
wheels = [
    { url = "https://files.example.test:8443/ab/demo%2D1.1-py3-none-any.whl", hash = "sha256:00" },
]

[[package]]
name = "private"
version = "1.0"
source = { registry = "https://private.example.test/simple" }
wheels = [
    { url = "https://files.example.test/cd/private-1.0-py3-none-any.whl", hash = "sha256:00" },
]

[[package]]
name = "direct"
version = "1.0"
source = { url = "https://files.example.test/ef/direct-1.0-py3-none-any.whl" }
"""


def test_packages_of_upstream_are_led_to_the_gate_and_no_others() -> None:
    swapped = SWAP.to_gate(LOCK)
    assert swapped == (
        LOCK.replace("https://index.example.test/simple", "http://127.0.0.1:8503/simple")
        .replace(
            "https://files.example.test/ab/",
            "http://127.0.0.1:8503/files/https/files.example.test/ab/",
        )
        .replace(
            "https://files.example.test:8443/ab/",
            "http://127.0.0.1:8503/files/https/files.example.test~8443/ab/",
        )
    )


def test_there_and_back_is_the_same_text() -> None:
    assert SWAP.to_upstream(SWAP.to_gate(LOCK)) == LOCK


def test_a_second_swap_changes_nothing() -> None:
    swapped = SWAP.to_gate(LOCK)
    assert SWAP.to_gate(swapped) == swapped
    assert SWAP.to_upstream(LOCK) == LOCK


def test_line_ends_and_the_slash_of_the_registry_stay() -> None:
    lock = LOCK.replace("test/simple", "test/simple/").replace("\n", "\r\n")
    swapped = SWAP.to_gate(lock)
    assert 'registry = "http://127.0.0.1:8503/simple/"' in swapped
    assert SWAP.to_upstream(swapped) == lock
    assert SWAP.slash(lock)
    assert SWAP.slash(swapped)
    assert not SWAP.slash(LOCK)


@pytest.mark.parametrize("mark", ["~", "%7E", ":", "%3A"])
def test_a_port_in_the_gates_address_comes_back_however_it_is_written(mark: str) -> None:
    address = f"http://127.0.0.1:8503/files/http/127.0.0.1{mark}9/a/x-1.0.tar.gz"
    assert SWAP.to_upstream(f'url = "{address}"') == 'url = "http://127.0.0.1:9/a/x-1.0.tar.gz"'


@pytest.mark.parametrize(
    "url",
    [
        "https://files.example.test/a/x-1.0.tar.gz?signature=1",
        "https://files.example.test/a/x-1.0.tar.gz#sha256=00",
        "https://user@files.example.test/a/x-1.0.tar.gz",
        "https://FILES.example.test/a/x-1.0.tar.gz",
        "https://files.example.test~9/a/x-1.0.tar.gz",
        "ftp://files.example.test/a/x-1.0.tar.gz",
        "../x-1.0.tar.gz",
    ],
)
def test_an_address_without_a_way_back_is_left_alone(url: str) -> None:
    lock = (
        '[[package]]\nsource = { registry = "https://index.example.test/simple" }\n'
        f'sdist = {{ url = "{url}" }}\n'
    )
    assert f'"{url}"' in SWAP.to_gate(lock)


def test_what_uv_would_fetch_past_the_gate_is_named() -> None:
    assert SWAP.past_the_gate(LOCK, frozen=False) == ()
    assert SWAP.past_the_gate(LOCK, frozen=True) == (PRIVATE,)
    assert SWAP.past_the_gate(SWAP.to_gate(LOCK), frozen=True) == (PRIVATE,)
    signed = LOCK.replace("demo-1.1.tar.gz", "demo-1.1.tar.gz?signature=1")
    assert SWAP.past_the_gate(signed, frozen=False) == (
        "https://files.example.test/ab/demo-1.1.tar.gz?signature=1",
    )


@pytest.mark.parametrize(
    ("as_uv", "otherwise"),
    [
        ('registry = "https://private', 'registry="https://private'),
        ('registry = "https://private.example.test/simple"', f"registry = '{PRIVATE}'"),
        ('registry = "https://private', '"registry" = "https://private'),
        ('registry = "https://private', r'registry = "\u0068ttps://private'),
        ("[[package]]", "[[ package ]]"),
        ("[[package]]", "[[package]] # a"),
        ("[[package]]", '[["package"]]'),
    ],
)
def test_however_a_lock_is_written_what_leads_past_the_gate_is_named(
    as_uv: str, otherwise: str
) -> None:
    assert as_uv in LOCK
    assert SWAP.past_the_gate(LOCK.replace(as_uv, otherwise), frozen=True)[-1] == PRIVATE


def test_files_that_cannot_be_led_to_the_gate_are_named_however_they_are_written() -> None:
    url = "https://files.example.test/ab/demo-1.1.tar.gz"
    lock = LOCK.replace(f'url = "{url}"', f"url = '{url}'")
    assert SWAP.past_the_gate(lock, frozen=False) == (url,)


ADDRESSES = st.sampled_from(
    [
        "https://index.example.test/simple",
        "https://index.example.test/simple/",
        "https://other.example.test/simple",
        "https://files.example.test/a/b-1.0.tar.gz",
        "https://files.example.test/a/b%20c-1.0.tar.gz",
        "http://127.0.0.1:9/a/b.whl?x",
    ]
)
LINES = st.one_of(
    st.just("[[package]]"),
    st.builds('source = {{ registry = "{}" }}'.format, ADDRESSES),
    st.builds('    {{ url = "{}", size = 1 }},'.format, ADDRESSES),
    st.text(alphabet='ab[]{}="\\/ é', max_size=20),
)


@given(st.lists(LINES, max_size=30), st.sampled_from(["\n", "\r\n"]))
def test_whatever_the_lock_the_way_back_gives_it_again(lines: list[str], end: str) -> None:
    text = end.join(lines)
    assert SWAP.to_upstream(SWAP.to_gate(text)) == text
