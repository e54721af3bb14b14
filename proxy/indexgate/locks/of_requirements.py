"""What a requirements file pins, read as a lock: each line for itself.

`indexgate check` reads requirements as pip does, with constraints and files inside files; this is
for those who want the pins of one text, such as an older version of it.
"""

from collections.abc import Iterator

from packaging.specifiers import SpecifierSet

from indexgate.locks.entry import Pinned, PinnedFile, Unasked
from indexgate.locks.text import LockText
from indexgate.redact import redact
from indexgate.requirements.entries import Elsewhere, Nested, Wanted, read_line
from indexgate.requirements.lines import logical_lines


def entries(source: LockText) -> Iterator[Pinned | Unasked]:
    """Yield the requirements. Raises GateError `requirements-line`."""
    for number, text in logical_lines(source.text, {}):
        match read_line(text, f"{source.path}:{number}"):
            case Wanted() as wanted:
                yield _entry(wanted, number)
            case Elsewhere() as elsewhere:
                yield Unasked(
                    text=elsewhere.text,
                    reason=elsewhere.reason,
                    line=number,
                    name=elsewhere.name,
                )
            case Nested() as nested:
                reason = "it is another file"
                yield Unasked(text=redact(nested.path), reason=reason, line=number, harmless=True)


def _entry(wanted: Wanted, line: int) -> Pinned | Unasked:
    version = _pin(wanted.requirement.specifier)
    if version is None:
        reason = "it names no version"
        return Unasked(text=str(wanted.requirement), reason=reason, line=line, name=wanted.name)
    return Pinned(
        name=wanted.name,
        version=version,
        line=line,
        files=tuple(
            PinnedFile(hashes=frozenset([each]), line=line) for each in sorted(wanted.hashes)
        ),
    )


def _pin(specifier: SpecifierSet) -> str | None:
    for each in specifier:
        if each.operator == "===" or (each.operator == "==" and not each.version.endswith(".*")):
            return each.version
    return None
