"""Judging a project page: every file, and what that makes of its versions and of the project.

Clients choose versions, not files. So when a rule refuses one file of a version for what it is (not
because the rule picks out files by `kind`, `file` or `file_age`), the whole version is refused;
else an installer would go on to the version's sdist and build it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from datetime import datetime
from itertools import islice
from typing import Literal, TypeAlias

from msgspec.structs import replace
from packaging.version import Version

from indexgate_policy.assessment import Assessment
from indexgate_policy.rules.by_file import ByFile
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.judge import Bench, fault
from indexgate_policy.rules.known import gather
from indexgate_policy.rules.offered import Offered, place_of
from indexgate_policy.rules.refusal import way_by_file, way_by_version
from indexgate_policy.rules.verdict import Verdict
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Client, File, Release

Presentation: TypeAlias = Literal["explain", "hide"]

_LOWEST = Version("0.dev0")
_LOOKED_AT = 500  # releases judged for the sake of one hint: about 25 ms


class PageVerdicts:
    """What the policy says of a page.

    `verdicts` has every file by name. `refused_versions` has the versions none of whose files
    passes. `refused_project` is set when that is so for every version that upstream did not yank
    (for every version, if it yanked all). `until` is the first moment at which any verdict may
    change by itself. `apart` are the releases that were judged each by itself, see `ByFile`.
    """

    __slots__ = ("_offered", "apart", "refused_project", "refused_versions", "until", "verdicts")

    def __init__(
        self,
        *,
        verdicts: ByFile,
        apart: Sequence[Release],
        refused_versions: Mapping[str, Verdict],
        refused_project: Verdict | None,
        until: datetime | None,
        offered: Offered,
    ) -> None:
        self.verdicts = verdicts
        self.apart = apart
        self.refused_versions = refused_versions
        self.refused_project = refused_project
        self.until = until
        self._offered = offered

    @property
    def passing(self) -> tuple[str, ...]:
        """The versions with a file that passes and that upstream did not yank, newest first.

        Those that are not PEP 440 come last.
        """
        return tuple(release.version for release in self._offered.newest_first())


def judge_page(
    releases: Sequence[Release],
    assessment: Assessment | Unknown,
    policy: Policy,
    client: Client,
    now: datetime,
    *,
    presentation: Presentation,
) -> PageVerdicts:
    """Return what *policy* says of all *releases* of one project. Never raises."""
    bench = _bench(assessment, policy, client, now)
    usual, apart, alike = _parted(bench, releases)
    judged: list[tuple[Release, dict[str, Verdict]]] = []
    touched: list[int] = []
    refused: dict[str, Verdict] = {}
    for release in apart:
        verdicts = _judged(bench, release, presentation, alike=id(release) in alike)
        refusals = [verdict for verdict in verdicts.values() if verdict.refused]
        if refusals:
            touched.append(len(judged))
        if refusals and len(refusals) == len(verdicts):
            refused[release.version] = refusals[0]
        judged.append((release, verdicts))
    offered = Offered(r for r in releases if r.version not in refused and not r.yanked)
    for place in touched if touched and offered else ():
        release, verdicts = judged[place]
        guide = next(offered.instead_of(release)) if release.version in refused else release
        judged[place] = (release, _guided(release, verdicts, guide))
        if guide is not release:
            refused[release.version] = next(iter(judged[place][1].values()))
    by_file = {name: each for _, some in judged for name, each in some.items()}
    verdicts_by_file = ByFile(releases, usual, by_file)
    return PageVerdicts(
        verdicts=verdicts_by_file,
        apart=apart,
        refused_versions=refused,
        refused_project=_whole(releases, refused),
        until=_earliest(verdicts_by_file.distinct()),
        offered=offered,
    )


def judge_release(
    release: Release,
    assessment: Assessment | Unknown,
    policy: Policy,
    client: Client,
    now: datetime,
    *,
    presentation: Presentation,
    others: Sequence[Release] = (),
) -> Mapping[str, Verdict]:
    """Return the verdicts of one version's files by name, as `judge_page` gives them.

    Of *others*, the releases of the page, only so many are judged as it takes to hint at one that
    passes; without them, or if none is found soon, the hint names none. For the file route: a file
    can be refused for the sake of another one of its version. Never raises.
    """
    bench = _bench(assessment, policy, client, now)
    verdicts = _judged(bench, release, presentation)
    refusals = sum(verdict.refused for verdict in verdicts.values())
    if not refusals or isinstance(bench, Exception):
        return verdicts
    if refusals < len(verdicts) and not release.yanked:
        return _guided(release, verdicts, release)
    offered = Offered(each for each in others if not each.yanked)
    for other in islice(offered.instead_of(release), _LOOKED_AT):
        if not all(verdict.refused for verdict in _judged(bench, other, presentation).values()):
            return _guided(release, verdicts, other if refusals == len(verdicts) else release)
    return verdicts


def passing_versions(
    file: File,
    assessment: Assessment | Unknown,
    policy: Policy,
    client: Client,
    now: datetime,
    *,
    presentation: Presentation,
    others: Sequence[Release],
    most: int,
) -> tuple[str, ...]:
    """Return at most *most* versions of *others* that pass in place of that of *file*.

    The best come first, as in the hint: the nearest before it, then the newest. Those that upstream
    yanked are none. Only so many are judged as it takes. Never raises.
    """
    bench = _bench(assessment, policy, client, now)
    offered = Offered(each for each in others if not each.yanked)
    missing = Release(version=file.version, parsed=file.parsed, released=file.released, files=())
    passing: dict[str, None] = {}
    for other in islice(offered.instead_of(missing), _LOOKED_AT):
        if len(passing) == most:
            break
        verdicts = _judged(bench, other, presentation).values()
        if other.version != file.version and not all(verdict.refused for verdict in verdicts):
            passing[other.version] = None
    return tuple(passing)


def passing_test(
    assessment: Assessment | Unknown,
    policy: Policy,
    client: Client,
    now: datetime,
    *,
    presentation: Presentation,
) -> Callable[[Release], bool]:
    """Return what tells of a release whether a file of it passes that upstream did not yank.

    For one project, whose releases are judged as they are asked for. Never raises.
    """
    bench = _bench(assessment, policy, client, now)

    def passes(release: Release) -> bool:
        return not release.yanked and not all(
            verdict.refused for verdict in _judged(bench, release, presentation).values()
        )

    return passes


def judge_on(bench: Bench, release: Release, presentation: Presentation) -> Mapping[str, Verdict]:
    """Return the verdicts of one version's files by name, without the way out in their hints."""
    return _judged(bench, release, presentation)


def _bench(
    assessment: Assessment | Unknown, policy: Policy, client: Client, now: datetime
) -> Bench | Exception:
    try:
        return Bench(policy, gather(assessment, client, now, policy.max_feed_age))
    except Exception as error:
        return error


def _parted(
    bench: Bench | Exception, releases: Sequence[Release]
) -> tuple[Verdict | None, Sequence[Release], Set[int]]:
    """Return the verdict of most files, and the releases that have to be judged besides.

    The verdict is None when there is none of most. The third are ids of those of these releases
    whose files have one verdict each. What cannot be judged here is left to the judging of each
    release, which knows how to say so.
    """
    if isinstance(bench, Exception):
        return None, releases, frozenset()
    try:
        known = next((release for release in releases if release.files), None)
        tests = None if known is None else bench.apart(known.files[0])
        if tests is None:
            return None, releases, frozenset()
        picked = {id(release) for test in tests for release in releases if test(release)}
        like = next((r for r in releases if id(r) not in picked and r.files), None)
        usual = None if like is None else bench.verdict(like.files[0])
    except Exception:
        return None, releases, frozenset()
    if usual is None or usual.refused:  # a refusal names the version, so there is one for each
        return None, releases, {id(release) for release in releases} - picked
    if not picked:  # then there is no need to look at each
        return usual, (), frozenset()
    return usual, [release for release in releases if id(release) in picked], frozenset()


def _judged(
    bench: Bench | Exception,
    release: Release,
    presentation: Presentation,
    *,
    alike: bool = False,
) -> dict[str, Verdict]:
    if isinstance(bench, Exception):
        return {name: fault(bench) for name in release.filenames}
    like_all = release.like_all if alike or not bench.by_file else None
    if like_all is not None:
        return dict.fromkeys(release.filenames, _verdict(bench, like_all))
    files = release.files
    verdicts = {file.filename: _verdict(bench, file) for file in files}
    refusals = [verdict for verdict in verdicts.values() if verdict.refused]
    whole = next((v for v in refusals if not bench.singles_out(v.rule)), None)
    if whole is not None:
        return {name: v if v.refused else whole for name, v in verdicts.items()}
    if refusals and presentation == "hide":
        return _without_sources(files, verdicts)
    return verdicts


def _without_sources(files: Sequence[File], verdicts: dict[str, Verdict]) -> dict[str, Verdict]:
    """Refuse what an installer would build instead of a wheel that is hidden from it."""
    wheels = (verdicts[file.filename] for file in files if file.kind == "wheel")
    hidden = next((verdict for verdict in wheels if verdict.refused), None)
    if hidden is None:
        return verdicts
    sources = {file.filename for file in files if file.kind != "wheel"}
    return {
        name: hidden if name in sources and not verdict.refused else verdict
        for name, verdict in verdicts.items()
    }


def _verdict(bench: Bench, file: File) -> Verdict:
    try:
        return bench.verdict(file)
    except Exception as error:
        return fault(error)


def _earliest(verdicts: Iterable[Verdict]) -> datetime | None:
    # Most verdicts are one and the same object; so are the moments in them.
    moments = {id(verdict.until): verdict.until for verdict in verdicts}
    return min((moment for moment in moments.values() if moment is not None), default=None)


def _guided(
    release: Release, verdicts: Mapping[str, Verdict], guide: Release
) -> dict[str, Verdict]:
    """Return *verdicts* with the way out in their hints: *guide*, or other files of *release*."""
    if guide is release:
        beside = next(file for file in release.files if not verdicts[file.filename].refused)
        way = way_by_file(beside.project.name, release.version)
    else:
        way = way_by_version(guide.files[0].project.name, guide.version)
    guided = {id(v): replace(v, hint=f"{way}; {v.hint}") for v in verdicts.values() if v.refused}
    return {name: guided.get(id(verdict), verdict) for name, verdict in verdicts.items()}


def _whole(releases: Sequence[Release], refused: Mapping[str, Verdict]) -> Verdict | None:
    if not refused or any(_is_left(release, refused) for release in releases):
        return None
    filled = [release for release in releases if release.files]
    counted = [release for release in filled if not release.yanked] or filled
    if any(release.version not in refused for release in counted):
        return None
    return refused[max(counted, key=place_of).version]


def _is_left(release: Release, refused: Mapping[str, Verdict]) -> bool:
    return release.version not in refused and not release.yanked
