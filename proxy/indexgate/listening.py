"""Where the gate listens, once it does."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """The bound address: `port` is the real one, also where a free one was asked for."""

    host: str
    port: int
    tls: bool = False

    @property
    def url(self) -> str:
        """The gate's address as a client on this machine writes it, with a slash at the end."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        shown = f"[{host}]" if ":" in host else host
        return f"{'https' if self.tls else 'http'}://{shown}:{self.port}/"
