"""What the commands of `indexgate exempt` work on: the policy, what is granted, and the book."""

import contextlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from indexgate import exempting, granted_file, state_folder
from indexgate.cli import settings_options
from indexgate.cli.login_name import login_name
from indexgate.config import Given
from indexgate.errors import GateError
from indexgate.granted_file import Tables
from indexgate.policy_file import PolicyInForce
from indexgate.run.held import POSSIBLE, held
from indexgate.store.database import Store, open_store
from indexgate.store.engines import STORE_FILE
from indexgate.team_tables import TeamTable
from indexgate.teams import configured
from indexgate_policy.rules.document import Policy


class Book(Struct, frozen=True, kw_only=True):
    """The policy `written` down, the policy `in_force` with what was granted, and the store.

    `path` is the file of granted exemptions, `by` who is at work, `teams` are those of the
    settings.
    """

    written: Policy
    in_force: Policy
    path: Path
    run: Path
    store: Store
    by: str
    teams: tuple[TeamTable, ...]
    now: datetime

    @property
    def granted(self) -> frozenset[str]:
        """The ids of what was granted apart from the policy."""
        own = {exemption.id for exemption in self.written.exemptions}
        return frozenset(e.id for e in self.in_force.exemptions if e.id not in own)

    def team(self, name: str | None) -> str | None:
        """Return the team *name* if the settings have it, None for None. Raises GateError."""
        return None if name is None else configured(name, self.teams)

    @contextmanager
    def changed(self) -> Iterator[Tables]:
        """Give what is granted, to be changed by nobody else meanwhile. Raises Explained."""
        lock = held(self.run / "exemptions.lock") if POSSIBLE else contextlib.nullcontext()
        with lock, granted_file.changed(self.path) as tables:
            yield tables


@contextmanager
def opened(given: Mapping[str, Given], *, by: str | None = None) -> Iterator[Book]:
    """Open the book of the settings *given*. Raises Explained."""
    author = exempting.line(login_name() if by is None else by, "--by")
    settings = settings_options.settings(given)
    state = state_folder.open_state(settings.state)
    path = state.path / granted_file.NAME

    def now() -> datetime:
        return datetime.now(UTC)

    written = PolicyInForce(settings.policy, clock=now).current()
    joined = PolicyInForce(settings.policy, clock=now, granted=path)
    if joined.grants_broken:
        raise GateError(
            "exemptions-broken",
            joined.grants_broken,
            "Mend the file, or remove it: then nothing is granted.",
        )
    store = open_store(state.path / STORE_FILE, now)
    try:
        yield Book(
            written=written,
            in_force=joined.current(),
            path=path,
            run=state.run,
            store=store,
            by=author,
            teams=settings.teams,
            now=now(),
        )
    finally:
        store.close()
