"""Every service that can be asked for facts: when it is asked by itself, and what it learns then.

Nothing is imported here: settings are read against these names. The classes that ask are put
together in `web/sources.py`.
"""

from typing import Literal, TypeAlias

from msgspec import Struct

By: TypeAlias = Literal["index", "laptop", "key", "name", "bulk"]


class Offer(Struct, frozen=True, kw_only=True):
    """A service.

    `by` says what turns it on: `index` (the upstream itself), `laptop` (by itself on loopback),
    `key` (as soon as the setting `needs` has a value), `name` (only when `sources` names it),
    `bulk` (it is asked for whole files, which name no project). `needs` is the setting without
    which it cannot be asked, unless it is `keyless`: then it can, if `sources` names it. `gives`,
    `learns` and `costs` are shown to people; `daily` marks a source of whole days of the download
    log.
    """

    name: str
    by: By
    gives: str
    learns: str
    costs: str = "nothing"
    needs: str | None = None
    keyless: bool = False
    daily: bool = False


_NAMES = "names of projects, one request each"

OFFERS: tuple[Offer, ...] = (
    Offer(
        name="project-json",
        by="index",
        gives="owners, organisation, links, latest version",
        learns="nothing: it is the upstream",
    ),
    Offer(
        name="release-feed",
        by="index",
        gives="which projects have a new release, for the background of a gate that serves",
        learns="nothing: it is the upstream, and no project is named",
    ),
    Offer(
        name="osv",
        by="bulk",
        gives="malware and advisories",
        learns="nothing: the file names all projects",
        needs="osv_url",
    ),
    Offer(
        name="deps-dev",
        by="laptop",
        gives="dependents, attestations, proven repository, similar names",
        learns=_NAMES,
    ),
    Offer(
        name="scorecard",
        by="laptop",
        gives="OpenSSF Scorecard by check",
        learns="addresses of source repositories",
    ),
    Offer(
        name="pypistats",
        by="laptop",
        gives="downloads of 180 days, with bounds on people",
        learns=_NAMES,
    ),
    Offer(
        name="github",
        by="key",
        gives="stars, contributors, commits, issues, tags",
        learns="addresses of source repositories",
        needs="github_token",
        keyless=True,
    ),
    Offer(
        name="pepy",
        by="key",
        gives="downloads, total and by version",
        learns=_NAMES,
        needs="pepy_key",
    ),
    Offer(
        name="libraries-io",
        by="key",
        gives="SourceRank, dependents",
        learns=_NAMES,
        needs="libraries_io_key",
    ),
    Offer(
        name="ecosystems",
        by="name",
        gives="dependent repositories, ranks",
        learns=_NAMES,
    ),
    Offer(
        name="bigquery",
        by="key",
        gives="the download log by day, cleaned",
        learns="which day is read; below some 500 projects their names",
        costs="bytes billed to your project, within `bigquery_budget`",
        needs="bigquery_project",
        daily=True,
    ),
    Offer(
        name="clickhouse",
        by="name",
        gives="downloads by day, installer and country",
        learns="which day is read; below some 500 projects their names",
        daily=True,
    ),
)
"""All of them, in reading order."""

BY_NAME = {offer.name: offer for offer in OFFERS}
CHOSEN = tuple(offer.name for offer in OFFERS if offer.by not in {"index", "bulk"})
"""Those that the setting `sources` may name: the others follow the upstream and `osv_url`."""
