"""The indexes behind the gate, as requests need them: one, or several of which one has a project.

With one index everything goes straight to its gate. With several, whose a project is is found out
first (`owners.py`), and then only that index's gate is asked.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate.finished_page import FinishedPage, Variant
from indexgate.gate import Gate
from indexgate.index.addresses import FileAddress
from indexgate.index.listing import MOST_CANDIDATES, Listing
from indexgate.index.presentation import Presentation
from indexgate.index.protocol import NoSuchProject, UpstreamFailed
from indexgate.judged_files import JudgedFile
from indexgate.owners import Behind, Owner, Owners
from indexgate.simple.filename import candidates
from indexgate_policy.assessment import Assessment
from indexgate_policy.subject import Client

NO_PROJECT_HINT = (
    "Check the spelling; a private project needs its own index, as `--upstream` or `[[index]]`."
)
_Answer = TypeVar("_Answer")


class Indexes:
    """The gates of all indexes, in order; *owners* is None where there is only one."""

    def __init__(self, behind: Sequence[Behind], owners: Owners | None) -> None:
        self.all = tuple(behind)
        self.owners = owners
        self.first = self.all[0].gate
        self._only = self.first if owners is None else None
        self._gates = {index.gate.index_id: index.gate for index in self.all}

    @property
    def presentation(self) -> Presentation:
        """How refusals are shown, the same for all."""
        return self.first.presentation

    def gate(self, index_id: str) -> Gate:
        """Return the gate of an index."""
        return self._gates[index_id]

    def gate_of(self, listed: Listing) -> Gate:
        """Return the gate of the index that *listed* is from."""
        return self._gates[listed.project.index_id]

    async def page(
        self,
        project: NormalizedName,
        variant: Variant,
        client: Client,
        *,
        max_age: float | None = None,
        run: str | None = None,
        asked: bool = True,
        final: bool = False,
    ) -> FinishedPage:
        """Return the page of *project* as *run* gets it. Raises NoSuchProject, UpstreamFailed.

        Whether somebody *asked* for it is noted; what is *final*, see `Gate.page`.
        """

        def of(gate: Gate) -> Awaitable[FinishedPage]:
            return gate.page(
                project, variant, client, max_age=max_age, run=run, asked=asked, final=final
            )

        if self._only is not None:
            return await of(self._only)
        owner, page = await self._of_owner(project, of, max_age)
        if owner.unsure is None or page.snapshot.stale is not None:
            return page
        return replace(page, snapshot=replace(page.snapshot, stale=owner.unsure))

    @property
    def is_ever_sure(self) -> bool:
        """Whether `still` and `still_judged` may ever say yes, so that it is worth to ask them."""
        return self._only is not None

    def still(self, page: FinishedPage, project: NormalizedName) -> bool:
        """Tell whether *page*, of no run, is what `page` would return now, without any waiting.

        With several indexes it is never sure: whose a project is may have to be asked.
        """
        return self._only is not None and self._only.still(page, project)

    def still_judged(self, judged: JudgedFile) -> bool:
        """Tell whether *judged*, for no run, is what `file` would return, without any waiting."""
        return self._only is not None and self._only.files.still(judged)

    async def file(
        self, address: FileAddress, client: Client, run: str | None = None
    ) -> JudgedFile | None:
        """Judge the file at *address*; None when its project's index lists no such file.

        Raises UpstreamFailed when the page that would tell cannot be had.
        """
        if self._only is not None:
            return await self._only.files.at(address, client, run)
        failed: UpstreamFailed | None = None
        for name in self._may_have(address):
            try:
                gate = (await self.owner(name)).index.gate
                judged = await gate.files.at(address, client, run, of=(name,))
            except NoSuchProject:
                continue
            except UpstreamFailed as error:
                failed = failed or error
                continue
            if judged is not None:
                return judged
        if failed is not None:
            raise failed
        return None

    async def blocked(
        self, project: NormalizedName, filename: str, client: Client
    ) -> JudgedFile | None:
        """Judge a file by its name, for the page that explains a refusal; None: not listed."""
        if self._only is not None:
            return await self._only.files.named(project, filename, client)
        _, judged = await self._of_owner(
            project, lambda gate: gate.files.named(project, filename, client)
        )
        return judged

    async def listing(self, project: NormalizedName, *, asked: bool = True) -> Listing:
        """Return what its index lists of *project*; `gate_of` it is that index's gate.

        Whether somebody *asked* for it is noted. Raises NoSuchProject, UpstreamFailed.
        """
        _, listed = await self._of_owner(
            project, lambda gate: gate.listings.of(project, asked=asked)
        )
        return listed

    async def owner(self, project: NormalizedName) -> Owner:
        """Return the index that *project* comes from.

        Where there is only one it is that, whether it has the project or not. Raises NoSuchProject,
        UpstreamFailed.
        """
        if self.owners is None:
            return Owner(index=self.all[0])
        return await self.owners.of(project)

    def assessment(self, judged: JudgedFile) -> Assessment | None:
        """Return what is known of the project of *judged*."""
        return self._gates[judged.index_id].facts.known(judged.subject.project.name)

    def holds(self, project: NormalizedName) -> bool:
        """Tell whether a page of *project* is at hand without asking disk or upstream."""
        if self._only is not None:
            return self._only.index.holds(project)
        return any(index.gate.index.holds(project) for index in self.all)

    def is_fresh(self, project: NormalizedName) -> bool:
        """Tell whether a page of *project* is in memory, and no index need be asked for it."""
        return any(index.gate.index.at_hand(project) is not None for index in self.all)

    def missed_by(self, project: NormalizedName) -> tuple[str, ...]:
        """Return the ids of the public indexes that were asked for *project* in vain.

        There any stranger could make a project of that name one day.
        """
        asked = self.may_own(project)
        return tuple(index.gate.index_id for index in asked if index.gate.public)

    def without(self, project: NormalizedName) -> str:
        """Say which indexes have no such project, each by its address."""
        urls = [f"`{index.url}`" for index in self.may_own(project)]
        return f"{' and '.join(urls)} {'has' if len(urls) == 1 else 'have'} no project `{project}`"

    def url_of(self, index_id: str) -> str:
        """Return the address of an index, without credentials."""
        return next(index.url for index in self.all if index.gate.index_id == index_id)

    def may_own(self, project: NormalizedName) -> tuple[Behind, ...]:
        """Return the indexes that are asked for *project*, in order."""
        home = None if self.owners is None else self.owners.home(project)
        return self.all if home is None else (home[0],)

    async def _of_owner(
        self,
        project: NormalizedName,
        answer: Callable[[Gate], Awaitable[_Answer]],
        max_age: float | None = None,
    ) -> tuple[Owner, _Answer]:
        """Return the owner and what its gate answers; who has lost the project leads on."""
        if self.owners is None:
            owner = await self.owner(project)
            return owner, await answer(owner.index.gate)
        owner = await self.owners.of(project, max_age=max_age)
        try:
            return owner, await answer(owner.index.gate)
        except NoSuchProject:
            if owner.namespace:
                raise
        owner = await self.owners.of(project, anew=True)
        return owner, await answer(owner.index.gate)

    def _may_have(self, address: FileAddress) -> tuple[NormalizedName, ...]:
        """Return the projects that the file at *address* may be of, the likeliest first.

        If one of them has a home, the others are no more than readings of its name: they are not
        asked for, as that would tell an index about a name which is not its.
        """
        formerly = (index.gate.files.formerly(address) for index in self.all)
        known = [former.project for former in formerly if former is not None]
        names = dict.fromkeys((*candidates(address.filename)[:MOST_CANDIDATES], *known))
        at_home = tuple(name for name in names if self.owners and self.owners.home(name))
        return at_home or tuple(names)
