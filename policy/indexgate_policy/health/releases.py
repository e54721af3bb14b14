"""What the releases of a project say: which is the newest, and which of them changed anything."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from operator import itemgetter

from msgspec import Struct

from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Release
from indexgate_policy.version_order import Order, is_final

TWO_YEARS = timedelta(days=730)
FIVE_YEARS = timedelta(days=1825)
GRACE = timedelta(hours=6)  # some tag after they have published
SAME_BYTES = 64  # the version number alone moves a compressed archive by a few bytes
SAME_SHARE = 0.002

_moment = itemgetter(0)
_VERSION_AT_THE_END = re.compile(r"\d[0-9a-z.+]*$")
_ZEROS_AT_THE_END = re.compile(r"(?:\.0)+$")


class Tags(Struct, frozen=True, kw_only=True):
    """The newest tags of a repository, and when they were looked at."""

    names: tuple[str, ...]
    seen: datetime


class Rhythm(Struct, frozen=True, kw_only=True):
    """When a project released.

    `last` is the newest upload, `last_change` the newest of a release that changed anything;
    `changes` and `empty` count the releases of two years that did and did not, `months` the
    different months of those that did. `woke` is the newest release that came after five years
    without any, `slept_since` the one before it.
    """

    last: datetime
    last_change: datetime
    changes: int
    months: int
    empty: int
    slept_since: datetime | None = None
    woke: datetime | None = None


def newest(releases: Iterable[Release], orders: Mapping[str, Order | None]) -> Release | None:
    """Return the highest version of *releases* by their *orders*, a final one if there is any.

    What PEP 440 cannot read is only taken where there is nothing else: the last one listed.
    """
    final, other, unread = None, None, None
    for release in releases:
        place = orders[release.version]
        if place is None:
            unread = release
        elif is_final(place):
            final = _higher(final, release, place)
        else:
            other = _higher(other, release, place)
    best = final or other
    return best[0] if best is not None else unread


def rhythm(releases: Iterable[Release], tags: Tags | Unknown, now: datetime) -> Rhythm | Unknown:
    """Return the rhythm of *releases* up to *now*; unknown when none has an upload time.

    A release is empty, and refreshes nothing, when the repository's *tags* were looked at since and
    have none for it, and its files are as large as those of the release before.
    """
    dated = _dated(releases)
    if not dated:
        return Unknown(reason="the page tells no upload time of a release that is not yanked")
    recent = len(dated) - bisect_left(dated, now - TWO_YEARS, key=_moment)
    window = dated[-(recent + 1) :]
    empty = _empty(window, tags)
    changed = [at for at, release in dated if release.version not in empty]
    lately = changed[len(changed) - (recent - len(empty)) :]
    gaps = [(one, two) for (one, _), (two, _) in pairwise(dated) if two - one > FIVE_YEARS]
    slept_since, woke = gaps[-1] if gaps else (None, None)
    return Rhythm(
        last=dated[-1][0],
        last_change=changed[-1],
        changes=len(lately),
        months=len({(at.year, at.month) for at in lately}),
        empty=len(empty),
        slept_since=slept_since,
        woke=woke,
    )


def _dated(releases: Iterable[Release]) -> list[tuple[datetime, Release]]:
    dated = [
        (release.released, release)
        for release in releases
        if not isinstance(release.released, Unknown)
    ]
    return sorted(dated, key=_moment)


def _empty(window: list[tuple[datetime, Release]], tags: Tags | Unknown) -> set[str]:
    if isinstance(tags, Unknown):
        return set()
    sized = [(release.version, _sizes(release)) for _, release in window]
    same = {version for (_, before), (version, after) in pairwise(sized) if _same(before, after)}
    if not same:
        return same
    tagged = {_tail(tag) for tag in tags.names}
    # Only the newest tags are listed: of what is older than the oldest match nothing is known.
    reach = next((at for at, release in window if _tail(release.version) in tagged), window[0][0])
    return {
        release.version
        for at, release in window
        if release.version in same
        and reach < at <= tags.seen - GRACE
        and _tail(release.version) not in tagged
    }


def _tail(text: str) -> str:
    """Return the version at the end of a tag (`v1.2.0`, `REL_1_2`, `demo-1.2`: all `1.2`)."""
    found = _VERSION_AT_THE_END.search(text.lower().replace("_", "."))
    return _ZEROS_AT_THE_END.sub("", found.group()) if found else text


def _same(before: dict[str, int] | None, after: dict[str, int] | None) -> bool:
    if before is None or after is None or before.keys() != after.keys():
        return False
    return all(
        abs(size - after[kind]) <= max(SAME_BYTES, SAME_SHARE * size)
        for kind, size in before.items()
    )


def _sizes(release: Release) -> dict[str, int] | None:
    """Return the bytes of all files by kind; None when one has no size."""
    sizes: dict[str, int] = {}
    for file in release.files:
        if isinstance(file.size, Unknown):
            return None
        sizes[file.kind] = sizes.get(file.kind, 0) + file.size
    return sizes


def _higher(
    best: tuple[Release, Order] | None, release: Release, place: Order
) -> tuple[Release, Order]:
    return (release, place) if best is None or place > best[1] else best
