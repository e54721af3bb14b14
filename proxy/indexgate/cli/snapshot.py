"""`indexgate snapshot`: give what is known to other gates, signed, and take it in."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexgate.cli import settings_options
from indexgate.cli.index_option import chosen, index_option
from indexgate.cli.settings_options import settings_options as with_settings
from indexgate.cli.stepping_back import stepping_back
from indexgate.config import Given, Settings
from indexgate.errors import GateError
from indexgate.redact import redact
from indexgate.upstream_choice import UpstreamChoice
from indexgate_policy.rules import durations

if TYPE_CHECKING:
    from indexgate.cli.refresh_progress import Shown
    from indexgate.index.page_folder import PageFolder
    from indexgate.snapshot.read import SignedSnapshot
    from indexgate.store.database import Store
    from indexgate_policy.assessment import PopularNames

_STORE = ("config", "upstream", "upstream_public", "state")
_KEYS = ("config", "snapshot_key")
_FOLDER = click.Path(path_type=Path)
_LONGEST = timedelta(days=3650)
_LONGEST_REST = 0.1  # seconds
_REST_SHARE = 0.25
_TOLD_EVERY = 5_000


@click.group(
    name="snapshot",
    epilog="A snapshot is a folder with Parquet files and a signed manifest. Its maker runs"
    " indexgate snapshot keygen once and gives the public key to others, who set it as"
    " snapshot_key.",
)
def command() -> None:
    """Give what is known of projects to other gates, signed, and take it in."""


@command.command(name="export", epilog="It may run beside a gate that serves.")
@click.argument("folder", type=_FOLDER)
@click.option(
    "--sign-with",
    "key",
    type=_FOLDER,
    required=True,
    metavar="FILE",
    help="Private key to sign with.",
)
@click.option(
    "--lasts",
    default="14d",
    show_default=True,
    metavar="TIME",
    help="How long it may be taken in (12h, 14d, 4w).",
)
@click.option(
    "--history",
    is_flag=True,
    help="Also the daily downloads of projects with 10 or more a day.",
)
@index_option
@with_settings((*_STORE, "private_names"))
def export(
    *, folder: Path, key: Path, lasts: str, history: bool, of_index: str | None, **given: Given
) -> int:
    """Write a snapshot of all that is known and may be passed on to the new folder FOLDER.

    What a licence does not allow to pass on stays out, and what was made with it is assessed again
    without it. So does what this gate's own clients ask for, and private_names.
    """
    from indexgate.snapshot.faults import must_be_installed

    must_be_installed()
    from indexgate.cli import snapshot_forms
    from indexgate.snapshot import downloads, give_out
    from indexgate.snapshot.assess_again import AssessAgain
    from indexgate.snapshot.manifest import IndexIdentity

    holds, now = _duration(lasts), datetime.now(UTC)
    settings, indexes = _gate(given)
    upstream = chosen(indexes, of_index)
    private = (*settings.private_names, *indexes.private_namespaces)
    index = IndexIdentity(url=redact(upstream.url), id=upstream.index_id, public=upstream.public)
    with (
        stepping_back(),
        _store(settings) as store,
        asyncio.Runner() as runner,
        _progress() as progress,
    ):
        again = AssessAgain(
            store=store,
            index_id=upstream.index_id,
            public=upstream.public,
            pages=_pages(settings, upstream),
            popular=_popular(upstream),
            now=now,
            runner=runner,
            log=lambda _event, text: click.echo(f"note: {text}", err=True),
        )
        progress.begin("assessments", None)
        made = give_out.give_out(
            folder,
            index,
            key=key,
            lasts=holds,
            again=again,
            now=now,
            private=lambda name: any(fnmatchcase(name, pattern) for pattern in private),
            further=downloads.writer(store, upstream.index_id, now.date()) if history else None,
            tell=_counted(progress),
        )
    snapshot_forms.print_made(folder, made)
    return 0


@command.command(
    name="import",
    epilog="It may run beside a gate that serves from the same state folder, and be repeated when"
    " it was broken off. What was assessed here keeps its result until it is refreshed.",
)
@click.argument("folder", type=_FOLDER)
@click.option("--allow-older", is_flag=True, help="Also one older than the last one taken in.")
@click.option("--allow-expired", is_flag=True, help="Also one that has expired.")
@index_option
@with_settings((*_STORE, "snapshot_key"))
def take(
    *,
    folder: Path,
    allow_older: bool,
    allow_expired: bool,
    of_index: str | None,
    **given: Given,
) -> int:
    """Take the snapshot in FOLDER into the store."""
    from indexgate.snapshot.faults import must_be_installed

    must_be_installed()
    from indexgate.cli import snapshot_forms
    from indexgate.snapshot import downloads, manifest, read, take_in

    now = datetime.now(UTC)
    settings, indexes = _gate(given)
    upstream = chosen(indexes, of_index)
    snapshot = read.open_snapshot(folder, settings.snapshot_key)
    about = snapshot.manifest.index
    take_in.check_index(about, upstream.index_id, public=upstream.public)
    if not allow_expired:
        manifest.check_times(snapshot.manifest, now)
    with stepping_back(), _store(settings) as store, _progress() as progress:
        if not allow_older:
            take_in.check_serial(snapshot, take_in.last(store, snapshot.key, upstream.index_id))
        progress.begin("files checked", len(snapshot.manifest.files))
        read.check(snapshot, progress.step)
        progress.begin("projects", snapshot.manifest.files[0].rows)
        taken = take_in.take_in(
            store, snapshot, upstream.index_id, now, tell=_counted(progress), rest=_rest()
        )
        days = downloads.take_in(store, snapshot, upstream.index_id, tell=progress.step)
    snapshot_forms.print_taken(snapshot, taken, days)
    return 0


@command.command(name="verify")
@click.argument("folder", type=_FOLDER)
@click.option("--allow-expired", is_flag=True, help="Also one that has expired.")
@with_settings(_KEYS)
def verify(*, folder: Path, allow_expired: bool, **given: Given) -> int:
    """Check who signed the snapshot in FOLDER, when it expires, and every file of it."""
    from indexgate.cli import snapshot_forms
    from indexgate.snapshot import manifest, read

    snapshot = read.open_snapshot(folder, settings_options.settings(given).snapshot_key)
    if not allow_expired:
        manifest.check_times(snapshot.manifest, datetime.now(UTC))
    with _progress() as progress:
        progress.begin("files checked", len(snapshot.manifest.files))
        read.check(snapshot, progress.step)
    snapshot_forms.print_verified(snapshot)
    return 0


@command.command(name="diff")
@click.argument("old", type=_FOLDER)
@click.argument("new", type=_FOLDER)
@click.option(
    "--moves",
    type=click.FloatRange(0),
    default=5.0,
    show_default=True,
    metavar="POINTS",
    help="Show scores that moved by so much or more.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings(_KEYS)
def diff(*, old: Path, new: Path, moves: float, as_json: bool, **given: Given) -> int:
    """Show what the snapshot NEW has otherwise than OLD: names, scores, flags."""
    from indexgate.cli import snapshot_forms
    from indexgate.snapshot import difference

    before, after = _both(old, new, settings_options.settings(given).snapshot_key)
    found = difference.difference(before, after, moves)
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    else:
        snapshot_forms.print_difference(found, moves)
    return 0


@command.command(name="keygen")
@click.argument("file", type=_FOLDER)
def keygen(file: Path) -> int:
    """Make a key to sign with: the private one goes to the new FILE, the public one to stdout."""
    from indexgate.snapshot import signing

    public = signing.new_key(file)
    click.echo(public)
    click.echo(
        f"note: `{file}` is private: whoever has it can sign in your name. Give the line above to"
        " those who shall take in your snapshots.",
        err=True,
    )
    return 0


@command.command(name="keys")
@click.option(
    "--of", "file", type=_FOLDER, metavar="FILE", help="Print the public key of this one."
)
@index_option
@with_settings((*_STORE, "snapshot_key"))
def keys(*, file: Path | None, of_index: str | None, **given: Given) -> int:
    """Show whose snapshots are taken in, and the last one of each."""
    from indexgate.cli import snapshot_forms
    from indexgate.snapshot import signing

    if file is not None:
        click.echo(signing.public_key(file))
        return 0
    settings, indexes = _gate(given)
    upstream = chosen(indexes, of_index)
    with _store(settings) as store:
        snapshot_forms.print_keys(settings.snapshot_key, store, upstream.index_id)
    return 0


def _gate(given: dict[str, Given]) -> tuple[Settings, UpstreamChoice]:
    settings = settings_options.settings(given)
    upstream = settings_options.upstream(settings)
    for notice in (*settings.notices, *upstream.notices):
        click.echo(f"note: {redact(notice)}", err=True)
    return settings, upstream


@contextmanager
def _store(settings: Settings) -> "Iterator[Store]":
    from indexgate import state_folder
    from indexgate.store.database import open_store
    from indexgate.store.engines import STORE_FILE

    state = state_folder.open_state(settings.state)
    store = open_store(state.path / STORE_FILE, lambda: datetime.now(UTC))
    try:
        yield store
    finally:
        store.close()


def _pages(settings: Settings, upstream: UpstreamChoice) -> "PageFolder":
    from indexgate.index.page_folder import PageFolder

    return PageFolder(settings.state / "pages", upstream.index_id, settings.cache_size)


def _popular(upstream: UpstreamChoice) -> "PopularNames":
    from indexgate.sources import popular
    from indexgate_policy.lookalike import PopularNameList

    return popular.load() if upstream.public else PopularNameList(tuple)


def _both(
    old: Path, new: Path, trusted: tuple[str, ...]
) -> "tuple[SignedSnapshot, SignedSnapshot]":
    from indexgate.snapshot import read

    return read.open_snapshot(old, trusted), read.open_snapshot(new, trusted)


def _duration(text: str) -> timedelta:
    try:
        found = durations.parse(text)
    except (ValueError, OverflowError):
        found = timedelta(0)
    if not timedelta(0) < found <= _LONGEST:
        raise GateError(
            "duration-invalid",
            f"`{ascii(text[:100])[1:-1]}` is no time that a snapshot can last",
            "Write `--lasts 14d`, `12h` or `4w`, at most ten years.",
        )
    return found


@contextmanager
def _progress() -> "Iterator[Shown]":
    from indexgate.cli.refresh_progress import shown  # `--help` needs no rich

    with shown() as progress:
        yield progress


def _counted(progress: "Shown") -> Callable[[int], None]:
    """Return what is told how many are done in all."""
    done = 0

    def tell(count: int) -> None:
        nonlocal done
        if count - done >= _TOLD_EVERY:
            progress.step("", count - done)
            done = count

    return tell


def _rest() -> Callable[[], None]:
    """Return what leaves the disk and the store to others for a while, as long as it used them."""
    began = time.perf_counter()

    def rest() -> None:
        nonlocal began
        time.sleep(min(_LONGEST_REST, (time.perf_counter() - began) * _REST_SHARE))
        began = time.perf_counter()

    return rest
