"""From what sources said of a project, and what is remembered of it, to its assessment."""

from collections.abc import Iterable, Iterator, Mapping, Set
from datetime import datetime
from typing import Protocol

from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate.index.listing import Listing
from indexgate.past import Recalled
from indexgate_policy.advisories import Advisories
from indexgate_policy.assess import WITHOUT_PAGE, assess, unchecked_by
from indexgate_policy.assessment import Assessment, Case, Context, PopularNames
from indexgate_policy.first_look import first_look
from indexgate_policy.flags import Flag
from indexgate_policy.rules.reads import Reads
from indexgate_policy.signals import Signal, Signals, Unknown

OURS = "indexgate"
"""The source of signals about the assessment itself."""


class CurrentAssessments(Protocol):
    """The assessments in force."""

    def current(self, index_id: str, project: NormalizedName) -> Assessment | None:
        """Return the assessment in force."""


def assessed(
    listing: Listing,
    signals: Iterable[Signal],
    recalled: Recalled,
    *,
    before: Assessment | None = None,
    advisories: Advisories | Unknown,
    popular: PopularNames,
    others: CurrentAssessments,
    now: datetime,
) -> Assessment:
    """Return the assessment of the listed project, its health with *advisories* as they are.

    *signals* are in the order of rising trust. Where several speak of the same, what is known goes
    before what is not, and then the more trusted before the less; all of them are kept as inputs,
    since each source is asked again by the age of its own answer.

    A flag of the assessment *before* whose check lacks facts now, such as a download history that
    only the maker of an imported snapshot has, stands until it ends.
    """
    ranked = _by_weight((*signals, *recalled.signals))
    found = assess(
        Case(
            project=listing.project,
            releases=listing.releases,
            signals=Signals(ranked),
            context=Context(
                popular=popular,
                owners_of=KnownOwners(others, listing.project.index_id),
                movement=recalled.movement,
            ),
            now=now,
            history=recalled.history,
            events=recalled.events,
        ),
        advisories=advisories,
    )
    about_checks = (signal for signal in found.inputs if signal.source == OURS)
    inputs = sorted((*ranked, *about_checks), key=lambda signal: signal.name)
    standing = () if before is None else tuple(_standing(before, found, now))
    return replace(found, inputs=tuple(inputs), flags=(*found.flags, *standing))


def looked_at(
    listing: Listing,
    signals: Iterable[Signal],
    reads: Reads,
    *,
    unheard: Set[str],
    popular: PopularNames,
    others: CurrentAssessments,
    now: datetime,
) -> Assessment | None:
    """Return the first look at the listed project, see `first_look`."""
    case = Case(
        project=listing.project,
        releases=listing.releases,
        signals=Signals(signals),
        context=Context(popular=popular, owners_of=KnownOwners(others, listing.project.index_id)),
        now=now,
    )
    return first_look(case, reads, unheard=unheard)


def is_without_page(assessment: Assessment) -> bool:
    """Tell whether *assessment* was made without the project's page: see `whole_index`."""
    return any(signal.name == WITHOUT_PAGE for signal in assessment.inputs)


def _standing(before: Assessment, found: Assessment, now: datetime) -> Iterator[Flag]:
    unchecked = unchecked_by(Signals(found.inputs))
    for flag in before.flags:
        if flag.check in unchecked and flag.ends is not None and flag.ends > now:
            yield flag


def _by_weight(signals: tuple[Signal, ...]) -> list[Signal]:
    """Return *signals* so that the last of each name is the one that counts."""
    return sorted(signals, key=lambda signal: not isinstance(signal.value, Unknown))


class KnownOwners(Mapping[str, frozenset[str]]):
    """Owners of the projects that were assessed, for telling an imitation from a sister project."""

    def __init__(self, assessments: CurrentAssessments, index_id: str) -> None:
        self._assessments = assessments
        self._index_id = index_id

    def __getitem__(self, project: str) -> frozenset[str]:
        assessment = self._assessments.current(self._index_id, NormalizedName(project))
        owners = Signals(assessment.inputs if assessment else ()).value("owners")
        if not isinstance(owners, tuple):
            raise KeyError(project)
        return frozenset(owners)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0
