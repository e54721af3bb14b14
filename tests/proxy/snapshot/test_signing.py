"""Keys and signatures."""

import sys
from pathlib import Path

import pytest

from indexgate.snapshot import signing
from indexgate.snapshot.faults import SnapshotFailed
from tests.proxy.snapshot.made import Key


def reference(manifest: bytes, signature: bytes, *trusted: str) -> str:
    with pytest.raises(SnapshotFailed) as raised:
        signing.signer(manifest, signature, trusted)
    return raised.value.reference


@pytest.mark.skipif(sys.platform == "win32", reason="permission bits say nothing there")
def test_a_private_key_is_its_owners_alone(key: Key) -> None:
    assert key.path.stat().st_mode & 0o777 == 0o600


def test_the_key_that_signed_is_found(key: Key, tmp_path: Path) -> None:
    another = signing.new_key(tmp_path / "another.pem")
    signature = signing.sign(b"manifest", key.path)
    assert signing.signer(b"manifest", signature, [another, key.public]) == key.public
    assert signing.public_key(key.path) == key.public


def test_a_key_is_never_written_over(key: Key) -> None:
    before = key.path.read_bytes()
    with pytest.raises(SnapshotFailed, match="is there already"):
        signing.new_key(key.path)
    assert key.path.read_bytes() == before


def test_what_was_not_signed_is_told_apart(key: Key, tmp_path: Path) -> None:
    another = signing.new_key(tmp_path / "another.pem")
    signature = signing.sign(b"manifest", key.path)
    forged = signing.sign(b"manifest", tmp_path / "another.pem").split(b"\n")[1]
    claimed = key.public.encode() + b"\n" + forged + b"\n"
    assert reference(b"manifesT", signature, key.public) == "snapshot-tampered"
    assert reference(b"manifest", claimed, key.public) == "snapshot-tampered"
    assert reference(b"manifest", signature, another) == "snapshot-wrong-key"
    assert reference(b"manifest", signature) == "snapshot-no-key"
    for garbage in (b"", b"\n", b"ed25519:\nAAAA", b"\xff\xfe", signature.split(b"\n")[0]):
        assert reference(b"manifest", garbage, key.public) == "snapshot-signature"
    for wrong in ("ed25519:", "ed25519:AAAA", "rsa:AAAA", "ed25519:é", ""):
        assert reference(b"manifest", signature, wrong) == "snapshot-key-invalid"


def test_a_bare_signature_of_the_manifest_means_nothing(key: Key) -> None:
    import base64

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    private = load_pem_private_key(key.path.read_bytes(), None)
    assert isinstance(private, Ed25519PrivateKey)
    bare = base64.b64encode(private.sign(b"manifest"))
    signature = key.public.encode() + b"\n" + bare + b"\n"
    assert reference(b"manifest", signature, key.public) == "snapshot-tampered"


@pytest.mark.skipif(sys.platform == "win32", reason="permission bits say nothing there")
def test_a_key_that_others_can_read_signs_nothing(key: Key) -> None:
    key.path.chmod(0o644)
    with pytest.raises(SnapshotFailed, match="can be read by others"):
        signing.sign(b"manifest", key.path)


def test_what_holds_no_key_signs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "no.pem"
    path.touch(mode=0o600)
    with pytest.raises(SnapshotFailed, match="holds no private Ed25519 key"):
        signing.sign(b"manifest", path)
    with pytest.raises(SnapshotFailed, match="no such file"):
        signing.sign(b"manifest", tmp_path / "nowhere.pem")
