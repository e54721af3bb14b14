"""`indexgate replay`: what a draft policy would have done, beside the policy in force."""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import Struct

from indexgate.cli import settings_options
from indexgate.cli.log import moment
from indexgate.cli.settings_options import settings_options as with_settings
from indexgate.config import Given, Settings
from indexgate.errors import GateError
from indexgate.redact import redact

if TYPE_CHECKING:  # `--help` does without the database
    from indexgate.cli.refresh_progress import Shown
    from indexgate.policy_file import PolicyInForce
    from indexgate.replay.exposure import Exposure
    from indexgate.replay.kept_pages import KeptPages
    from indexgate.replay.replayed import Replayed
    from indexgate.replay.replaying import Replaying
    from indexgate.store.past_alone import KeptPast
    from indexgate.upstream_choice import UpstreamChoice

_SETTINGS = ("config", "upstream", "upstream_public", "policy", "state", "presentation", "offline")
_LAST = "30d"
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


@click.command(
    name="replay",
    epilog="Examples: indexgate replay draft.toml; indexgate replay strict --last 14d;"
    " indexgate replay draft.toml --lock uv.lock; indexgate replay draft.toml --incidents"
    " known.tsv. POLICY is a file or the name of a shipped policy; the policy in force (--policy)"
    " is tried on the same. Every ask is judged by what was known at its time; what nobody kept is"
    " counted as not judged. The record is read from the state folder: no gate has to run, none is"
    " disturbed.",
)
@click.argument("draft", metavar="POLICY")
@click.option(
    "--last",
    metavar="TIME",
    help="How far back (12h, 7d, 4w), or from which day (2026-11-01, in UTC)."
    f"  [default: {_LAST}; of a lock, all of its history]",
)
@click.option(
    "--lock",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A lock file in git: every version of it that was committed, instead of the record.",
)
@click.option(
    "--incidents",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A table of known incidents (docs/tasks/replay-a-policy.md), instead of the record.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings(_SETTINGS)
def command(
    *,
    draft: str,
    last: str | None,
    lock: Path | None,
    incidents: Path | None,
    as_json: bool,
    **given: Given,
) -> int:
    """Try a draft policy on the past, beside the policy in force."""
    if lock is not None and incidents is not None:
        raise click.UsageError("Give `--lock` or `--incidents`, not both")
    if incidents is not None and last is not None:
        raise click.UsageError("`--last` says nothing of incidents; leave it out")
    settings = settings_options.settings(given)
    now = datetime.now(UTC)
    policies = _policies(draft, settings, now)
    if incidents is not None:
        _tell_exposure(_exposure(incidents, policies, settings), as_json=as_json)
        return 0
    upstream = settings_options.upstream(settings)
    for notice in (*settings.notices, *upstream.notices):
        click.echo(f"note: {redact(notice)}", err=True)
    back = moment(last or _LAST, now) if last or lock is None else _EVER
    tried = _Tried(settings, upstream, policies, back, now)
    _tell(_record(tried) if lock is None else _lock(lock, tried), as_json=as_json)
    return 0


class _Tried(Struct, frozen=True):
    """What is tried: the draft and the policy in force, on what, from when to when."""

    settings: Settings
    upstream: "UpstreamChoice"
    policies: tuple["PolicyInForce", "PolicyInForce"]
    since: datetime
    now: datetime

    @property
    def places(self) -> tuple[str, str]:
        return self.policies[0].place, self.policies[1].place

    @property
    def store(self) -> Path:
        from indexgate.store.engines import STORE_FILE

        return self.settings.state / STORE_FILE

    def replaying(self) -> "Replaying":
        from indexgate.replay.replaying import Replaying

        draft, in_force = self.policies
        return Replaying(draft.current(), in_force.current(), self.settings.presentation)

    def pages(self, kept: "KeptPast") -> "KeptPages":
        from indexgate.replay.kept_pages import KeptPages

        return KeptPages(self.settings.state / "pages", self.upstream.all, kept)


def _policies(
    draft: str, settings: Settings, now: datetime
) -> tuple["PolicyInForce", "PolicyInForce"]:
    """Return the draft and the policy in force, both with the exemptions that are granted."""
    from indexgate import granted_file
    from indexgate.policy_file import PolicyInForce

    def clock() -> datetime:
        return now

    granted = settings.state / granted_file.NAME
    return (
        PolicyInForce(draft, clock=clock, granted=granted),
        PolicyInForce(settings.policy, clock=clock, granted=granted),
    )


def _record(tried: _Tried) -> "Replayed":
    from indexgate.replay.of_record import replay_record
    from indexgate.store.past_alone import past_at

    with past_at(tried.store, lambda: tried.now) as kept, _progress() as shown:
        return replay_record(
            tried.pages(kept),
            tried.replaying(),
            places=tried.places,
            since=tried.since,
            now=tried.now,
            begin=lambda total: shown.begin("projects", total),
            step=lambda: shown.step(""),
        )


def _lock(path: Path, tried: _Tried) -> "Replayed":
    from indexgate import certificates, logs
    from indexgate.replay.lock_history import versions
    from indexgate.replay.of_lock import pins, replay_lock
    from indexgate.store.past_alone import past_at
    from indexgate.web.fetched import fetch_pages

    logs.configure(
        form=tried.settings.log_format, level=tried.settings.log_level, environ=os.environ
    )
    certificates.check(tried.settings, tried.upstream)
    found = versions(path, tried.since)
    with _progress() as shown:
        shown.begin("versions of the lock", len(found))
        asked = partial(_through_the_gate, tried)
        pinned, elsewhere = pins(path, found, asked=asked, step=lambda: shown.step(""))
        shown.begin("pages", len(pinned))
        fetched = asyncio.run(
            fetch_pages(tried.settings, tried.upstream, sorted(pinned), step=shown.step)
        )
        for sentence in fetched.failed:
            click.echo(f"note: {sentence}", err=True)
        shown.begin("projects", len(pinned))
        with past_at(tried.store, lambda: tried.now) as kept:
            return replay_lock(
                tried.pages(kept),
                tried.replaying(),
                pinned,
                fetched.owners,
                lock=str(path),
                elsewhere=elsewhere,
                places=tried.places,
                since=tried.since,
                now=tried.now,
                step=lambda: shown.step(""),
            )


def _through_the_gate(tried: _Tried, index: str) -> bool:
    """Tell whether *index*, as a lock writes it, is asked through the gate."""
    from indexgate import public_index, web_address
    from indexgate.upstream_choice import is_the_gate

    try:
        address = web_address.parse(index)
    except ValueError:
        return False
    ours = {one.url for one in tried.upstream.all}
    if any(one.public for one in tried.upstream.all):  # a mirror stands for it
        ours.add(web_address.parse(public_index.address()).url)
    return address.url in ours or is_the_gate(address, tried.settings)


def _exposure(
    path: Path, policies: tuple["PolicyInForce", "PolicyInForce"], settings: Settings
) -> "Exposure":
    from indexgate.replay.exposure import expose
    from indexgate.replay.incidents import incidents, read_rows

    try:
        with path.open(encoding="utf-8", newline="") as file:
            known = list(incidents(read_rows(file)))
    except OSError as error:
        raise GateError(
            "incidents-unreadable", f"`{path}` cannot be read: {error.strerror or error}"
        ) from error
    except ValueError as error:
        raise GateError(
            "incidents-unreadable",
            f"`{path}` is no table of incidents: {error}",
            "docs/tasks/replay-a-policy.md says what the columns are.",
        ) from error
    draft, in_force = policies
    with _progress() as shown:
        shown.begin("incidents", len(known))
        return expose(
            known,
            draft.current(),
            in_force.current(),
            places=(draft.place, in_force.place),
            presentation=settings.presentation,
            step=lambda: shown.step(""),
        )


@contextmanager
def _progress() -> Iterator["Shown"]:
    from indexgate.cli.refresh_progress import Shown, shown

    if sys.stderr.isatty():
        with shown() as bar:
            yield bar
    else:
        yield Shown(None)


def _tell(replayed: "Replayed", *, as_json: bool) -> None:
    from indexgate.cli import replay_forms  # `--help` needs no rich

    if as_json:
        click.echo(replay_forms.as_json(replayed))
    else:
        replay_forms.print_replayed(replayed)


def _tell_exposure(exposure: "Exposure", *, as_json: bool) -> None:
    from indexgate.cli import replay_forms

    if as_json:
        click.echo(replay_forms.as_json(exposure))
    else:
        replay_forms.print_exposure(exposure)
