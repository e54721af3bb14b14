"""The manifest: what a snapshot is, how long it holds, and what its files are.

It is JSON, and its very bytes are signed. `format` is looked at before anything else, so that a
later format is told apart from a broken file.
"""

from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec import Struct

from indexgate.snapshot.faults import SnapshotFailed

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
ASSESSMENTS: Final = "assessments.parquet"
DOWNLOADS: Final = "downloads.parquet"
LICENCE: Final = "CC-BY-4.0"
"""The licence of a snapshot as a whole: it asks for no more than that its sources are named."""

CLOCKS_APART: Final = timedelta(minutes=5)
"""How far two honest clocks may be apart."""


class IndexIdentity(Struct, frozen=True, kw_only=True):
    """Which index the snapshot speaks of; `url` has no credentials, `public` as in `Project`."""

    url: str
    id: str
    public: bool


class SnapshotFile(Struct, frozen=True, kw_only=True):
    """A file of the snapshot: `sha256` in hex digits, `size` in bytes, `rows` of the table."""

    name: str
    sha256: str
    size: int
    rows: int


class SourceDates(Struct, frozen=True, kw_only=True):
    """How many signals came from a source under a licence, and when it was asked."""

    source: str
    licence: str
    signals: int
    oldest: datetime
    newest: datetime


class LeftOut(Struct, frozen=True, kw_only=True):
    """What was not passed on: `signals` for their licence or because they are private.

    `private` counts projects left out by name. `again` counts those that were assessed again
    without such signals; `without_page` of them without their releases, as no page was at hand.
    """

    signals: int = 0
    private: int = 0
    again: int = 0
    without_page: int = 0


class Manifest(Struct, frozen=True, kw_only=True):
    """What a snapshot says of itself. `serial` grows from one to the next of the same maker."""

    format: int
    serial: int
    created: datetime
    expires: datetime
    made_by: str
    index: IndexIdentity
    formulas: tuple[str, ...]
    licence: str
    attribution: tuple[str, ...]
    sources: tuple[SourceDates, ...]
    left_out: LeftOut
    files: tuple[SnapshotFile, ...]

    def file(self, name: str) -> SnapshotFile | None:
        """Return what is said of the file *name*, None when the snapshot has none."""
        return next((file for file in self.files if file.name == name), None)


class _Versioned(msgspec.Struct):
    format: int


_versioned = msgspec.json.Decoder(_Versioned)
_decoder = msgspec.json.Decoder(Manifest)


def encode(manifest: Manifest) -> bytes:
    """Return the bytes that are signed: JSON that people can read."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def decode(content: bytes) -> Manifest:
    """Return the manifest in *content*, whose signature is right.

    Raises SnapshotFailed `snapshot-format`, `snapshot-manifest`.
    """
    try:
        version = _versioned.decode(content).format
        if version != FORMAT:
            raise SnapshotFailed(
                "snapshot-format",
                f"the snapshot has format {version}, and this release reads format {FORMAT}",
                "Use the release of indexgate that made it.",
            )
        manifest = _decoder.decode(content)
    except msgspec.MsgspecError as error:
        raise SnapshotFailed(
            "snapshot-manifest", f"`{MANIFEST}` is signed, but no manifest: {error}"
        ) from error
    names = [file.name for file in manifest.files]
    if len(names) != len(set(names)) or not {ASSESSMENTS} <= set(names) <= {ASSESSMENTS, DOWNLOADS}:
        raise SnapshotFailed("snapshot-manifest", f"`{MANIFEST}` names other files than it may")
    moments = manifest.created, manifest.expires
    if any(moment.tzinfo is None for moment in moments):
        raise SnapshotFailed("snapshot-manifest", f"`{MANIFEST}` has times without a zone")
    return manifest


def check_times(manifest: Manifest, now: datetime) -> None:
    """Raise SnapshotFailed when the snapshot has expired at *now*, or is of the future."""
    if now < manifest.created - CLOCKS_APART:
        raise SnapshotFailed(
            "snapshot-from-the-future",
            f"the snapshot was made on {_shown(manifest.created)},"
            f" and this machine's clock says {_shown(now)}",
            "Set the clock right; `--allow-expired` goes by the snapshot's own word.",
        )
    if now >= manifest.expires:
        raise SnapshotFailed(
            "snapshot-expired",
            f"the snapshot of {_shown(manifest.created)} held until {_shown(manifest.expires)}",
            "Get a newer one, or give `--allow-expired` to use it all the same.",
        )


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
