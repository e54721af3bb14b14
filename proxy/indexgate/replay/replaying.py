"""Two policies tried on the same asks, project by project."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from packaging.utils import NormalizedName

from indexgate.replay.limits import limits
from indexgate.replay.remembered import Recalled
from indexgate.replay.replayed import Agreement, Basis, Named, Replayed
from indexgate_policy.rules.as_of import AsOf, Then
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.figures import MOST_PROJECTS, Differences, Figures
from indexgate_policy.rules.page import Presentation
from indexgate_policy.rules.replay import Ask, Trial
from indexgate_policy.signals import Unknown


@dataclass(slots=True)
class Replaying:
    """A replay under way. Give it the asks of one project after the other."""

    draft: Policy
    in_force: Policy
    presentation: Presentation
    _figures: tuple[Figures, Figures] = field(init=False)
    _differences: Differences = field(default_factory=Differences)
    _basis: Counter[str] = field(default_factory=Counter)
    _again: int = 0
    _recorded: int = 0
    _asks: int = 0
    _files: int = 0
    _projects: set[tuple[str, NormalizedName]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._figures = (
            Figures([rule.id for rule in self.draft.rules]),
            Figures([rule.id for rule in self.in_force.rules]),
        )

    def project(self, recalled: Recalled, asks: Sequence[Ask]) -> None:
        """Try both policies on the *asks* for one project, which are in order of time."""
        past = AsOf(recalled.past)
        draft = Trial(self.draft, presentation=self.presentation)
        in_force = Trial(self.in_force, presentation=self.presentation)
        fates = {ask.filename: recalled.became(ask) for ask in asks}
        for ask in asks:
            then = past.then(ask.filename, ask.at)
            tried, standing = draft.of(ask, then), in_force.of(ask, then)
            became = fates[ask.filename]
            self._figures[0].add(ask, tried, became)
            self._figures[1].add(ask, standing, became)
            self._differences.add(ask, tried, standing, became)
            self._note(ask, then, recalled)
            if ask.refused_by == self.in_force.digest:
                self._recorded += 1
                self._again += standing.refused
        self._files += len(fates)
        self._projects |= {(ask.index_id, ask.project) for ask in asks}

    def leave_out(self, asks: Iterable[Ask]) -> None:
        """Count *asks* that cannot be told to an index."""
        self._basis["left_out"] += sum(ask.count for ask in asks)

    def result(
        self,
        *,
        source: Literal["record", "lock"],
        of_what: str,
        since: datetime,
        until: datetime,
        places: tuple[str, str],
        notes: Iterable[str] = (),
    ) -> Replayed:
        """Return what came of it; *places* name the draft and the policy in force."""
        differences = self._differences.result()
        basis = Basis(**self._basis)
        agreement = Agreement(again=self._again, of=self._recorded)
        policies = zip(places, (self.draft, self.in_force), self._figures, strict=True)
        draft, in_force = (
            Named(policy=place, digest=policy.digest, figures=figures.result())
            for place, policy, figures in policies
        )
        return Replayed(
            source=source,
            of_what=of_what,
            since=since,
            until=until,
            asks=self._asks,
            files=self._files,
            projects=len(self._projects),
            basis=basis,
            agreement=agreement,
            draft=draft,
            in_force=in_force,
            differences=differences[:MOST_PROJECTS],
            differing=len(differences),
            notes=(*notes, *limits(basis, agreement)),
        )

    def _note(self, ask: Ask, then: Then, recalled: Recalled) -> None:
        self._asks += ask.count
        self._basis["by_facts" if then.facts == "all" else "by_page"] += ask.count
        if not then.paged:
            self._basis["pageless"] += ask.count
        advisories = recalled.past.advisories
        if isinstance(advisories, Unknown):
            self._basis["unread"] += ask.count
        elif advisories:
            naming = [one for one in advisories if one.affects(ask.version) is True]
            self._basis["named_now"] += bool(naming) * ask.count
            known = any(one.published and one.published <= ask.at for one in naming)
            self._basis["named_then"] += known * ask.count
        if ask.filename in recalled.yanked and not then.release.yanked:
            self._basis["yanked_since"] += ask.count
