"""The address of the public index, as `pypi_simple.PYPI_SIMPLE_ENDPOINT` has it.

Importing that package loads an HTTP client and an HTML parser, which takes longer than the whole
start of the gate. So the constant is read from the package's source, without running it.
"""

import ast
import functools
import importlib.util
from pathlib import Path

_NAME = "PYPI_SIMPLE_ENDPOINT"


@functools.cache
def address() -> str:
    """Return the address of PyPI's simple index."""
    spec = importlib.util.find_spec("pypi_simple")
    found = _constant(Path(spec.origin)) if spec is not None and spec.origin else None
    if found is not None:
        return found
    from pypi_simple import PYPI_SIMPLE_ENDPOINT  # only where the quick way fails

    return PYPI_SIMPLE_ENDPOINT


def _constant(source: Path) -> str | None:
    try:
        module = ast.parse(source.read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        return None
    for node in module.body:
        match node:
            case (
                ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=str(text)))
                | ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text)))
            ) if name == _NAME:
                return text
    return None
