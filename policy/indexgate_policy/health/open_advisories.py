"""The advisories that are open in one version, each trouble counted once."""

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from indexgate_policy.advisories import Advisories, Advisory
from indexgate_policy.flags import Severity
from indexgate_policy.signals import Unknown


class OpenAdvisories(Struct, frozen=True, kw_only=True):
    """What is open in `version`: ids of malware reports, numbers of vulnerabilities.

    `high` counts those of high and critical severity, `other` all else, those of unknown severity
    too. `high_since` is when the oldest high one was published, as far as known; `feed` is when
    the feed was last good.
    """

    version: str
    malware: tuple[str, ...] = ()
    high: int = 0
    other: int = 0
    high_since: datetime | None = None
    feed: datetime | Unknown


def open_advisories(
    version: str | None, advisories: Advisories | Unknown
) -> OpenAdvisories | Unknown:
    """Return what is open in *version* (None: there is none).

    That an advisory names the version is known however old the feed is. That none does is unknown
    without a feed, and for a project of an index that is not public.
    """
    if isinstance(advisories, Unknown):
        return advisories
    if not advisories.applicable:
        return Unknown(reason="public advisories do not speak of an index of one's own")
    if version is None:
        return Unknown(reason="it has no release that is not yanked")
    named = [one for one in advisories.records if one.affects(version) is True]
    if not named and isinstance(advisories.feed, Unknown):
        return advisories.feed
    troubles = _once([one for one in named if one.kind == "vulnerability"])
    high = [trouble for trouble in troubles if any(map(_is_high, trouble))]
    return OpenAdvisories(
        version=version,
        malware=tuple(one.id for one in named if one.kind == "malware"),
        high=len(high),
        other=len(troubles) - len(high),
        high_since=min(_published(high), default=None),
        feed=advisories.feed,
    )


def _once(advisories: list[Advisory]) -> list[list[Advisory]]:
    """Group *advisories* that name the same trouble: one id is an alias of the other's."""
    groups: list[tuple[set[str], list[Advisory]]] = []
    for advisory in advisories:
        names, members = {advisory.id, *advisory.aliases}, [advisory]
        apart = []
        for group in groups:
            if names.isdisjoint(group[0]):
                apart.append(group)
            else:
                names |= group[0]
                members = group[1] + members
        groups = [*apart, (names, members)]
    return [members for _, members in groups]


def _is_high(advisory: Advisory) -> bool:
    return not isinstance(advisory.severity, Unknown) and advisory.severity >= Severity.HIGH


def _published(troubles: list[list[Advisory]]) -> Iterator[datetime]:
    for trouble in troubles:
        yield from (one.published for one in trouble if one.published is not None)
