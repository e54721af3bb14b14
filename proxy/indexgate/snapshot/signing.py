"""Keys and signatures: Ed25519 (RFC 8032) over the bytes of the manifest.

The private key is a PEM file (PKCS 8) that only its owner may read. The public key is a line of
text, `ed25519:` and 32 bytes in base64, that is given to others by a way they trust.
"""

import base64
import hashlib
import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from indexgate.snapshot.faults import SnapshotFailed, must_be_installed, unreadable
from indexgate.snapshot.manifest import SIGNATURE

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_KIND = "ed25519:"
_CONTEXT = b"indexgate snapshot manifest\n"
"""Signed before the manifest, so that the signature means nothing anywhere else."""

_LONGEST = 10_000
_OTHERS = 0o077


def new_key(path: Path) -> str:
    """Write a new private key to *path*, for its owner only; return its public key.

    Raises SnapshotFailed `snapshot-key-exists`, `snapshot-key`.
    """
    must_be_installed()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        raise SnapshotFailed(
            "snapshot-key-exists",
            f"`{path}` is there already",
            "A key that was given to others is not made anew; choose another name.",
        ) from error
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise SnapshotFailed("snapshot-key", f"cannot write `{path}`: {reason}") from error
    return _public(key)


def public_key(path: Path) -> str:
    """Return the public key of the private key in *path*. Raises SnapshotFailed."""
    return _public(_private(path))


def sign(manifest: bytes, path: Path) -> bytes:
    """Return the content of the signature file of *manifest* by the key in *path*.

    Raises SnapshotFailed.
    """
    key = _private(path)
    signature = base64.b64encode(key.sign(_CONTEXT + manifest)).decode()
    return f"{_public(key)}\n{signature}\n".encode()


def signer(manifest: bytes, signature: bytes, trusted: Iterable[str]) -> str:
    """Return the one of the public keys *trusted* that signed *manifest*.

    *signature* is the content of the signature file. Raises SnapshotFailed: `snapshot-no-key`,
    `snapshot-key-invalid`, `snapshot-signature`, `snapshot-wrong-key`, `snapshot-tampered`.
    """
    must_be_installed()
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    keys = {_bytes_of(key): key for key in trusted}
    if not keys:
        raise SnapshotFailed(
            "snapshot-no-key",
            "no key is given whose snapshots may be used",
            "Give the maker's public key: `--snapshot-key ed25519:...`.",
        )
    said, signed = _signature(signature)
    if said not in keys:
        raise SnapshotFailed(
            "snapshot-wrong-key",
            f"the snapshot is signed with the key {key_id(_text(said))}, which is not given;"
            f" given: {', '.join(sorted(key_id(key) for key in keys.values()))}",
            "Ask its maker for the public key by a way that you trust.",
        )
    try:
        Ed25519PublicKey.from_public_bytes(said).verify(signed, _CONTEXT + manifest)
    except InvalidSignature as error:
        raise SnapshotFailed(
            "snapshot-tampered",
            f"`manifest.json` is not what the key {key_id(_text(said))} signed:"
            " it or its signature was changed",
        ) from error
    return _text(said)


def key_id(public: str) -> str:
    """Return a short name of a public key: 16 hex digits. Raises SnapshotFailed."""
    return hashlib.sha256(_bytes_of(public)).hexdigest()[:16]


def _private(path: Path) -> "Ed25519PrivateKey":
    must_be_installed()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        with path.open("rb") as file:
            mode, pem = os.fstat(file.fileno()).st_mode, file.read(_LONGEST)
    except OSError as error:
        raise unreadable(path, error) from error
    if sys.platform != "win32" and mode & _OTHERS:
        raise SnapshotFailed(
            "snapshot-key-open",
            f"the private key `{path}` can be read by others ({stat.S_IMODE(mode):o})",
            f"Run `chmod 600 {path}`; if others use the machine, make a new key.",
        )
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise SnapshotFailed(
            "snapshot-key",
            f"`{path}` holds no private Ed25519 key without a password",
            "Make one with `indexgate snapshot keygen`.",
        )
    return key


def _signature(content: bytes) -> tuple[bytes, bytes]:
    lines = content.decode("ascii", "replace").split("\n")
    try:
        said, signed = _bytes_of(lines[0]), base64.b64decode(lines[1], validate=True)
    except (SnapshotFailed, IndexError, ValueError) as error:  # base64 raises the last
        raise SnapshotFailed("snapshot-signature", f"`{SIGNATURE}` holds no signature") from error
    return said, signed


def _bytes_of(public: str) -> bytes:
    try:
        if public.startswith(_KIND):
            found = base64.b64decode(public.removeprefix(_KIND), validate=True)
            if len(found) == 32:
                return found
    except ValueError:
        pass
    raise SnapshotFailed(
        "snapshot-key-invalid",
        f"`{ascii(public[:100])[1:-1]}` is no public key",
        "It looks like `ed25519:` with 44 letters, digits and signs after it.",
    )


def _text(public: bytes) -> str:
    return _KIND + base64.b64encode(public).decode()


def _public(key: "Ed25519PrivateKey") -> str:
    return _text(key.public_key().public_bytes_raw())
