"""Imports run one way, and what decides touches nothing outside itself."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
POLICY = ROOT / "policy" / "indexgate_policy"
PROXY = ROOT / "proxy" / "indexgate"

# What `indexgate_policy` may import: nothing here opens a file or a socket, or reads a clock.
PURE = frozenset(
    [
        "__future__",
        "abc",
        "array",
        "base64",
        "bisect",
        "collections",
        "copy",
        "dataclasses",
        "datetime",
        "decimal",
        "difflib",
        "enum",
        "fnmatch",
        "fractions",
        "functools",
        "hashlib",
        "heapq",
        "html",
        "itertools",
        "json",
        "keyword",
        "math",
        "msgspec",
        "numbers",
        "numpy",
        "operator",
        "packaging",
        "rapidfuzz",
        "re",
        "statistics",
        "string",
        "struct",
        "textwrap",
        "tomllib",
        "types",
        "typing",
        "unicodedata",
        "urllib.parse",
        "zlib",
    ]
)
# ... and where the data that ships inside the package is read.
BUNDLED = {"importlib.resources": ("policies", "names")}
IMPURE_CALLS = frozenset({"open", "input", "print", "__import__", "eval", "exec"})
CLOCK_CALLS = frozenset({"now", "today", "utcnow"})

# The rooms of `indexgate`, innermost first. A room imports its own tier and those before it; what
# stands in no tier (settings, facts, the gate itself) comes after them all and before `web`.
INNER = (
    ("errors", "own_version", "redact", "web_address"),
    ("simple",),
    ("index", "logs", "log_lines"),
    ("sources", "store", "requirements"),
)
OUTER = ("web",), ("workers",), ("run",), ("doctor",), ("cli",), ("__main__",)


def _files(root: Path) -> list[Path]:
    return sorted(root.rglob("*.py"))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _imports(path: Path) -> Iterator[tuple[str, ...]]:
    """Yield every imported module as its parts; `from a import b` may mean `a` or `a.b`: both."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield (*node.module.split("."), alias.name)


def _tier(room: str) -> int:
    for tiers, first in ((INNER, 0), (OUTER, len(INNER) + 1)):
        for number, rooms in enumerate(tiers, first):
            if room in rooms:
                return number
    return len(INNER)


def _is_pure(module: tuple[str, ...], path: Path) -> bool:
    prefixes = {".".join(module[:length]) for length in range(1, len(module) + 1)}
    if prefixes & PURE or module[0] == "indexgate_policy":
        return True
    rooms = path.relative_to(POLICY).parts
    return any(rooms[0] in BUNDLED[prefix] for prefix in prefixes & BUNDLED.keys())


@pytest.mark.parametrize("path", _files(POLICY), ids=_name)
def test_the_policy_imports_only_what_is_pure(path: Path) -> None:
    assert [".".join(module) for module in _imports(path) if not _is_pure(module, path)] == []


@pytest.mark.parametrize("path", _files(POLICY), ids=_name)
def test_the_policy_calls_no_clock_and_no_file(path: Path) -> None:
    calls = [
        node.func
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]
    impure = [ast.unparse(f) for f in calls if isinstance(f, ast.Name) and f.id in IMPURE_CALLS]
    clocks = [
        ast.unparse(f) for f in calls if isinstance(f, ast.Attribute) and f.attr in CLOCK_CALLS
    ]
    assert impure + clocks == []


@pytest.mark.parametrize("path", _files(PROXY), ids=_name)
def test_rooms_of_the_proxy_import_inwards_only(path: Path) -> None:
    rooms = {entry.stem for entry in PROXY.iterdir()}
    own = path.relative_to(PROXY).parts[0].removesuffix(".py")
    if own == "__init__":
        own = "errors"
    outwards = [
        ".".join(module)
        for module in _imports(path)
        if module[0] == "indexgate" and len(module) > 1 and module[1] in rooms
        if _tier(module[1]) > _tier(own)
    ]
    assert outwards == []


@pytest.mark.parametrize("path", [*_files(POLICY), *_files(PROXY)], ids=_name)
def test_nothing_that_ships_imports_the_tests(path: Path) -> None:
    assert [module for module in _imports(path) if module[0] in ("tests", "pytest")] == []


def test_what_would_break_these_rules_is_seen() -> None:
    check = POLICY / "checks" / "some.py"
    assert not _is_pure(("os", "path"), check)
    assert not _is_pure(("urllib", "request"), check)
    assert not _is_pure(("indexgate", "simple"), check)
    assert not _is_pure(("importlib", "resources", "files"), check)
    assert _is_pure(("urllib", "parse", "urlsplit"), check)
    assert _is_pure(("importlib", "resources", "files"), POLICY / "policies" / "__init__.py")
    tiers = [
        _tier(room) for room in ("errors", "simple", "index", "store", "gate", "web", "run", "cli")
    ]
    assert tiers == sorted(set(tiers))
