"""Importing what `serve` needs, without what importing it would waste.

Imports make next to no garbage, yet again and again it is looked for in all that was imported so
far: a fifth of the time, and once more when all is there. And aiohttp makes two TLS contexts as it
is imported, with all authorities that this machine trusts. The gate never uses them, it has
contexts of its own. Nor has it a use for the system's list of file types, which aiohttp reads.
"""

import gc
import mimetypes
from collections.abc import Iterator
from contextlib import contextmanager
from ssl import SSLContext


@contextmanager
def lean() -> Iterator[None]:
    """Import within; what was imported is not looked through for garbage from then on.

    TLS contexts made within trust only who they are told to, and the types of files made within are
    those that Python knows; no other thread may want more.
    """
    collecting, listed = gc.isenabled(), mimetypes.inited
    gc.disable()
    mimetypes.inited = True  # so that nobody begins to
    SSLContext.set_default_verify_paths = _as_if_there_were_none  # type: ignore[assignment]
    try:
        yield
    finally:
        del SSLContext.set_default_verify_paths  # what it inherits is seen again
        mimetypes.inited = listed
        if collecting:
            gc.freeze()
            gc.enable()


def _as_if_there_were_none(_: SSLContext) -> None:
    """Load no authorities."""
