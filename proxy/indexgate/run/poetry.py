"""What Poetry needs besides a variable: a plugin, or a source of the project that is the gate."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from indexgate.errors import GateError
from indexgate.run.configured import Configured

PLUGIN = "poetry-plugin-pypi-mirror"
_INSTALLED = "poetry_plugin_pypi_mirror-*.dist-info"


def has_plugin(program: Path, folder: Path) -> bool:
    """Tell whether the Poetry at *program* (or its Python) has the plugin, for itself or here."""
    prefixes = dict.fromkeys(path.parent.parent for path in (program, program.resolve()))
    places = [
        *(site for prefix in prefixes for site in prefix.glob("lib/python*/site-packages")),
        *(prefix / "Lib" / "site-packages" for prefix in prefixes),
        *(place / ".poetry" / "plugins" for place in (folder, *folder.parents)),
    ]
    return any(any(place.glob(_INSTALLED)) for place in places)


def check(program: Path, folder: Path, gates: Iterable[Configured]) -> None:
    """Raise GateError `poetry-past-the-gate` if no way leads Poetry to the gate."""
    if not any(True for _ in gates) and not has_plugin(program, folder):
        raise GateError(
            "poetry-past-the-gate",
            f"`{program}` lacks `{PLUGIN}`, so no variable can point it at the gate",
            f"Add it with `poetry self add {PLUGIN}`.",
        )


def logins(gates: Iterable[Configured], token: str) -> Iterator[tuple[str, str]]:
    """Yield the variables that hand the run's *token* to sources of the project that are gates."""
    for source in gates:
        name = re.sub(r"[^A-Z0-9]", "_", (source.name or "").upper())
        if name:
            yield f"POETRY_HTTP_BASIC_{name}_USERNAME", token
            yield f"POETRY_HTTP_BASIC_{name}_PASSWORD", "x"
