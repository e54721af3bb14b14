"""How to reach one index."""

from msgspec import Struct


class UpstreamSettings(Struct, frozen=True, kw_only=True):
    """How to reach one index.

    `root` is the address of its project list, with a trailing slash and without credentials;
    `in_house` says that its name may lead to a private address though it is public; `timeout` is
    seconds for a whole page and for each step of a file; `page_limit` bytes of a page once
    decompressed; `ca_file` replaces the system's certificates.
    """

    index_id: str
    root: str
    public: bool
    in_house: bool = False
    timeout: float = 10.0
    page_limit: int = 150_000_000
    credentials: tuple[str, str] | None = None
    ca_file: str | None = None
    client_certificate: str | None = None
    proxy: str | None = None
