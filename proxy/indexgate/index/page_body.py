"""A page as it travels: bounded in size, also after decompression."""

import zlib

import aiohttp

from indexgate.index.protocol import UpstreamFailed
from indexgate.index.trouble import failure


async def read_page_body(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Read a whole body, decompressed, of at most *limit* bytes."""
    coding = response.headers.get("Content-Encoding", "identity").lower()
    if coding not in {"identity", "gzip", "x-gzip"}:
        raise UpstreamFailed("garbage", f"answered in the coding {coding!a}, not asked for")
    inflate = zlib.decompressobj(wbits=31) if coding != "identity" else None
    parts: list[bytes] = []
    size = 0
    try:
        async for chunk in response.content.iter_any():
            data = inflate.decompress(chunk, limit + 1 - size) if inflate else chunk
            size += len(data)
            if size > limit:
                raise UpstreamFailed("too-large", f"sent a page of more than {limit:,} bytes")
            parts.append(data)
    except zlib.error as error:
        raise UpstreamFailed("garbage", "sent a page whose compression is broken") from error
    except (aiohttp.ClientError, OSError) as error:
        raise failure(error, "the page") from error
    if inflate is not None and not inflate.eof:
        raise UpstreamFailed("cut-off", "broke off in the middle of the page")
    return b"".join(parts)
