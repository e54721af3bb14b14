"""How verdicts show on a project page: `explain` says why, `hide` leaves out.

Under `explain` everything upstream lists stays listed, so that the refusal is read where the
install fails: refused files are marked yanked with the reason (ranges move to a passing version,
and within a version to a passing file) and lose their core metadata (one address less to refuse,
and pip names who required it). When the whole project is refused, only uv is told by a yank mark:
it prints the reason, while others print nothing for it, but fail at the file with the reason.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec
from msgspec import UNSET, Struct, UnsetType
from packaging.version import InvalidVersion, Version

from indexgate.index.addresses import address_of, origin_of
from indexgate.simple.model import PageFile, ProjectPage
from indexgate.simple.ordinary_files import OrdinaryFiles, filenames
from indexgate_policy.rules.page import PageVerdicts
from indexgate_policy.rules.verdict import Verdict
from indexgate_policy.subject import File, Release

Presentation: TypeAlias = Literal["explain", "hide"]
QUARANTINED = "quarantined"


class Addresses(Struct, frozen=True, kw_only=True):
    """Where a page's links lead: to the gate's copy below *root*, `blocked` to why it is refused.

    `root` ends in a slash; it is the gate's own address, or relative to the page.
    """

    root: str
    blocked: Callable[[File, Verdict], str]

    def file(self, file: PageFile) -> str:
        """Return where the gate's copy of *file* is."""
        return self.root + address_of(file.url, file.filename)

    def origin(self, origin: str) -> str:
        """Return where the gate's copies of the files at *origin*, such as `https://host/`, are."""
        return self.root + origin_of(origin)


def present(
    page: ProjectPage,
    releases: Sequence[Release],
    verdicts: PageVerdicts,
    addresses: Addresses,
    *,
    presentation: Presentation,
    for_uv: bool,
) -> ProjectPage:
    """Return *page* as clients get it.

    A quarantined project offers no file in any presentation (PEP 792).
    """
    if page.status == QUARANTINED:
        return msgspec.structs.replace(page, files=(), versions=_versions(page, releases))
    refused = {name: each for name, each in verdicts.verdicts.apart.items() if each.refused}
    if presentation == "hide":
        gone = [r for r in releases if refused.keys() >= set(r.filenames)] if refused else ()
        left = _moved(_without(page.files, refused), addresses, {})
        return msgspec.structs.replace(page, files=left, versions=_versions(page, gone))
    marked = for_uv or verdicts.refused_project is None
    subjects = _subjects(releases, refused)

    def shown(file: PageFile) -> PageFile:
        verdict = refused[file.filename]
        link = addresses.blocked(subjects[file.filename], verdict)
        yanked = yank_reason(file, verdict, link) if marked else file.yanked
        return msgspec.structs.replace(file, core_metadata=UNSET, yanked=yanked)

    instead = {
        place: shown(page.files[place])
        for place, name in enumerate(filenames(page.files) if refused else ())
        if name in refused
    }
    return msgspec.structs.replace(page, files=_moved(page.files, addresses, instead))


def _subjects(releases: Iterable[Release], refused: Mapping[str, Verdict]) -> dict[str, File]:
    """Return the refused files as they were judged."""
    if not refused:  # as nearly always: spare looking at all releases for nothing
        return {}
    touched = (each for each in releases if not refused.keys().isdisjoint(each.filenames))
    return {file.filename: file for each in touched for file in each.files}


def _without(files: Sequence[PageFile], refused: Mapping[str, Verdict]) -> Sequence[PageFile]:
    if isinstance(files, OrdinaryFiles):
        return files.without(refused)
    return tuple(file for file in files if file.filename not in refused)


def _moved(
    files: Sequence[PageFile], addresses: Addresses, instead: Mapping[int, PageFile]
) -> Sequence[PageFile]:
    """Return *files* with the gate's addresses, and those *instead* of the ones at some places."""
    if isinstance(files, OrdinaryFiles):
        return files.moved(addresses.origin, instead)
    said = (instead.get(place, file) for place, file in enumerate(files))
    return tuple(msgspec.structs.replace(file, url=addresses.file(file)) for file in said)


def yank_reason(file: PageFile, verdict: Verdict, link: str) -> str:
    """Return the yank reason: ours first, then upstream's own where the file was yanked."""
    ours = f"blocked by indexgate: {verdict.reason} - see {link}"
    if file.yanked is False:
        return ours
    theirs = file.yanked if isinstance(file.yanked, str) else "no reason given"
    return f"{ours}; yanked upstream: {theirs}"


def _versions(page: ProjectPage, gone: Sequence[Release]) -> tuple[str, ...] | UnsetType:
    """Return upstream's versions without those whose last file went (PEP 700)."""
    if not isinstance(page.versions, tuple) or not gone:
        return page.versions
    texts = {release.version for release in gone}
    parsed = {release.parsed for release in gone if isinstance(release.parsed, Version)}
    return tuple(
        text for text in page.versions if text not in texts and _version(text) not in parsed
    )


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None
