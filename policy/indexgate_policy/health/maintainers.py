"""Maintainers: enough people, and the same ones as before."""

from indexgate_policy.health.definition import Dimension, Input, Reading
from indexgate_policy.health.facts import Facts
from indexgate_policy.health.shapes import interpolate
from indexgate_policy.health.wording import count, day, number
from indexgate_policy.signals import Unknown

HALF_OF_THE_WORK = ((0, 0), (1, 0.30), (2, 0.60), (3, 0.75), (6, 1))
ACCOUNTS = ((0, 0), (1, 0.40), (2, 0.75), (4, 1))
SINCE_A_CHANGE = ((0, 0.2), (90, 0.8), (365, 1))
BEHIND_AN_ORGANISATION = 2.0  # people, at least
WATCHED = 90.0  # days after which "no change was seen" says something


def _bus_factor(facts: Facts) -> Reading:
    people = facts.number("bus_factor")
    if isinstance(people, Unknown):
        return Reading(None, people.reason)
    verb = "has" if people == 1 else "have"
    said = f"{count(people, 'person', 'people')} {verb} made half of a year's commits"
    seen = facts.number("people_in_issues")
    if not isinstance(seen, Unknown) and people > 1 + seen:
        said += f", but {number(seen)} showed up in issues and pull requests"
        people = 1 + seen
    return Reading(interpolate(people, HALF_OF_THE_WORK), said)


def _owners(facts: Facts) -> Reading:
    accounts, organization = facts.texts("owners"), facts.text("organization")
    if isinstance(organization, str) and organization:
        listed = 0 if isinstance(accounts, Unknown) else len(accounts)
        value = interpolate(max(listed, BEHIND_AN_ORGANISATION), ACCOUNTS)
        return Reading(value, f"the organisation `{organization}` owns it")
    if isinstance(accounts, Unknown):
        return Reading(None, accounts.reason)
    return Reading(
        interpolate(len(accounts), ACCOUNTS), f"{count(len(accounts), 'account')} can release"
    )


def _owner_stability(facts: Facts) -> Reading:
    changed, watched = facts.moment("owners_changed_on"), facts.moment("owners_watched_since")
    if not isinstance(changed, Unknown):
        value = interpolate(facts.days_since(changed), SINCE_A_CHANGE)
        return Reading(value, f"its owners changed on {day(changed)}")
    if isinstance(watched, Unknown):
        return Reading(None, watched.reason)
    days = facts.days_since(watched)
    if days < WATCHED:
        return Reading(None, f"its owners have been watched for {number(int(days))} days only")
    return Reading(
        interpolate(days, SINCE_A_CHANGE),
        f"its owners have not changed since {day(watched)}, when they were first looked at",
    )


MAINTAINERS = Dimension(
    name="maintainers",
    weight=0.13,
    why="One person can fall ill, give up or lose an account; and a new owner is a new author",
    inputs=(
        Input(
            name="bus_factor",
            weight=0.45,
            says="How few people do half of the work",
            computes=(
                "0, .3, .6, .75, 1 at 0, 1, 2, 3, 6 people who made half of a year's commits, one "
                "more at most than opened an issue or pull request in a year, where that is known"
            ),
            source=(
                "Science hs-1; OpenSSF Criticality Score (contributors). A commit names whom its "
                "writer wants it to: six invented authors must not make six people"
            ),
            signals=("bus_factor", "people_in_issues"),
            of_repository=True,
            read=_bus_factor,
        ),
        Input(
            name="owners",
            weight=0.25,
            says="Accounts that can release",
            computes="0, .4, .75, 1 at 0, 1, 2, 4 accounts; an organisation counts as 2 at least",
            source="Science hs-1",
            signals=("owners", "organization"),
            read=_owners,
        ),
        Input(
            name="owner_stability",
            weight=0.30,
            says="How long the same accounts have owned it",
            computes=(
                ".2, .8, 1 at 0, 90, 365 days since the owners changed, or since they were first "
                "looked at; unknown when no change was seen in less than 90 days of looking"
            ),
            source="Science hs-1; take-overs release soon after the owners change",
            signals=("owners_changed_on", "owners_watched_since"),
            read=_owner_stability,
        ),
    ),
)
