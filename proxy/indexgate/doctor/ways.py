"""Making findings: the severity of the kind, words without credentials, and the usual cures."""

from pathlib import Path

from indexgate.doctor.finding import (
    Advice,
    Cure,
    Edit,
    Finding,
    Place,
    Severity,
    Variables,
)
from indexgate.doctor.kinds import KINDS
from indexgate.redact import redact


def finding(
    kind: str,
    what: str,
    place: Place,
    cure: Cure,
    *,
    severity: Severity | None = None,
    client: str | None = None,
) -> Finding:
    """Return a finding of *kind*; credentials in *what* are hidden."""
    usual = KINDS[kind]
    return Finding(
        id=kind,
        severity=severity or usual.severity,
        client=client or usual.client,
        what=redact(what),
        place=place,
        cure=cure,
    )


def unset(*variables: str) -> Variables:
    """Return the cure that takes *variables* out of the environment."""
    return Variables(values=tuple((name, None) for name in variables))


def export(value: str, *variables: str) -> Variables:
    """Return the cure that gives *variables* the *value*."""
    return Variables(values=tuple((name, value) for name in variables))


def edit_or(edit: Edit | None, words: str) -> Cure:
    """Return *edit*, or advice in *words* where no change of lines is sure to do it."""
    return edit if edit is not None else Advice(text=words)


def unread(path: Path, why: ValueError) -> Finding:
    """Return the finding that the settings at *path* cannot be read."""
    return finding(
        "settings-unread",
        f"this file cannot be read: {why}",
        Place(path=path),
        Advice(text="mend the file, or take it away"),
    )
