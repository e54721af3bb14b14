"""Why a snapshot cannot be made or used, and what has to be installed for it."""

from pathlib import Path

from indexgate.errors import GateError


class SnapshotFailed(GateError):
    """A snapshot cannot be made, or is not to be trusted or used."""


def must_be_installed() -> None:
    """Raise GateError when the extra is missing."""
    try:
        import cryptography  # noqa: F401
        import pyarrow.parquet  # type: ignore[import-untyped]  # noqa: F401
    except ImportError as error:
        raise GateError(
            "snapshot-extra",
            "snapshots need the packages `pyarrow` and `cryptography`, which are not installed",
            "Run `pip install 'indexgate[snapshot]'` in the gate's environment.",
        ) from error


def unreadable(path: Path, error: OSError) -> SnapshotFailed:
    """Return what to tell a person when the system cannot read *path*."""
    reason = (error.strerror or type(error).__name__).lower()
    return SnapshotFailed("snapshot-unreadable", f"cannot read `{path}`: {reason}")
