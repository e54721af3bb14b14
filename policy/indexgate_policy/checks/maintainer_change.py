"""The accounts that can release have changed."""

from collections.abc import Sequence
from datetime import date, timedelta

from msgspec import Struct

from indexgate_policy.assessment import Case
from indexgate_policy.checks import readings
from indexgate_policy.checks.definition import Definition
from indexgate_policy.checks.newcomers import named
from indexgate_policy.checks.repositories import are_same
from indexgate_policy.dated import Dated
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.health.wording import count
from indexgate_policy.signals import Unknown

DEFINITION = Definition(
    id="maintainer-change",
    short="The accounts that can release have changed",
    motivation=(
        "Projects are handed over, sold and stolen; the first releases of a new owner are those to "
        "look at, since nothing else about the project has changed"
    ),
    computes=(
        "Whether the set of owners was seen to change in the last 45 days, whether none of the "
        "owners before is left, how old the youngest account was, and whether a release followed "
        "within 14 days"
    ),
    source="Science fl-1; no index tells former owners: they are compared with those seen before",
    minimum_data="Owners that have been watched; a change before that is not known",
    severity=(
        "Low; medium when all were replaced, high when a release followed, critical when a release "
        "followed and all were replaced or the newest account was under 90 days old, unless the "
        "releases since are attested by the repository that was linked before, or an organisation "
        "owns it. It concerns the versions released since, if any"
    ),
    known_false_alarms="Succession, automatic accounts, a move to an organisation",
    remediation="Look for a word of the owners before, and stay with a version from before",
)

NEWS = timedelta(days=45)
FOLLOWS = timedelta(days=14)
YOUNG_ACCOUNT = 90  # days


class _Change(Struct, frozen=True, kw_only=True):
    on: date
    added: tuple[str, ...]
    removed: tuple[str, ...]
    replaced: bool
    account_age: float | Unknown  # days, at the change


def check(case: Case) -> Flag | Unknown | None:
    """Flag a project whose owners changed a short while ago."""
    watched = readings.day(case, "owners_watched_since")
    if isinstance(watched, Unknown):
        return watched
    on = readings.day(case, "owners_changed_on")
    if isinstance(on, Unknown) or case.now >= readings.start(on) + NEWS:
        return None
    change = _change(case, on)
    since = _released_since(case, on)
    followed = since[0] if since and since[0].at < readings.start(on) + FOLLOWS else None
    vouched = _vouched(case, on, since) if followed is not None else ""
    return Flag(
        check=DEFINITION.id,
        severity=_severity(change, followed, vouched=bool(vouched)),
        evidence=_evidence(change, followed) + vouched,
        facts={
            "changed_on": on.isoformat(),
            "added": change.added,
            "removed": change.removed,
            "all_replaced": change.replaced,
        },
        versions=tuple(one.release.version for one in since),
        began=readings.start(on),
        ends=readings.start(on) + NEWS,
    )


def _change(case: Case, on: date) -> _Change:
    added = _or_nobody(readings.texts(case, "owners_added"))
    removed = _or_nobody(readings.texts(case, "owners_removed"))
    owners = _or_nobody(readings.texts(case, "owners"))
    return _Change(
        on=on,
        added=added,
        removed=removed,
        replaced=bool(removed and owners) and set(owners) <= set(added),
        account_age=_account_age(case, on) if added else Unknown(reason="nobody was added"),
    )


def _or_nobody(accounts: tuple[str, ...] | Unknown) -> tuple[str, ...]:
    return () if isinstance(accounts, Unknown) else accounts


def _account_age(case: Case, on: date) -> float | Unknown:
    """Return how old the youngest account was on the day *on*: a fact that stays the same."""
    age = readings.number(case, "newest_owner_age")
    if isinstance(age, Unknown):
        return age
    return age - (case.signals["newest_owner_age"].observed_at.date() - on).days


def _released_since(case: Case, on: date) -> tuple[Dated, ...]:
    dated = case.dated
    if isinstance(dated, Unknown):
        return ()
    return tuple(one for one in dated if one.at >= readings.start(on))


def _is_young(change: _Change) -> bool:
    return not isinstance(change.account_age, Unknown) and change.account_age < YOUNG_ACCOUNT


def _vouched(case: Case, on: date, since: Sequence[Dated]) -> str:
    """Return a clause that says who stands for the new owners, empty when nobody does.

    An index looks at organisations before it admits them. And where the repository that was linked
    before built all releases *since*, the new owners were given that too: the project is handed
    over, not taken with a password.
    """
    organization = readings.text(case, "organization")
    if isinstance(organization, str) and organization:
        return f", and the organisation `{organization}` owns it"
    if _is_built_as_before(case, on, since):
        return ", built by the repository that was linked before"
    return ""


def _is_built_as_before(case: Case, on: date, since: Sequence[Dated]) -> bool:
    link = readings.text(case, "repository")
    builder = readings.text(case, "attested_repository")
    changed = readings.day(case, "repository_changed_on")
    if not isinstance(link, str) or not isinstance(builder, str) or not link:
        return False
    if not isinstance(changed, Unknown) and changed > on - NEWS:
        return False
    files = (file for one in since for file in one.release.files)
    return are_same(link, builder) and all(file.provenance is True for file in files)


def _severity(change: _Change, followed: Dated | None, *, vouched: bool) -> Severity:
    if followed is not None:
        grave = change.replaced or _is_young(change)
        return Severity.CRITICAL if grave and not vouched else Severity.HIGH
    return Severity.MEDIUM if change.replaced else Severity.LOW


def _evidence(change: _Change, followed: Dated | None) -> str:
    told = [f"its owners changed on {change.on}"]
    if change.added:
        told.append(f"{named(change.added)} came")
    if change.removed:
        told.append(f"{named(change.removed)} went")
    if change.replaced:
        told.append("nobody from before is left")
    if _is_young(change) and not isinstance(change.account_age, Unknown):
        days = count(max(0, round(change.account_age)), "day")
        told.append(f"the newest account was {days} old")
    if followed is not None:
        told.append(f"{followed.release.version} followed on {followed.at.date()}")
    return ", ".join(told)
