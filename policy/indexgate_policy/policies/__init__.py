"""The policies that are shipped, each with the cases that say what it is meant to do."""

from importlib.resources import files

NAMES = ("observe", "balanced", "strict")
"""The shipped policies, the most patient first; `balanced` is the default."""


def shipped(name: str) -> bytes:
    """Return the text of the shipped policy *name*. Raises KeyError."""
    return _read(name, "toml")


def shipped_cases(name: str) -> bytes:
    """Return the text of the cases of the shipped policy *name*. Raises KeyError."""
    return _read(name, "cases.toml")


def _read(name: str, suffix: str) -> bytes:
    if name not in NAMES:
        raise KeyError(name)
    return files(__name__).joinpath(f"{name}.{suffix}").read_bytes()
