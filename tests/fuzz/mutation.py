"""Changes to bytes and to JSON that make the next odd input out of an ordinary one."""

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, TypeAlias

Change: TypeAlias = Callable[[Random, bytes, Sequence[bytes]], bytes]

LONGEST = 200_000
"""Bytes: what grows beyond it is cut, so that the time goes into cases, not into length."""

_ODD_BYTES = [0, 9, 10, 13, 34, 37, 39, 46, 47, 58, 60, 62, 64, 91, 92, 93, 123, 125, 127, 255]
_ODD_VALUES: list[Any] = [
    None, True, False, 0, -1, 1.5, 1e308, 2**63, 2**64, 10**400, "", " ", "\x00", "\ud800", "é",
    "../..", "//x", "http:", "http://[", "file:///etc/passwd", "a" * 5000, "%", "%zz", "1e999",
    [], {}, [[]], [None], {"": {}}, {"a": [1, {"b": None}]},
]  # fmt: skip


def mutated(chance: Random, seeds: Sequence[bytes], tokens: Sequence[bytes]) -> bytes:
    """Return one of *seeds* after a few changes, with *tokens* of the language among them."""
    data = chance.choice(seeds)
    if chance.random() < 0.4 and data[:1] in {b"{", b"["}:
        data = _other_json(chance, data)
    for _ in range(chance.choice((0, 1, 1, 2, 3, 8))):
        change = chance.choice(_CHANGES)
        data = change(chance, data, tokens)
    if chance.random() < 0.1:
        data = _spliced(chance, data, seeds)
    return data[:LONGEST]


def _other_json(chance: Random, data: bytes) -> bytes:
    try:
        root = json.loads(data)
    except ValueError:
        return data
    for _ in range(chance.choice((1, 1, 2, 4))):
        root = _with_odd_node(chance, root)
    return json.dumps(root, ensure_ascii=chance.random() < 0.7).encode("utf-8", "surrogatepass")


def _with_odd_node(chance: Random, node: Any) -> Any:
    """Return *node* with a value, a key or a length somewhere in it that is not expected there."""
    if isinstance(node, dict) and node and chance.random() < 0.85:
        key = chance.choice(list(node))
        match chance.randrange(6):
            case 0:
                return {k: v for k, v in node.items() if k != key}
            case 1:
                return {**node, str(chance.choice(_ODD_VALUES)): node[key]}
            case _:
                return {**node, key: _with_odd_node(chance, node[key])}
    if isinstance(node, list) and node and chance.random() < 0.85:
        place = chance.randrange(len(node))
        match chance.randrange(6):
            case 0:
                return node[:place] + node[place + 1 :]
            case 1:
                return node + node[: place + 1]
            case _:
                return [*node[:place], _with_odd_node(chance, node[place]), *node[place + 1 :]]
    return chance.choice(_ODD_VALUES)


def _flip(chance: Random, data: bytes, _tokens: Sequence[bytes]) -> bytes:
    if not data:
        return data
    place = chance.randrange(len(data))
    return data[:place] + bytes([data[place] ^ (1 << chance.randrange(8))]) + data[place + 1 :]


def _odd_byte(chance: Random, data: bytes, _tokens: Sequence[bytes]) -> bytes:
    place = chance.randint(0, len(data))
    return data[:place] + bytes([chance.choice(_ODD_BYTES)]) + data[place:]


def _token(chance: Random, data: bytes, tokens: Sequence[bytes]) -> bytes:
    place = chance.randint(0, len(data))
    over = chance.choice((0, 0, 1, 4))
    return data[:place] + chance.choice(tokens) + data[place + over :]


def _without_a_part(chance: Random, data: bytes, _tokens: Sequence[bytes]) -> bytes:
    start, stop = _part(chance, data)
    return data[:start] + data[stop:]


def _part_again(chance: Random, data: bytes, _tokens: Sequence[bytes]) -> bytes:
    start, stop = _part(chance, data)
    return data[:stop] + data[start:stop] * chance.choice((1, 1, 2, 50)) + data[stop:]


def _part_elsewhere(chance: Random, data: bytes, _tokens: Sequence[bytes]) -> bytes:
    start, stop = _part(chance, data)
    rest = data[:start] + data[stop:]
    place = chance.randint(0, len(rest))
    return rest[:place] + data[start:stop] + rest[place:]


def _cut(chance: Random, data: bytes, _tokens: Sequence[bytes]) -> bytes:
    return data[: chance.randint(0, len(data))]


def _spliced(chance: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    other = chance.choice(seeds)
    return data[: chance.randint(0, len(data))] + other[chance.randint(0, len(other)) :]


def _part(chance: Random, data: bytes) -> tuple[int, int]:
    start = chance.randint(0, len(data))
    return start, min(len(data), start + chance.choice((1, 2, 8, 64, 512)))


_CHANGES: Sequence[Change] = (
    _flip, _odd_byte, _token, _token, _without_a_part, _part_again, _part_elsewhere, _cut,
)  # fmt: skip
