"""A page as it is judged, together with the very listing that was judged.

Whoever says something of versions by the verdicts of a page needs both to be of one moment: a
version that came in between has no verdict, and no verdict must not read like none against it.
"""

from packaging.utils import NormalizedName

from indexgate.finished_page import FinishedPage, Variant
from indexgate.index.listing import Listing
from indexgate.index.protocol import UpstreamFailed
from indexgate.indexes import Indexes
from indexgate.simple.accept import Coding, Form
from indexgate_policy.subject import Client

_VARIANT = Variant(form=Form.JSON, coding=Coding.IDENTITY)
_TRIES = 3


async def judged_page(
    indexes: Indexes,
    name: NormalizedName,
    client: Client,
    *,
    run: str | None,
    max_age: float | None = None,
    final: bool = False,
) -> tuple[FinishedPage, Listing]:
    """Return the page of *name* as *run* gets it, and its listing.

    What is *final*, see `Gate.page`. Raises NoSuchProject, UpstreamFailed.
    """
    for _ in range(_TRIES):  # another request may take in a newer page in between
        page = await indexes.page(name, _VARIANT, client, max_age=max_age, run=run, final=final)
        listed = await indexes.listing(name)
        if (listed.project.index_id, listed.snapshot.digest) == (
            page.index_id,
            page.snapshot.digest,
        ):
            return page, listed
    raise UpstreamFailed("garbage", "changes the page faster than it can be judged")
