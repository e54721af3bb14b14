"""Addresses in locks of every kind: to the gate and back without another byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate.locks.entry import Format
from indexgate.locks.read import read_lock
from indexgate.locks.rewrite import REWRITTEN, gate_addresses, to_gate, to_upstream
from tests.proxy.locks.samples import LOCKS
from tests.proxy.locks.test_read import FORMAT_OF
from tests.proxy.locks.test_swap import ADDRESSES, SWAP

INDEX = "https://index.example.test/simple"
FILES = "https://files.example.test/"
GATE_INDEX = "http://127.0.0.1:8503/simple"
GATE_FILES = "http://127.0.0.1:8503/files/https/files.example.test/"
NAMES = [name for name in LOCKS if FORMAT_OF[name] in REWRITTEN]
OF_UPSTREAM = LOCKS | {
    "poetry.lock": LOCKS["poetry.lock"].replace("https://private.example.test/simple", INDEX),
}


@pytest.mark.parametrize("name", NAMES)
def test_upstream_is_led_to_the_gate_and_nothing_else_changes(name: str) -> None:
    text, found = OF_UPSTREAM[name], FORMAT_OF[name]
    swapped = to_gate(text, found, SWAP)
    assert swapped == text.replace(INDEX, GATE_INDEX).replace(FILES, GATE_FILES)
    assert swapped != text
    assert to_upstream(swapped, found, SWAP) == text
    assert to_gate(swapped, found, SWAP) == swapped


@pytest.mark.parametrize("name", NAMES)
def test_windows_line_ends_stay(name: str) -> None:
    text, found = OF_UPSTREAM[name].replace("\n", "\r\n"), FORMAT_OF[name]
    swapped = to_gate(text, found, SWAP)
    assert swapped.count("\r\n") == text.count("\r\n") == swapped.count("\n")
    assert to_upstream(swapped, found, SWAP) == text


@pytest.mark.parametrize("name", NAMES)
def test_a_rewritten_lock_pins_what_it_pinned(name: str) -> None:
    text, found = OF_UPSTREAM[name], FORMAT_OF[name]
    before = read_lock(text.encode(), name).pinned
    after = read_lock(to_gate(text, found, SWAP).encode(), name).pinned
    assert [(each.name, each.version) for each in after] == [
        (each.name, each.version) for each in before
    ]
    assert [[file.hashes for file in each.files] for each in after] == [
        [file.hashes for file in each.files] for each in before
    ]


def test_files_of_another_index_stay_where_the_lock_tells_it() -> None:
    for name in ("uv.lock", "pylock.toml"):
        text = LOCKS[name].replace(INDEX, "https://other.example.test/simple")
        assert to_gate(text, FORMAT_OF[name], SWAP) == text


@pytest.mark.parametrize("key", ["url", "git", "path"])
def test_what_pdm_takes_from_an_address_stays(key: str) -> None:
    text = (
        f'[[package]]\nname = "demo"\n{key} = "{FILES}demo-1.0.tar.gz"\n'
        f'files = [\n    {{url = "{FILES}demo-1.0.tar.gz", hash = "sha256:00"}},\n]\n'
    )
    assert to_gate(text, "pdm", SWAP) == text


@pytest.mark.parametrize(
    "kind", ['archive = { url = "', '[packages.archive]\nurl = "', 'vcs = { type = "git", url = "']
)
def test_what_a_pylock_takes_from_an_address_stays(kind: str) -> None:
    text = f'[[packages]]\nname = "demo"\n{kind}{FILES}demo-1.0.tar.gz" }}\n'
    assert to_gate(text, "pylock", SWAP) == text


@pytest.mark.parametrize(
    "line",
    ["-i {}/", "--index-url {}", "--index-url={}/", "  --extra-index-url {}", "--pypi-url {}"],
)
def test_the_index_of_requirements_is_swapped_however_it_is_given(line: str) -> None:
    text = f"{line.format(INDEX)}\ndemo==1.0 # {INDEX}\n"
    swapped = to_gate(text, "requirements", SWAP)
    assert swapped == f"{line.format(GATE_INDEX)}\ndemo==1.0 # {INDEX}\n"
    assert to_upstream(swapped, "requirements", SWAP) == text


def test_a_frozen_address_of_the_gate_becomes_upstreams() -> None:
    text = f"demo @ {GATE_FILES}a/demo-1.0.tar.gz#sha256=00\n"
    assert to_upstream(text, "requirements", SWAP) == f"demo @ {FILES}a/demo-1.0.tar.gz#sha256=00\n"


@pytest.mark.parametrize("name", NAMES)
def test_every_address_of_a_gate_is_found_with_its_line(name: str) -> None:
    text = OF_UPSTREAM[name]
    swapped = to_gate(text, FORMAT_OF[name], SWAP)
    changed = [
        number
        for number, pair in enumerate(
            zip(text.splitlines(), swapped.splitlines(), strict=True), start=1
        )
        if pair[0] != pair[1]
    ]
    found = list(gate_addresses(swapped, (SWAP.gate,)))
    assert sorted({held.line for held in found}) == changed
    assert all(held.url.startswith((GATE_INDEX, GATE_FILES)) for held in found)
    assert list(gate_addresses(text, (SWAP.gate,))) == []


@pytest.mark.parametrize(
    ("address", "is_gate"),
    [
        ("http://localhost:9999/simple/", True),
        ("http://run-1:x@127.0.0.1:8503/simple", True),
        ("http://[::1]:8503/files/https/files.example.test/a.whl", True),
        ("https://gate.example.test/simple/", True),
        ("https://gate.example.test/files/http/a.test/a.whl", True),
        ("http://127.0.0.1:3141/root/pypi/+simple/", False),
        ("http://127.0.0.1:8503/simple-things/a.whl", False),
        ("https://index.example.test/simple/", False),
    ],
)
def test_gates_elsewhere_on_this_machine_and_those_that_are_named_are_found(
    address: str, is_gate: bool
) -> None:
    found = list(gate_addresses(f'url = "{address}"', ("https://gate.example.test/",)))
    assert [held.url for held in found] == [address] * is_gate


LINES = st.one_of(
    st.sampled_from(["[[package]]", "[[packages]]", "[package.source]", 'type = "legacy"', "{"]),
    st.builds('index = "{}"'.format, ADDRESSES),
    st.builds('url = "{}"'.format, ADDRESSES),
    st.builds('    {{ url = "{}", size = 1 }},'.format, ADDRESSES),
    st.builds('    "url": "{}",'.format, ADDRESSES),
    st.builds("--index-url {}".format, ADDRESSES),
    st.builds("a @ {}".format, ADDRESSES),
    st.text(alphabet='ab[]{}="\\/ é', max_size=20),
)


@given(
    st.lists(LINES, max_size=30), st.sampled_from(["\n", "\r\n"]), st.sampled_from(list(REWRITTEN))
)
def test_whatever_the_lock_the_way_back_gives_it_again(
    lines: list[str], end: str, format_: Format
) -> None:
    text = end.join(lines)
    assert to_upstream(to_gate(text, format_, SWAP), format_, SWAP) == text
