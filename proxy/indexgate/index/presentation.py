"""How verdicts show on a project page: `explain` says why, `hide` leaves out.

Under `explain` everything upstream lists stays listed, so that the refusal is read where the
install fails: refused files are marked yanked with the reason (ranges move to a passing version,
and within a version to a passing file) and lose their core metadata (one address less to refuse,
and pip names who required it). When the whole project is refused, only uv is told by a yank mark:
it prints the reason, while others print nothing for it, but fail at the file with the reason.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType
from packaging.version import InvalidVersion, Version

from indexgate.simple.model import PageFile, ProjectPage
from indexgate_policy.rules.page import PageVerdicts
from indexgate_policy.rules.verdict import Verdict
from indexgate_policy.subject import File, Release

Presentation: TypeAlias = Literal["explain", "hide"]
QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where a page's links lead: `file` to the gate's copy, `blocked` to why it is refused."""

    file: Callable[[PageFile], str]
    blocked: Callable[[File, Verdict], str]


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
    subjects = {file.filename: file for release in releases for file in release.files}
    shown: list[PageFile] = []
    for file in page.files if page.status != QUARANTINED else ():
        subject = subjects[file.filename]
        verdict = verdicts.verdicts[file.filename]
        if not verdict.refused:
            shown.append(msgspec.structs.replace(file, url=addresses.file(file)))
        elif presentation == "explain":
            marked = for_uv or verdicts.refused_project is None
            link = addresses.blocked(subject, verdict)
            shown.append(
                msgspec.structs.replace(
                    file,
                    url=addresses.file(file),
                    core_metadata=UNSET,
                    yanked=yank_reason(file, verdict, link) if marked else file.yanked,
                )
            )
    left = {file.filename for file in shown}
    gone = [
        release for release in releases if not any(file.filename in left for file in release.files)
    ]
    return msgspec.structs.replace(page, files=tuple(shown), versions=_versions(page, gone))


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
