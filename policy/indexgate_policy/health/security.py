"""Security: known weaknesses, practice that prevents them, and where files come from."""

from datetime import timedelta

from indexgate_policy.health import scorecard_view
from indexgate_policy.health.definition import NEUTRAL, Dimension, Input, Reading
from indexgate_policy.health.facts import Facts
from indexgate_policy.health.open_advisories import OpenAdvisories
from indexgate_policy.health.wording import count, number, percent
from indexgate_policy.signals import Unknown

CLAIMED = 0.5  # a link that nothing has answered at
FRESH = timedelta(days=90)
ARTICLES = {"wheel": "a wheel", "sdist": "an sdist"}


def advisories_value(opened: OpenAdvisories) -> float:
    """Return 1 - .6 for each high one (at most 2) - .12 for each other (at most 4), at least 0."""
    return max(0.0, 1 - 0.6 * min(opened.high, 2) - 0.12 * min(opened.other, 4))


def advisories_evidence(opened: OpenAdvisories) -> str:
    """Return in one clause what is open in the newest version."""
    if opened.malware:
        return f"{opened.version} is reported as malware ({opened.malware[0]})"
    if not opened.high and not opened.other:
        return f"no advisory is open in {opened.version}"
    high = f"{number(opened.high)} high or critical"
    verb = "is" if opened.high + opened.other == 1 else "are"
    return (
        f"{high} and {count(opened.other, 'other advisory', 'other advisories')} {verb} open in "
        f"{opened.version}"
    )


def _scorecard(facts: Facts) -> Reading:
    looked = facts.moment("scorecard_on")
    seen = None if isinstance(looked, Unknown) else looked
    checks = facts.texts("scorecard_checks")
    apart = scorecard_view.mean(
        () if isinstance(checks, Unknown) else scorecard_view.read(checks),
        without=scorecard_view.COUNTED_ELSEWHERE,
    )
    if isinstance(apart, float):
        said = f"Scorecard {apart:.1f} of 10, without Maintained and Vulnerabilities"
        return Reading(_of_ten(apart), said, seen)
    whole = facts.number("scorecard")
    if isinstance(whole, Unknown):
        return Reading(None, whole.reason)
    return Reading(_of_ten(whole), f"Scorecard {number(whole)} of 10", seen)


def _of_ten(points: float) -> float:
    return max(0.0, min(1.0, (points - 1.5) / 6.5))


def _advisories(facts: Facts) -> Reading:
    opened = facts.advisories
    if isinstance(opened, Unknown):
        return Reading(None, opened.reason)
    value = advisories_value(opened)
    if value > NEUTRAL:
        days = 0.0 if isinstance(facts.age, Unknown) else facts.age
        value = NEUTRAL + (value - NEUTRAL) * min(1.0, days / 365)
    seen = None if isinstance(opened.feed, Unknown) else opened.feed
    return Reading(value, advisories_evidence(opened), seen)


def _attestations(facts: Facts) -> Reading:
    if facts.newest is None:
        return Reading(None, "it has no release that is not yanked")
    told = [file.provenance for file in facts.newest.files]
    for one in told:
        if isinstance(one, Unknown):
            return Reading(None, one.reason)
    share = sum(one is True for one in told) / len(told)
    said = f"{percent(share)} of the files of {facts.newest.version} are attested"
    return Reading(share, said)


def _repository_link(facts: Facts) -> Reading:
    link = facts.text("repository")
    if isinstance(link, Unknown):
        return Reading(None, link.reason)
    if not link:
        return Reading(0.0, "the project names no repository")
    if isinstance(facts.number("stars"), Unknown):
        return Reading(CLAIMED, f"the project names `{link}`, which has not been looked at")
    return Reading(1.0, f"`{link}` is there")


def _security_policy(facts: Facts) -> Reading:
    there = facts.truth("security_policy")
    if isinstance(there, Unknown):
        return Reading(None, there.reason)
    told = "says" if there else "does not say"
    return Reading(float(there), f"the repository {told} how to report a weakness")


def _both_kinds(facts: Facts) -> Reading:
    if facts.newest is None:
        return Reading(None, "it has no release that is not yanked")
    kinds = {file.kind for file in facts.newest.files}
    present = [kind for kind in ARTICLES if kind in kinds]
    said = " and ".join(ARTICLES[kind] for kind in present) or "neither wheel nor sdist"
    return Reading(len(present) / 2, f"{facts.newest.version} has {said}")


def _yanks(facts: Facts) -> Reading:
    begin, dated = facts.now - FRESH, False
    for release in reversed(facts.case.releases):
        if isinstance(release.released, Unknown):
            continue
        dated = True
        if release.released > begin and release.yanked and release.files:
            return Reading(0.0, f"{release.version}, of the last 90 days, was yanked")
    if not dated:
        return Reading(None, "the page tells no upload times")
    return Reading(1.0, "no release of the last 90 days was yanked")


SECURITY = Dimension(
    name="security",
    weight=0.22,
    why="The question is whether an install will do harm, so this counts most",
    inputs=(
        Input(
            name="scorecard",
            weight=0.30,
            says="Practice in the repository, as OpenSSF Scorecard sees it",
            computes=(
                "(Scorecard - 1.5) / 6.5, from 0 to 1. Where single checks are known, the mean "
                "without Maintained and Vulnerabilities, which are counted by other inputs"
            ),
            source="OpenSSF Scorecard; science hs-1",
            signals=("scorecard", "scorecard_checks"),
            of_repository=True,
            read=_scorecard,
        ),
        Input(
            name="advisories",
            weight=0.35,
            says="Advisories that are open in the newest version",
            computes=(
                "1, less .6 for each high or critical one (at most 2) and .12 for each other (at "
                "most 4). What is above .40 counts by age / 365 days: at a new project nobody has "
                "looked yet. One trouble with several ids counts once"
            ),
            source="OSV; science hs-1",
            read=_advisories,
        ),
        Input(
            name="attestations",
            weight=0.20,
            says="Files of the newest release with an attestation",
            computes="Their share of all files of that release",
            source="PEP 740; science hs-1",
            read=_attestations,
        ),
        Input(
            name="repository_link",
            weight=0.04,
            says="A repository that can be read",
            computes="1 when it answered, .5 when it is only named, 0 when none is named",
            source="Science hs-1 (hygiene)",
            signals=("repository",),
            read=_repository_link,
        ),
        Input(
            name="security_policy",
            weight=0.04,
            says="A way to report a weakness",
            computes="1 when the repository has a security policy, else 0",
            source="Science hs-1 (hygiene); OpenSSF Scorecard (Security-Policy)",
            signals=("security_policy",),
            of_repository=True,
            read=_security_policy,
        ),
        Input(
            name="both_kinds",
            weight=0.04,
            says="A wheel to install and an sdist to read",
            computes="Half for each that the newest release has",
            source="Science hs-1 (hygiene)",
            read=_both_kinds,
        ),
        Input(
            name="yanks",
            weight=0.03,
            says="That nothing released lately was withdrawn",
            computes="0 when a release of the last 90 days is yanked, else 1",
            source="PEP 592; science hs-1 (hygiene)",
            read=_yanks,
        ),
    ),
)
