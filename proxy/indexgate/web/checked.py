"""Judging requirements without installing: as the gate would judge their pages, on the same facts.

A page is judged as it is now. Files may still pass for ten minutes after what tightens by itself,
for the sake of resolvers that hold an older page; a check tells what the page says.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from msgspec import Struct
from msgspec.structs import replace
from packaging.version import Version

from indexgate import own_addresses, public_index
from indexgate.checked import FILE_UNLISTED, Check, Checked, CheckedFile, RuleTold
from indexgate.config import Settings
from indexgate.index.listing import Listing
from indexgate.index.protocol import NoSuchProject, UpstreamFailed
from indexgate.locks.entry import Lock
from indexgate.requirements.bounds import Bounds, InForce, in_force
from indexgate.requirements.candidates import (
    Candidate,
    NoCandidate,
    NoSuchFile,
    candidates,
    unlisted,
)
from indexgate.requirements.entries import Elsewhere, Wanted
from indexgate.requirements.file import Requirements
from indexgate.sources.protocol import SourceFailed
from indexgate.store.engines import StoreFailed
from indexgate.teams import client_of
from indexgate.upstream_choice import UpstreamChoice
from indexgate.web.locked import Stands, judge_entry, known_of, page_notes, unlisted_hint
from indexgate.web.parts import Clock, Parts, open_parts, utc_now
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.page import judge_page, judge_release
from indexgate_policy.rules.verdict import Verdict
from indexgate_policy.subject import Client

AT_ONCE = 8
"""Projects that are looked at at the same time."""

_NAMED = 5


async def check(
    settings: Settings,
    upstream: UpstreamChoice,
    requirements: Requirements,
    environment: Mapping[str, str],
    *,
    locks: Sequence[Lock] = (),
    gates: Sequence[str] = (),
    team: str | None = None,
    done: Callable[[], None] = lambda: None,
    clock: Clock = utc_now,
) -> Check:
    """Judge *requirements* for the interpreter of *environment* (the variables of PEP 508 markers).

    After them come the entries of *locks*, each by itself. *gates* are further addresses of the
    gate that locks may hold, *team* is that of who would install. *done* is called after each.
    Raises GateError, PolicyError.
    """
    stands = _stands(settings, upstream, gates)
    async with open_parts(settings, upstream, base="/", clock=clock) as parts:
        client = client_of(team, settings.teams, parts.gate.policy.current())
        feed_failure = await read_feed(parts)
        bench = _Bench(parts, in_force(requirements, environment), _python(environment), client)
        room = asyncio.Semaphore(AT_ONCE)

        async def one(judge: Callable[[], Awaitable[Checked]]) -> Checked:
            async with room:
                checked = await judge()
            done()
            return checked

        judges: list[Callable[[], Awaitable[Checked]]] = [
            partial(bench.judge, number, entry) for number, entry in enumerate(requirements.entries)
        ]
        judges += [
            partial(judge_entry, parts, lock, entry, stands, client)
            for lock in locks
            for entry in lock.entries
        ]
        async with asyncio.TaskGroup() as together:
            tasks = [together.create_task(one(judge)) for judge in judges]
        policy = parts.gate.policy.current()
        return Check(
            at=clock(),
            index=upstream.shown,
            policy=parts.gate.policy.place,
            policy_digest=policy.digest,
            rules=_told(policy),
            requirements=tuple(task.result() for task in tasks),
            ways_past=requirements.ways_past,
            notes=requirements.notes,
            feed_failure=feed_failure,
        )


def _stands(settings: Settings, upstream: UpstreamChoice, gates: Sequence[str]) -> Stands:
    """Return which addresses in a lock are asked through the gate, or are what it stands for."""
    roots = own_addresses.roots(settings, gates)
    indexes = {each.url for each in upstream.all}
    if any(each.public for each in upstream.all):
        indexes.add(public_index.address())
    indexes.update(map(own_addresses.simple, roots))
    return Stands(indexes=frozenset(indexes), roots=roots)


def _told(policy: Policy) -> tuple[RuleTold, ...]:
    return tuple(
        RuleTold(id=rule.id, action=rule.action, reason=rule.reason, hint=rule.hint)
        for rule in policy.rules
    )


async def read_feed(parts: Parts) -> str | None:
    """Read the advisories if no running gate keeps them new; return why that failed, if so."""
    feed = parts.refresh.feed
    if feed is None:
        return None
    now = parts.clock()
    try:
        state = parts.store.advisories.feed_state()
        if state is None or now - state.fetched_at > parts.gate.policy.current().max_feed_age:
            await feed.refresh(now)
    except SourceFailed as error:
        return str(error)
    except StoreFailed as error:
        return error.message
    return None


class _Bench(Struct, frozen=True):
    """A gate, what is in force of the requirements, the interpreter they are for, and who asks."""

    parts: Parts
    force: InForce
    python: Version
    client: Client

    async def judge(self, number: int, entry: Wanted | Elsewhere) -> Checked:
        """Judge the requirement *entry*, the one with this *number*."""
        if isinstance(entry, Elsewhere):
            skipped = number in self.force.skipped
            return Checked(
                requirement=entry.text,
                place=entry.place,
                project=entry.name,
                action="skipped" if skipped else "not judged",
                reason=_SKIPPED if skipped else entry.reason,
            )
        blank = _blank(entry)
        if number in self.force.skipped:
            return blank(action="skipped", reason=f"{_SKIPPED}: {entry.requirement.marker}")
        taken = self.force.elsewhere.get(entry.name)
        if taken is not None:
            reason = f"a constraint ({taken.place}) takes it from elsewhere: {taken.reason}"
            return blank(action="not judged", reason=reason)
        bounds = self.force.bounds[entry.name]
        try:
            listed = await self.parts.indexes.listing(entry.name)
            found = candidates(listed, bounds, self.python)
        except NoSuchProject:
            return blank(action="failed", reason=f"the index has no project {entry.name}")
        except UpstreamFailed as error:
            return blank(action="failed", reason=f"upstream {error.reason}")
        except NoSuchFile as error:
            return blank(
                action="unlisted",
                rule=FILE_UNLISTED,
                reason=str(error),
                hint=unlisted_hint(FILE_UNLISTED),
            )
        except NoCandidate as error:
            return blank(action="failed", reason=str(error))
        verdicts = await self._verdicts(listed, found)
        return _checked(blank, listed, bounds, found, verdicts)

    async def _verdicts(
        self, listed: Listing, found: tuple[Candidate, ...]
    ) -> Mapping[str, Verdict]:
        """Return the verdicts on the files of *found*, as the gate comes by them.

        The whole page is judged where something is refused: it gives the hint what to take instead.
        """
        gate = self.parts.indexes.gate_of(listed)
        assessment = await known_of(self.parts, listed)
        policy, now = gate.policy.current(), self.parts.clock()
        shown = gate.presentation
        newest = judge_release(
            found[0].release, assessment, policy, self.client, now, presentation=shown
        )
        if not any(verdict.refused for verdict in newest.values()):
            return newest
        return judge_page(
            listed.releases, assessment, policy, self.client, now, presentation=shown
        ).verdicts


_SKIPPED = "its marker does not hold here"


def _blank(entry: Wanted) -> Callable[..., Checked]:
    def checked(**found: object) -> Checked:
        return Checked(
            requirement=str(entry.requirement),
            place=entry.place,
            project=entry.name,
            extras=tuple(sorted(entry.requirement.extras)),
            **found,  # type: ignore[arg-type]
        )

    return checked


def _checked(
    blank: Callable[..., Checked],
    listed: Listing,
    bounds: Bounds,
    found: tuple[Candidate, ...],
    verdicts: Mapping[str, Verdict],
) -> Checked:
    """Choose as a resolver would on the gate's page, and tell the verdict on what it would take."""
    passing = next((c for c in found if not _refused(c, verdicts)), None)
    taken = passing or found[0]
    over = tuple(c.release.version for c in found[: found.index(taken)])
    of_files = [verdicts[file.filename] for file in taken.files]
    refusals = [verdict for verdict in of_files if verdict.refused]
    warnings = tuple(
        dict.fromkeys(w for verdict in of_files if not verdict.refused for w in verdict.warnings)
    )
    decisive = refusals[0] if passing is None else Verdict(action=of_files[0].action)
    action = "refuse" if passing is None else "warn" if warnings else "allow"
    missing = unlisted(listed, bounds.hashes)
    if missing and passing is not None:
        action, rule = "unlisted", FILE_UNLISTED
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        reason = f"no listed file has the hash {missing[0]}{more}"
        decisive = replace(decisive, rule=rule, reason=reason, hint=unlisted_hint(rule))
    return blank(
        action=action,
        version=taken.release.version,
        chosen="pinned" if bounds.pinned else "newest",
        how=_how(bounds, found, over, refused=passing is None),
        passed_over=over,
        rule=decisive.rule,
        reason=decisive.reason,
        hint=decisive.hint,
        warnings=() if passing is None else warnings,
        notes=tuple(_notes(listed, taken, refusals, of_files)),
        files=tuple(
            CheckedFile(
                filename=file.filename,
                action=verdict.action,
                rule=verdict.rule,
                reason=verdict.reason,
            )
            for file, verdict in zip(taken.files, of_files, strict=True)
        ),
    )


def _refused(candidate: Candidate, verdicts: Mapping[str, Verdict]) -> bool:
    return all(verdicts[file.filename].refused for file in candidate.files)


def _how(
    bounds: Bounds, found: tuple[Candidate, ...], over: tuple[str, ...], *, refused: bool
) -> str:
    if bounds.pinned:
        return "pinned"
    if refused:
        return f"the newest of {len(found)} that match, all refused"
    if not over:
        return f"the newest of {len(found)} that match"
    named = ", ".join(over[:_NAMED]) + (", ..." if len(over) > _NAMED else "")
    return f"the newest of {len(found)} that match and pass; refused are {named}"


def _notes(
    listed: Listing, taken: Candidate, refusals: list[Verdict], of_files: list[Verdict]
) -> list[str]:
    notes = []
    if refusals and len(refusals) < len(of_files):
        notes.append(f"{len(refusals)} of {len(of_files)} files are refused: {refusals[0].reason}")
    notes.extend(page_notes(listed, taken.release))
    return notes


def _python(environment: Mapping[str, str]) -> Version:
    # A build from a checkout calls itself `3.15.0a1+`, which is no version.
    return Version(environment["python_full_version"].rstrip("+"))
