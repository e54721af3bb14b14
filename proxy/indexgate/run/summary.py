"""What a run's user should hear when the command has ended, and how it is said."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct
from packaging.version import InvalidVersion, Version

from indexgate_policy.rules import unjudged
from indexgate_policy.rules.exemptions import NOT_WAIVABLE
from indexgate_policy.rules.unjudged import Unjudged
from indexgate_policy.rules.wording import plain

Kind: TypeAlias = Literal["refused", "withheld", "warned"]
_KINDS: tuple[Kind, ...] = ("refused", "withheld", "warned")
_VERSIONS_SHOWN = 6
_PROJECTS_SHOWN = 6
_LINES_SHOWN = 40
_LONGEST = 400


class Told(Struct, frozen=True, kw_only=True):
    """One thing to tell: what happened to versions of a project, by which rule and why.

    `instead` has the versions that were taken in place of withheld ones, `passes` the newest that
    would have passed when none was taken (None: there is none, or it is not known).
    """

    kind: Kind
    project: str
    versions: tuple[str, ...]
    rule: str
    reason: str
    instead: tuple[str, ...] = ()
    passes: str | None = None

    @property
    def way(self) -> str:
        """What the versions in `instead`, or else the one in `passes`, are to the reader."""
        return "taken instead" if self.instead else "the newest that passes"


def heading(things: Iterable[Told]) -> str:
    """Return how much there is of each kind, in words."""
    things = tuple(things)
    counts = [f"{n} {kind}" for kind in _KINDS if (n := sum(t.kind == kind for t in things))]
    return ", ".join(counts) or "nothing refused, withheld or warned of"


def told(report: Mapping[str, Any]) -> tuple[Told, ...]:
    """Return what is worth telling of a gate's *report* on a run, in order of weight.

    A page withholds or warns of versions that the command never wanted. So a withheld version is
    told only if it is newer than what was taken, and a warning only if it is of what was taken;
    when the command took nothing from the gate (its own cache had it), the newest version that
    passes stands for what it took.
    """
    found: dict[Told, None] = {}
    refused = {
        (line["project"], version)
        for line in report["decisions"]
        if line["kind"] == "refused"
        for version in line["versions"]
    }
    for line in report["decisions"]:
        seen = report["seen"].get(line["project"]) or {"newest": None, "served": {}}
        thing = _told(line, seen, refused)
        if thing is not None:
            found[thing] = None
    return tuple(sorted(found, key=lambda thing: _KINDS.index(thing.kind)))


def text(
    things: Iterable[Told], *, trouble: str | None = None, flags: str = "", asking: str = ""
) -> str:
    """Return the closing summary for people; empty when there is nothing to tell.

    *flags* are those that `explain` needs to judge as the run did, *asking* those with which an
    exemption is asked for where the run's gate takes it up.
    """
    things = tuple(things)
    lines = [f"indexgate: {heading(things)} in this run"] if things else []
    told = _lines(things)
    lines += told[:_LINES_SHOWN]
    if len(told) > _LINES_SHOWN:
        lines.append(f"  and {len(told) - _LINES_SHOWN} more; `--summary json` has them all")
    if things:
        first = things[0]
        asked = f"{first.project}=={first.versions[0]}"
        lines.append(f"  why       indexgate explain {flags + ' ' if flags else ''}{asked}")
        if first.kind == "refused" and first.rule not in NOT_WAIVABLE:
            where = f"{asking} " if asking else ""
            lines.append(f"  ask       indexgate exempt request {where}{asked} --rule {first.rule}")
    if trouble:
        lines.append(f"indexgate: the record of this run may lack something: {plain(trouble)}")
    return "\n".join(lines)


def as_json(things: Iterable[Told], *, trouble: str | None = None) -> str:
    """Return the summary as one line of JSON, also when there is nothing to tell."""
    document: dict[str, Any] = {kind: [] for kind in _KINDS}
    for thing in things:
        entry: dict[str, Any] = {
            "project": thing.project,
            "versions": thing.versions,
            "rule": thing.rule,
            "reason": thing.reason,
        }
        if thing.kind == "withheld":
            entry |= {"instead": thing.instead, "passes": thing.passes}
        document[thing.kind].append(entry)
    return json.dumps({"indexgate": document | {"trouble": trouble}})


def _told(
    line: Mapping[str, Any], seen: Mapping[str, Any], refused: set[tuple[str, str]]
) -> Told | None:
    kind: Kind = line["kind"]
    project, versions = line["project"], tuple(line["versions"])
    taken = _taken(seen)
    instead: tuple[str, ...] = ()
    passes: str | None = None
    if kind == "withheld":
        versions = tuple(v for v in versions if (project, v) not in refused)
        if seen["newest"] is None:
            # Nothing of it passes: it was refused, whether a file was asked for or not.
            if any(name == project for name, _ in refused):
                return None
            kind = "refused"
        else:
            newest = max(taken or (seen["newest"],), key=order)
            versions = tuple(v for v in versions if _is_missed(v, newest))
            instead, passes = taken, None if taken else seen["newest"]
    elif kind == "warned":
        known = taken or tuple(v for v in (seen["newest"],) if v is not None)
        versions = tuple(v for v in versions if v in known)
    if not versions:
        return None
    return Told(
        kind=kind,
        project=project,
        versions=tuple(sorted(versions, key=order, reverse=True)),
        rule=line["rule"],
        reason=line["reason"],
        instead=instead,
        passes=passes,
    )


def _taken(seen: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the versions that the command took: those whose file it got, else whose metadata."""
    whole = [version for version, is_whole in seen["served"].items() if is_whole]
    return tuple(sorted(whole or seen["served"], key=order, reverse=True))


def _is_missed(version: str, newest: str) -> bool:
    """Tell whether a resolver might have preferred *version*: newer, and no pre-release before."""
    mine, other = order(version), order(newest)
    return mine > other and (not mine.is_prerelease or other.is_prerelease)


def order(version: str) -> Version:
    """Return what *version* is sorted by; what is no version comes first."""
    try:
        return Version(version)
    except InvalidVersion:
        return Version("0.dev0")


def _lines(things: tuple[Told, ...]) -> list[str]:
    """Return a line for each thing, and one for all that cannot be judged for the same reason."""
    alike: dict[tuple[Kind, Unjudged], dict[str, None]] = {}
    for thing in things:
        if (key := _unjudged(thing)) is not None:
            alike.setdefault(key, {})[thing.project] = None
    lines: dict[str, None] = {}
    for thing in things:
        key = _unjudged(thing)
        if key is not None and len(alike[key]) > 1:
            lines[_line_of_many(*key, tuple(alike[key]))] = None
        else:
            lines[_line(thing)] = None
    return list(lines)


def _unjudged(thing: Told) -> tuple[Kind, Unjudged] | None:
    if thing.kind == "withheld":  # what was taken instead differs
        return None
    found = unjudged.read(thing.reason, project=thing.project, rule=thing.rule)
    return None if found is None else (thing.kind, found)


def _line_of_many(kind: Kind, found: Unjudged, projects: tuple[str, ...]) -> str:
    names = ", ".join(projects[:_PROJECTS_SHOWN])
    if len(projects) > _PROJECTS_SHOWN:
        names += f" and {len(projects) - _PROJECTS_SHOWN} more"
    return f"  {kind:<9} {plain(found.of_many(len(projects)), _LONGEST)} ({names})"


def _line(thing: Told) -> str:
    return f"  {thing.kind:<9} {sentence(thing)}"


def sentence(thing: Told) -> str:
    """Return what happened to *thing*, and what came in its place, in one line."""
    shown = ", ".join(thing.versions[:_VERSIONS_SHOWN])
    if len(thing.versions) > _VERSIONS_SHOWN:
        shown += f" and {len(thing.versions) - _VERSIONS_SHOWN} more"
    instead = ", ".join(thing.instead) or thing.passes
    end = f"; {thing.way}: {instead}" if instead else ""
    reason = plain(thing.reason, _LONGEST)
    if not reason.startswith(f"{thing.project} {shown} "):  # most reasons name it themselves
        reason = f"{thing.project} {shown}: {reason}"
    return f"{reason} (rule `{thing.rule}`){end}"
