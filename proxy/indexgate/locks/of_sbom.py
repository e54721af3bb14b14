"""What a CycloneDX bill of materials (JSON) names: Python packages by their package URL.

A component's own `hashes` may be of what was installed, so only those of its distribution (an
external reference of that type) are compared with the index.
"""

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote

from packaging.utils import InvalidName, canonicalize_name

from indexgate.locks.entry import Pinned, PinnedFile, Unasked
from indexgate.locks.text import LockText, Onward, Table, filename_in, strong, tables_in, text_in
from indexgate.redact import redact

_ALGORITHMS = {"SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
_PYTHON = re.compile("pkg:/*pypi/", re.IGNORECASE)  # slashes before the type mean nothing


def entries(source: LockText) -> Iterator[Pinned | Unasked]:
    """Yield the components, those inside of others too. Raises GateError `lock-text`."""
    document = source.json()
    if document.get("bomFormat") != "CycloneDX":
        raise source.wrong("is no CycloneDX document")
    text = Onward(source.text)
    for component in _components(document):
        yield _entry(source, component, text)


def _components(table: Table) -> Iterator[Table]:
    waiting = list(reversed(tables_in(table, "components")))
    while waiting:
        component = waiting.pop()
        yield component
        waiting.extend(reversed(tables_in(component, "components")))


def _entry(source: LockText, component: Table, text: Onward) -> Pinned | Unasked:
    purl = text_in(component, "purl") or ""
    named = text_in(component, "name") or ""
    line = text.to(f'"{purl or named}"').first
    python = _PYTHON.match(purl)
    if python is None:
        reason = "it is of another ecosystem" if purl else "it has no package URL"
        return Unasked(text=purl or named, reason=reason, line=line, harmless=True)
    address, _, qualifiers = purl[python.end() :].partition("#")[0].partition("?")
    written, _, version = address.rpartition("@") if "@" in address else (address, "", "")
    try:
        name = canonicalize_name(unquote(written), validate=True)
    except InvalidName as error:
        raise source.wrong("has a package URL without a project's name", line) from error
    told = dict(parse_qsl(qualifiers))
    for key, reason in (
        ("vcs_url", "it comes from a repository"),
        ("download_url", "it comes from an address and asks no index"),
    ):
        if key in told:
            return Unasked(
                text=f"{name} ({redact(told[key])})", reason=reason, line=line, name=name
            )
    if not version:
        reason = "the document does not tell its version"
        return Unasked(text=name, reason=reason, line=line, name=name)
    return Pinned(
        name=name,
        version=unquote(version),
        line=line,
        files=tuple(_files(component, line)),
        index=told.get("repository_url"),
    )


def _files(component: Table, line: int) -> Iterator[PinnedFile]:
    for reference in tables_in(component, "externalReferences"):
        hashes = strong(
            *(
                f"{_ALGORITHMS.get(text_in(each, 'alg') or '', '')}:{each.get('content')}"
                for each in tables_in(reference, "hashes")
            )
        )
        if reference.get("type") == "distribution" and hashes:
            url = text_in(reference, "url")
            yield PinnedFile(filename=_file_name(url), hashes=hashes, url=None, line=line)


def _file_name(url: str | None) -> str | None:
    """Return the file's name where *url* is the file's own address, not a project's page."""
    name = filename_in(url)
    return name if name and name.endswith((".whl", ".tar.gz", ".zip")) else None
