"""Behind a certificate of one's own: installs work, and a refusal keeps its words."""

import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.end_to_end.clients import NEWEST_PIP, NEWEST_UV, Outcome, Scratch
from tests.end_to_end.gate import Gate, serving
from tests.standins.upstream import Upstream

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no `openssl` command"),
]

Install = Callable[[Scratch, Gate, Path, str], Outcome]

EXTENSIONS = """\
[req]
distinguished_name = subject
prompt = no
[subject]
CN = the tests' own authority
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = IP:127.0.0.1
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """PEM files: an authority, and what a server at 127.0.0.1 needs."""

    ca: Path
    certificate: Path
    key: Path


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("certificates")
    (folder / "openssl.cnf").write_text(EXTENSIONS, encoding="utf-8")
    new = ["openssl", "req", "-x509", "-config", "openssl.cnf", "-days", "2", "-nodes"]
    new += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    of_ca = ["-extensions", "ca", "-keyout", "ca.key", "-out", "ca.pem"]
    of_gate = ["-extensions", "server", "-keyout", "gate.key", "-out", "gate.pem"]
    of_gate += ["-subj", "/CN=gate", "-CA", "ca.pem", "-CAkey", "ca.key"]
    for arguments in (of_ca, of_gate):
        subprocess.run([*new, *arguments], cwd=folder, check=True, capture_output=True)
    return Certificates(
        ca=folder / "ca.pem", certificate=folder / "gate.pem", key=folder / "gate.key"
    )


@pytest.fixture(scope="module")
def gate(
    upstream: Upstream,
    refusing: Path,
    certificates: Certificates,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gate]:
    folder = tmp_path_factory.mktemp("gate")
    with serving(
        state=folder / "state",
        policy=refusing,
        upstream=upstream.url,
        environment=Scratch(folder / "user").environment(),
        ca=certificates.ca,
        options=("--tls-cert", str(certificates.certificate), "--tls-key", str(certificates.key)),
    ) as running:
        yield running


def _pip(scratch: Scratch, gate: Gate, ca: Path, wanted: str) -> Outcome:
    arguments = ("install", "--cert", ca, "--target", scratch.target, wanted)
    return NEWEST_PIP.run(scratch, gate.url, *arguments)


def _uv(scratch: Scratch, gate: Gate, ca: Path, wanted: str) -> Outcome:
    place = ("--python", NEWEST_PIP.python, "--target", scratch.target)
    variables = {"UV_DEFAULT_INDEX": gate.url, "SSL_CERT_FILE": str(ca)}
    return scratch.run(NEWEST_UV.executable, "pip", "install", *place, wanted, **variables)


@pytest.mark.parametrize("install", [_pip, _uv], ids=["pip", "uv"])
def test_installs_pass_and_refusals_keep_their_reason_over_tls(
    install: Install, gate: Gate, certificates: Certificates, scratch: Scratch
) -> None:
    passed = install(scratch, gate, certificates.ca, "app")
    assert passed.exit_code == 0, passed.output
    assert scratch.installed() == {"app": "1.0", "demo": "1.1"}
    refused = install(scratch, gate, certificates.ca, "evil-demo")
    assert refused.exit_code != 0, refused.output
    assert refused.says("blocked by indexgate: the policy names evil-demo"), refused.output
    assert refused.says(f"{gate.origin}/blocked/evil-demo/1.0/"), refused.output


@pytest.mark.parametrize(
    ("offered", "agreed"), [(["h2", "http/1.1"], "http/1.1"), (["h2"], None), (None, None)]
)
def test_http_2_which_has_no_reason_phrase_is_never_agreed_on(
    gate: Gate, certificates: Certificates, offered: list[str] | None, agreed: str | None
) -> None:
    context = ssl.create_default_context(cafile=certificates.ca)
    if offered is not None:
        context.set_alpn_protocols(offered)
    with (
        socket.create_connection(("127.0.0.1", gate.port), timeout=30) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secret,
    ):
        assert secret.selected_alpn_protocol() == agreed
        secret.sendall(b"HEAD /simple/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        assert secret.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")


def test_whoever_does_not_know_the_authority_gets_nothing(gate: Gate) -> None:
    context = ssl.create_default_context()
    with socket.create_connection(("127.0.0.1", gate.port), timeout=30) as plain:
        with pytest.raises(ssl.SSLCertVerificationError):
            context.wrap_socket(plain, server_hostname="127.0.0.1")
    assert gate.health()["live"] is True
