"""Tiny real wheels and sdists, made in memory, and what an index says of them."""

import gzip
import hashlib
import io
import tarfile
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from packaging.utils import NormalizedName, canonicalize_name

LONG_AGO = datetime(2020, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
"""The upload time of a file that says none: old enough for every rule."""

_ZIP_TIME = (2020, 1, 2, 3, 4, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedFile:
    """One file of a release: its bytes and what the index lists beside them.

    `metadata` is what `<file>.metadata` answers; with `core_metadata` False it is neither listed
    nor answered. `hashes` None means the true sha256, {} none at all. `upload_time` None leaves it
    out, as `size` False does. `yanked` is PEP 592's: False, True or the reason.
    """

    project: NormalizedName
    version: str
    filename: str
    content: bytes
    metadata: bytes | None = None
    core_metadata: bool = True
    requires_python: str | None = None
    upload_time: datetime | None = LONG_AGO
    yanked: bool | str = False
    provenance: str | None = None
    hashes: dict[str, str] | None = None
    size: bool = True

    @property
    def sha256(self) -> str:
        """The digest of the true bytes, in hex."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def path(self) -> str:
        """Where the index serves the bytes, in the manner of PyPI: a path of digest parts."""
        digest = hashlib.blake2b(self.content, digest_size=32).hexdigest()
        return f"/packages/{digest[:2]}/{digest[2:4]}/{digest[4:]}/{self.filename}"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedProject:
    """A project: its display name, its files in page order, its PEP 792 status, its owners.

    `owners` are user names with a role each, as the project JSON's `ownership` tells them; `urls`
    are labels with an address each.
    `extra` is merged into the JSON page: members that no standard knows. `vulnerabilities` are ids
    that the project JSON names for the newest version.
    """

    name: str
    files: tuple[IndexedFile, ...]
    status: str = "active"
    status_reason: str | None = None
    owners: tuple[tuple[str, str], ...] = (("somebody", "Owner"),)
    organization: str | None = None
    urls: tuple[tuple[str, str], ...] = ()
    description: str = ""
    vulnerabilities: tuple[str, ...] = ()
    extra: dict[str, object] = field(default_factory=dict)

    @property
    def normalized(self) -> NormalizedName:
        """The name as PEP 503 writes it in addresses."""
        return canonicalize_name(self.name)

    @property
    def versions(self) -> tuple[str, ...]:
        """Every version that has a file, in page order."""
        return tuple(dict.fromkeys(file.version for file in self.files))

    def changed(self, **changes: object) -> "IndexedProject":
        """Return the project with some of its fields replaced."""
        return replace(self, **changes)  # type: ignore[arg-type]


def metadata_text(
    name: str, version: str, *, requires: Sequence[str] = (), requires_python: str | None = None
) -> bytes:
    """Return a core metadata file (version 2.1)."""
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", "Summary: A stand-in"]
    if requires_python is not None:
        lines.append(f"Requires-Python: {requires_python}")
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    return ("\n".join(lines) + "\n").encode()


def wheel(
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    requires_python: str | None = None,
    tag: str = "py3-none-any",
    padding: int = 0,
    upload_time: datetime | None = LONG_AGO,
    yanked: bool | str = False,
    provenance: str | None = None,
    core_metadata: bool = True,
) -> IndexedFile:
    """Return a wheel that installs one module, `VERSION` in it.

    `padding` adds that many bytes that do not compress. The same arguments make the same bytes.
    """
    project = canonicalize_name(name)
    module = project.replace("-", "_")
    metadata = metadata_text(name, version, requires=requires, requires_python=requires_python)
    info = f"{module}-{version}.dist-info"
    members = {
        f"{module}/__init__.py": f'VERSION = "{version}"\n'.encode(),
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": (
            f"Wheel-Version: 1.0\nGenerator: standin\nRoot-Is-Purelib: true\nTag: {tag}\n"
        ).encode(),
    }
    if padding:
        members[f"{module}/padding.bin"] = _noise(padding)
    members[f"{info}/RECORD"] = _record(members, f"{info}/RECORD")
    return IndexedFile(
        project=project,
        version=version,
        filename=f"{module}-{version}-{tag}.whl",
        content=_zip(members.items()),
        metadata=metadata,
        core_metadata=core_metadata,
        requires_python=requires_python,
        upload_time=upload_time,
        yanked=yanked,
        provenance=provenance,
    )


def sdist(
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    requires_python: str | None = None,
    upload_time: datetime | None = LONG_AGO,
    yanked: bool | str = False,
) -> IndexedFile:
    """Return a `.tar.gz` source archive with PKG-INFO and a setuptools `setup.py`."""
    project = canonicalize_name(name)
    stem = f"{project.replace('-', '_')}-{version}"
    module = project.replace("-", "_")
    metadata = metadata_text(name, version, requires=requires, requires_python=requires_python)
    setup = (
        "from setuptools import setup\n"
        f"setup(name={name!r}, version={version!r}, py_modules=[{module!r}],"
        f" install_requires={list(requires)!r})\n"
    )
    members = {
        f"{stem}/PKG-INFO": metadata,
        f"{stem}/setup.py": setup.encode(),
        f"{stem}/{module}.py": f'VERSION = "{version}"\n'.encode(),
    }
    return IndexedFile(
        project=project,
        version=version,
        filename=f"{stem}.tar.gz",
        content=_tar_gz(members.items()),
        core_metadata=False,
        requires_python=requires_python,
        upload_time=upload_time,
        yanked=yanked,
    )


def project(name: str, *files: IndexedFile, status: str = "active") -> IndexedProject:
    """Return a project of *files*; use `changed` for all that is not usual."""
    return IndexedProject(name=name, files=files, status=status)


def _record(members: dict[str, bytes], own: str) -> bytes:
    rows = []
    for name, content in members.items():
        digest = urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.append(f"{name},sha256={digest},{len(content)}")
    return ("\n".join([*rows, f"{own},,"]) + "\n").encode()


def _noise(size: int) -> bytes:
    """Return *size* bytes that do not compress, the same every time."""
    return hashlib.shake_128(b"padding").digest(size)


def _zip(members: Iterable[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def _tar_gz(members: Iterable[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in members:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(content), 0o644, int(LONG_AGO.timestamp())
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=0)
