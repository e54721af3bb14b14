"""The certificate files that are configured, tried before anything depends on them."""

import ssl
from collections.abc import Callable
from pathlib import Path

from indexgate.config import Settings
from indexgate.errors import GateError
from indexgate.upstream_choice import UpstreamChoice


def check(settings: Settings, upstream: UpstreamChoice) -> None:
    """Try every configured certificate file. Raises GateError `certificate-unusable`."""
    for index in upstream.all:
        if index.ca is not None:
            use = f"index `{index.name}`" if index.name else "upstream"
            _try(index.ca, f"certificates to trust for {use}", _trust)
        if index.client_cert is not None:
            _try(index.client_cert, "client certificate with its key", _chain(None))
    if settings.tls_cert is not None:
        _try(settings.tls_cert, "certificate to serve with", _trust)
        _try(settings.tls_cert, f"certificate of `{settings.tls_key}`", _chain(settings.tls_key))


def _trust(path: Path) -> None:
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)


def _chain(key: Path | None) -> Callable[[Path], None]:
    def load(path: Path) -> None:
        # An encrypted key would make OpenSSL ask on the terminal; an empty password makes it fail.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path, key, password="")

    return load


def _try(path: Path, use: str, load: Callable[[Path], None]) -> None:
    try:
        load(path)
    except ssl.SSLError as error:
        reason = (error.reason or "not PEM").replace("_", " ").lower()
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
    else:
        return
    raise GateError(
        "certificate-unusable",
        f"cannot use `{path}` as {use}: {reason}",
        "A PEM file is needed, without a password on its key.",
    )
