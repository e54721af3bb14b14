"""Judging what a lock pins: each of its files as the gate would when it is installed.

A lock is universal: its entries are judged whatever their markers. A file that the index does not
list, or lists with another hash, passes nowhere: the gate would not hand it out, but an installer
that follows the lock past the gate would take it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias, TypedDict
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace
from packaging.version import InvalidVersion, Version

from indexgate import web_address
from indexgate.checked import FILE_UNLISTED, HASH_DIFFERS, Checked, CheckedFile
from indexgate.index.addresses import PREFIX, address_of, canonical
from indexgate.index.listing import Listing
from indexgate.index.protocol import NoSuchProject, UpstreamFailed
from indexgate.locks.entry import STDIN_SHOWN, Lock, Pinned, PinnedFile, Unasked
from indexgate.locks.text import shown
from indexgate.redact import redact
from indexgate.simple.model import PageFile
from indexgate.web.parts import Parts
from indexgate_policy.assessment import Assessment
from indexgate_policy.rules.page import judge_release
from indexgate_policy.rules.verdict import Verdict
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Client, Release

_HINTS = {
    FILE_UNLISTED: "Make the lock anew; if the index never had this, find out where it came from.",
    HASH_DIFFERS: "Do not install it: the lock or the file was changed. Compare the lock with an"
    " older one, then make it anew.",
}
_UNREAD = Unknown(reason="the store cannot be read")


class Stands(Struct, frozen=True, kw_only=True):
    """Which addresses are those of the gate and of the indexes behind it.

    `indexes` are simple indexes, `roots` those of the gate; all end with a slash.
    """

    indexes: frozenset[str]
    roots: tuple[str, ...]

    def for_index(self, url: str | None) -> bool:
        """Tell whether the index that a lock writes as *url* is asked through the gate.

        Who asks it, by the credentials in *url*, makes no difference.
        """
        if url is None or f"{url.rstrip('/')}/" in self.indexes:
            return True
        try:
            return web_address.parse(url).url in self.indexes
        except ValueError:
            return False

    def address(self, file: PinnedFile) -> str | None:
        """Return the gate's address of *file*, canonical, as far as the lock tells it."""
        if file.url is None or file.filename is None:
            return None
        root = next((each for each in self.roots if file.url.startswith(f"{each}{PREFIX}/")), None)
        try:
            if root is not None:
                return canonical(file.url[len(root) :])
            if "~" in (urlsplit(file.url).hostname or ""):  # no port there, as it is at the gate
                return None
            return canonical(address_of(file.url, file.filename))
        except ValueError:
            return None


_Met: TypeAlias = tuple[PageFile, int | None] | CheckedFile
"""A listed file and its line in the lock, or a file that is unlisted."""


async def judge_entry(
    parts: Parts, lock: Lock, entry: Pinned | Unasked, stands: Stands, client: Client
) -> Checked:
    """Judge an *entry* of *lock* as *client* would get it."""
    if isinstance(entry, Unasked):
        return Checked(
            requirement=entry.text,
            project=entry.name,
            action="skipped" if entry.harmless else "not judged",
            reason=entry.reason,
            **_place(lock, entry),
        )
    blank = _blank(lock, entry)
    if not stands.for_index(entry.index):
        reason = f"it comes from another index, {redact(entry.index or '')}"
        return blank(action="not judged", reason=reason)
    try:
        listed = await parts.indexes.listing(entry.name)
    except NoSuchProject:
        return _unlisted(blank, f"the index has no project {entry.name}")
    except UpstreamFailed as error:
        return blank(action="failed", reason=f"upstream {error.reason}")
    release = _release(listed, entry.version)
    if release is None or not release.files:
        return _unlisted(blank, f"the index lists no {entry.name} {entry.version}")
    met = _met(listed, release, entry, stands)
    assessment = await known_of(parts, listed)
    verdicts = judge_release(
        release,
        assessment,
        parts.gate.policy.current(),
        client,
        parts.clock(),
        presentation=parts.gate.presentation,
        others=listed.releases,
    )
    notes = (*_bare(entry), *page_notes(listed, release))
    return _checked(blank, notes, met, verdicts)


async def known_of(parts: Parts, listed: Listing) -> Assessment | Unknown:
    """Return what is known of a project; unlike an installer, a check can wait for the JSON."""
    facts = parts.indexes.gate_of(listed).facts
    await facts.of(listed)
    await facts.settled()
    return facts.known(listed.project.name) or _UNREAD


def page_notes(listed: Listing, release: Release) -> Iterable[str]:
    """Yield what is odd about *release* and about the page as a whole."""
    if release.yanked:
        pages = {file.filename: file for file in listed.page.files}
        said = (pages[file.filename].yanked for file in release.files)
        why = next((each for each in said if isinstance(each, str)), "")
        yield f"upstream yanked it{': ' if why else ''}{why}"
    if listed.snapshot.stale:
        yield f"the page is stale: {listed.snapshot.stale}"


def unlisted_hint(rule: str) -> str:
    """Return how to go on after the finding *rule*."""
    return _HINTS[rule]


class _Place(TypedDict):
    place: str
    path: str | None
    line: int | None


def _place(lock: Lock, entry: Pinned | Unasked) -> _Place:
    """Return where *entry* stands; an environment has no lines, stdin no file."""
    if lock.format == "environment":
        return _Place(place=shown(lock.path), path=None, line=None)
    path = None if lock.path == STDIN_SHOWN else lock.path
    place = f"{shown(lock.path)}:{entry.line}"
    return _Place(place=place, path=path, line=entry.line)


def _blank(lock: Lock, entry: Pinned) -> Callable[..., Checked]:
    def checked(**found: object) -> Checked:
        return Checked(
            requirement=f"{entry.name}=={entry.version}",
            project=entry.name,
            version=entry.version,
            chosen="pinned",
            how="pinned",
            **_place(lock, entry),
            **found,  # type: ignore[arg-type]
        )

    return checked


def _bare(entry: Pinned) -> Iterable[str]:
    """Yield that files of *entry* are pinned by their names alone, if some are."""
    bare = sum(not file.hashes for file in entry.files)
    if bare:
        yield f"the lock has no hash for {bare} of its {len(entry.files)} files"


def _unlisted(blank: Callable[..., Checked], reason: str) -> Checked:
    return blank(action="unlisted", rule=FILE_UNLISTED, reason=reason, hint=_HINTS[FILE_UNLISTED])


def _release(listed: Listing, version: str) -> Release | None:
    """Return the release that is *version* by PEP 440, else by its text."""
    try:
        wanted: Version | None = Version(version)
    except InvalidVersion:
        wanted = None
    for release in listed.releases:
        if release.version == version or (wanted is not None and release.parsed == wanted):
            return release
    return None


def _met(listed: Listing, release: Release, entry: Pinned, stands: Stands) -> Sequence[_Met]:
    """Return what the index has for each of the entry's files.

    An entry without files may be any file of the version.
    """
    names = {file.filename for file in release.files}
    pages = {file.filename: file for file in listed.page.files if file.filename in names}
    if not entry.files:
        return [(page, None) for page in pages.values()]
    return [_meet(pages, file, listed, stands) for file in entry.files]


def _meet(pages: Mapping[str, PageFile], file: PinnedFile, listed: Listing, stands: Stands) -> _Met:
    named = pages.get(file.filename or "")
    if named is None:
        named = next((page for page in pages.values() if _hashes(page) & file.hashes), None)
    if named is None:
        digest = min(file.hashes, default="")
        what = file.filename or (f"file with the hash {digest}" if digest else "file")
        return _missing(file, FILE_UNLISTED, f"the index lists no {what}", what)
    own = _hashes(named)
    kinds = {text.partition(":")[0] for text in own}
    compared = sorted(text for text in file.hashes if text.partition(":")[0] in kinds)
    if compared and not own & file.hashes:
        wanted = compared[0].partition(":")[0]
        theirs = next(text for text in sorted(own) if text.startswith(f"{wanted}:"))
        reason = f"{named.filename} is {compared[0]} in the lock and {theirs} on the index"
        return _missing(file, HASH_DIFFERS, reason, named.filename)
    unknown = min(file.hashes - own, default=None)
    # Installers take what has any of the hashes, so one that nobody vouches for is as good as none.
    if (unknown or not file.hashes) and _is_elsewhere(file, named, listed, stands):
        lacks = f"the hash {unknown} that the index does not tell" if unknown else "no hash"
        reason = f"{named.filename} has {lacks} in the lock and is taken from another address"
        return _missing(file, FILE_UNLISTED, reason, named.filename)
    return named, file.line


def _is_elsewhere(file: PinnedFile, named: PageFile, listed: Listing, stands: Stands) -> bool:
    """Tell whether the lock takes *file* from an address that is not the index's for *named*."""
    if file.url is None:
        return False
    address = stands.address(file)
    listed_there = None if address is None else listed.at(address)
    return listed_there is None or listed_there.filename != named.filename


def _missing(file: PinnedFile, rule: str, reason: str, filename: str) -> CheckedFile:
    return CheckedFile(
        filename=filename, action="unlisted", rule=rule, reason=reason, line=file.line
    )


def _hashes(page: PageFile) -> frozenset[str]:
    return frozenset(f"{kind}:{digest}".lower() for kind, digest in page.hashes.items())


def _checked(
    blank: Callable[..., Checked],
    odd: Sequence[str],
    met: Sequence[_Met],
    verdicts: Mapping[str, Verdict],
) -> Checked:
    judged = [verdicts[each[0].filename] for each in met if not isinstance(each, CheckedFile)]
    missing = [each for each in met if isinstance(each, CheckedFile)]
    missing.sort(key=lambda each: each.rule != HASH_DIFFERS)  # the graver first
    refusals = [verdict for verdict in judged if verdict.refused]
    passing = [verdict for verdict in judged if not verdict.refused]
    warnings = tuple(dict.fromkeys(w for verdict in passing for w in verdict.warnings))
    files = tuple(_file(each, verdicts) for each in met)
    notes = list(odd)
    if refusals and passing:
        some = f"{len(refusals)} of {len(judged)} files are refused: {refusals[0].reason}"
        notes.insert(0, some)
    if refusals and not passing:
        first = refusals[0]
        notes += [each.reason for each in missing[:1]]
        told = {"rule": first.rule, "reason": first.reason, "hint": first.hint}
        return blank(action="refuse", notes=tuple(notes), files=files, **told)
    found = blank(
        action="warn" if warnings else "allow", warnings=warnings, notes=tuple(notes), files=files
    )
    if not missing:
        return found
    worst = missing[0]
    more = f" and {len(missing) - 1} more like it" if len(missing) > 1 else ""
    return replace(
        found,
        action="unlisted",
        rule=worst.rule,
        reason=worst.reason + more,
        hint=_HINTS[worst.rule],
    )


def _file(met: _Met, verdicts: Mapping[str, Verdict]) -> CheckedFile:
    if isinstance(met, CheckedFile):
        return met
    page, line = met
    verdict = verdicts[page.filename]
    return CheckedFile(
        filename=page.filename,
        action=verdict.action,
        rule=verdict.rule,
        reason=verdict.reason,
        line=line,
    )
