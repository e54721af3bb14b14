"""Every signal that has a meaning to the score, a check or a condition: its name, type and unit.

A source gives signals of this table only, so that two sources mean the same by one name, and a
reader of a policy finds what `signal.<name>` holds. Days are ISO dates (`2026-11-22`): how long ago
something was is worked out when it is judged, never stored.
"""

from typing import Literal, TypeAlias

from msgspec import Struct

Type: TypeAlias = Literal["number", "text", "texts", "truth", "day"]


class SignalKind(Struct, frozen=True, kw_only=True):
    """What a signal of this name holds: its type, its unit (empty: none), and what it says."""

    name: str
    type: Type
    unit: str = ""
    says: str


def _number(name: str, unit: str, says: str) -> SignalKind:
    return SignalKind(name=name, type="number", unit=unit, says=says)


def _of(type_: Type, name: str, says: str) -> SignalKind:
    return SignalKind(name=name, type=type_, says=says)


_FROM_THE_INDEX = (
    _of("texts", "owners", "Accounts that can release, as the index shows them"),
    _of("text", "organization", "The organisation that owns the project on the index"),
    _of("texts", "links", "Addresses the project gives for itself"),
    _of("text", "repository", "The source repository the project claims"),
    _of("text", "summary", "The project's own line about itself"),
    _of("text", "latest_version", "The newest version by the index's word"),
    _of("texts", "vulnerabilities_latest", "Advisories the index names for the newest version"),
    _number("release_count", "releases", "How many releases the index counts"),
    _of("day", "first_release_at", "When the first release was uploaded"),
    _of("texts", "requires", "Projects the newest version needs, without versions"),
    _of("texts", "pythons", "Python versions the newest version says it supports"),
    _of("texts", "yanked_versions", "Versions that were yanked when the page was last looked at"),
    _of("text", "index_status", "The status (PEP 792) when the page was last looked at"),
)

_OWNERS_OVER_TIME = (
    _of("day", "owners_watched_since", "Since when the owners have been looked at"),
    _of("day", "owners_changed_on", "When the set of owners was last seen to change"),
    _of("texts", "owners_added", "Accounts that the last change of owners added"),
    _of("texts", "owners_removed", "Accounts that the last change of owners removed"),
    _number("owner_projects", "projects", "Other projects of the owner who has the most"),
    _of("day", "owner_since", "First release of the oldest project of these owners"),
    _number("newest_owner_age", "days", "Age of the youngest account among the owners"),
)

_DOWNLOADS = (
    _number("downloads", "downloads in 30 days", "All that the log counts, whoever fetched"),
    _number("consumer_downloads", "downloads in 30 days", "CI, pipelines and people"),
    _number("human_installs", "installs in 30 days", "What looks like people at a keyboard"),
    _number("human_installs_low", "installs in 30 days", "Lower end of that"),
    _number("human_installs_high", "installs in 30 days", "Upper end of that"),
    _number("people_low", "people in 30 days", "Lower end of the people behind the installs"),
    _number("people", "people in 30 days", "The people behind the installs, at best guess"),
    _number("people_high", "people in 30 days", "Upper end of that, without caches"),
    _number("certain_share", "share 0..1", "Downloads whose class is all but certain"),
    _number("cache_share", "share 0..1", "Downloads by caches among caches and installers"),
    _number("human_persistence", "share 0..1", "Of 26 weeks, with a quarter of the median or more"),
    _number(
        "recent_version_share", "share 0..1", "Consumer downloads of versions under a year old"
    ),
    _number("old_version_share", "share 0..1", "Consumer downloads of versions 2 years or older"),
    _number("first_week_downloads", "downloads", "Of the 7 days from the first release"),
    _number("first_week_human_installs", "installs", "Of the 7 days from the first release"),
    _number("downloads_by_dependents", "downloads in 28 days", "Brought by new dependents"),
    _of("day", "downloads_until", "The newest day of the log that these are made from"),
)

_COMMUNITY = (
    _number("stars", "stars", "Of the source repository"),
    _number("star_burst_share", "share 0..1", "Stars that came in bursts nobody can explain"),
    _number("forks", "forks", "Of the source repository"),
    _number("contributors", "people", "Who ever committed"),
    _number("organizations", "organisations", "Behind the contributors of the last year"),
    _number("bus_factor", "people", "Who made half of a year's commits"),
    _number("people_in_issues", "people in a year", "Who opened issues, discussions, requests"),
    _number("median_answer_days", "days", "Until an issue gets its first answer"),
    _number("commits_a_week", "commits a week", "Mean of the last year"),
    _number("issues_updated", "issues in 90 days", "That something happened to"),
    _number("issues_closed", "issues in 90 days", "That were closed"),
    _number("comments_per_issue", "comments", "Mean of the last 90 days"),
    _number("mentions", "mentions", "Questions and posts elsewhere"),
)

_REPOSITORY = (
    _of("truth", "repository_proven", "An attestation ties a release to the repository"),
    _of("truth", "repository_archived", "The repository takes no more changes"),
    _of("text", "repository_moved_to", "The name the repository answers to now"),
    _of("text", "repository_names", "The project that the repository itself says it is"),
    _of("day", "last_commit_on", "Newest commit on the main branch"),
    _of("texts", "tags", "The newest tags and releases of the repository"),
    _of("truth", "security_policy", "The repository says how to report a weakness"),
    _of("text", "repository_before", "The repository the project claimed before this one"),
    _of("day", "repository_changed_on", "When the claimed repository was seen to change"),
)

_DEPENDENTS = (
    _number("dependents", "projects", "That need this one directly"),
    _number("dependent_owners", "owners", "Different owners of those projects"),
    _number("dependents_transitive", "projects", "That reach this one"),
    _number("dependent_repositories", "repositories", "That need this one"),
    _number("present_elsewhere", "registries", "Others that carry it: distributions, channels"),
)

_SECURITY = (
    _number("scorecard", "0..10", "OpenSSF Scorecard's aggregate"),
    _of("texts", "scorecard_checks", "Each check with its score, `Maintained=10`"),
    _of("texts", "scorecard_untold", "Checks of which Scorecard could not tell a score"),
    _of("day", "scorecard_on", "When Scorecard looked"),
    _of("texts", "attested_versions", "The newest versions that carry an attestation"),
    _of("text", "attested_repository", "The repository the newest attestation names"),
    _of("text", "attested_repository_before", "The repository the one before it named"),
    _of("texts", "third_party_findings", "What deps.dev says of it: malicious, low usage ..."),
    _of("texts", "similar_names", "Names that deps.dev finds similar"),
    _of("texts", "third_party_advisories", "Advisories deps.dev names for the default version"),
    _of("text", "third_party_status", "The project's status on the index, as deps.dev tells it"),
)

_OTHER_RANKS = (
    _number("sourcerank", "points", "libraries.io SourceRank"),
    _number(
        "downloads_rank_share", "percent", "ecosyste.ms: share of projects with more downloads"
    ),
)

_OWN_TRAFFIC = (
    _number("asked_here_by_people", "requests in 30 days", "Of this gate's own clients"),
    _number("asked_here_by_ci", "requests in 30 days", "Of this gate's own clients"),
    _number(
        "asked_before_it_existed",
        "requests, at most one an hour",
        "By this gate's clients, when there was none",
    ),
)

_BY_HAND = (_of("texts", "evidence", "What an operator entered by hand: who, when, what"),)

SIGNALS: tuple[SignalKind, ...] = (
    *_FROM_THE_INDEX,
    *_OWNERS_OVER_TIME,
    *_DOWNLOADS,
    *_COMMUNITY,
    *_REPOSITORY,
    *_DEPENDENTS,
    *_SECURITY,
    *_OTHER_RANKS,
    *_OWN_TRAFFIC,
    *_BY_HAND,
)
"""All of them, in reading order."""

BY_NAME = {kind.name: kind for kind in SIGNALS}
