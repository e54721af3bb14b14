"""What is said to prove that one holds the state folder's secret, which itself never travels."""

import hashlib
import hmac


def proof(secret: str, nonce: str, host: str, port: int) -> str:
    """Return the proof, in hex, that who listens on *host* and *port* holds *secret*."""
    return _mac(secret, f"indexgate proof\n{nonce}\n{host}\n{port}")


def report_key(secret: str, run: str) -> str:
    """Return the key, in hex, to the report on *run*: good for this run alone."""
    return _mac(secret, f"indexgate run\n{run}")


def glass_key(secret: str, run: str) -> str:
    """Return the key, in hex, to break the glass for *run*, which nobody but its starter has."""
    return _mac(secret, f"indexgate break glass\n{run}")


def form_token(secret: str, *parts: str) -> str:
    """Return the token, in hex, of a form about *parts*."""
    return _mac(secret, "\n".join(("indexgate exemption form", *parts)))


def is_key(given: str, key: str) -> bool:
    """Tell whether what somebody has *given* is *key*, in the same time however much of it is.

    A header may hold any bytes, so *given* need not be text that can be written as UTF-8.
    """
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), key.encode())


def _mac(secret: str, text: str) -> str:
    return hmac.new(bytes.fromhex(secret), text.encode(), hashlib.sha256).hexdigest()
