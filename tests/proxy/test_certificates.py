"""Certificate files that cannot be used end the start with a reason, not with a traceback."""

import shutil
import subprocess
from pathlib import Path

import certifi
import pytest

from indexgate import certificates, config
from indexgate.config import Given
from indexgate.errors import GateError
from indexgate.upstream_choice import UpstreamChoice


def check(
    given: dict[str, Given] | None = None, *, ca: Path | None = None, client: Path | None = None
) -> None:
    upstream = UpstreamChoice(
        url="https://a.test/", index_id="0", public=False, origin="x", ca=ca, client_cert=client
    )
    settings = config.load(given or {}, {}, lambda _path: b"", default_state=Path())
    certificates.check(settings, upstream)


def test_files_that_can_be_used_pass() -> None:
    check()
    check(ca=Path(certifi.where()))


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    (tmp_path / "nonsense.pem").write_text("nonsense")
    for path in (tmp_path / "gone.pem", tmp_path / "nonsense.pem", tmp_path):
        with pytest.raises(GateError) as by_ca:
            check(ca=path)
        with pytest.raises(GateError) as by_client:
            check(client=path)
        with pytest.raises(GateError) as by_tls:
            check({"tls_cert": str(path), "tls_key": certifi.where()})
        for raised in (by_ca, by_client, by_tls):
            assert raised.value.reference == "certificate-unusable"
            assert f"`{path}`" in raised.value.message


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes keys with openssl")
def test_a_certificate_needs_its_own_key_without_a_password(tmp_path: Path) -> None:
    def make(name: str, *more: str) -> dict[str, Given]:
        cert, key = tmp_path / f"{name}.crt", tmp_path / f"{name}.key"
        words = f"openssl req -x509 -newkey rsa:2048 -days 2 -subj /CN=a.test -keyout {key}"
        command = [*words.split(), "-out", str(cert), *(more or ("-nodes",))]
        subprocess.run(command, check=True, capture_output=True)
        return {"tls_cert": str(cert), "tls_key": str(key)}

    one, two, locked = make("one"), make("two"), make("locked", "-passout", "pass:secret")
    check(one)
    for given in ({**one, "tls_key": two["tls_key"]}, locked):
        with pytest.raises(GateError, match="certificate-unusable"):
            check(given)
