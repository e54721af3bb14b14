"""What a store keeps of the past, opened alone, for reading: also while a gate writes it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from msgspec import Struct
from sqlalchemy import Engine

from indexgate.store.advisories import StoredAdvisories
from indexgate.store.assessments import Assessments
from indexgate.store.database import stored_revision
from indexgate.store.engines import (
    DATABASE_ERRORS,
    StoreFailed,
    reading_engine,
    store_failed,
    store_url,
    writing_engine,
)
from indexgate.store.events import Events
from indexgate.store.facts_then import FactsThen
from indexgate.store.kept import Kept
from indexgate.store.projects import Projects
from indexgate.store.reader import Reader
from indexgate.store.refused import Refused
from indexgate.store.schema import REVISION
from indexgate.store.served import Served
from indexgate.store.writer import Writer


class KeptPast(Struct, frozen=True, kw_only=True):
    """The parts of a store that tell of the past. Only ask them: nothing may be written."""

    served: Served
    refused: Refused
    facts_then: FactsThen
    assessments: Assessments
    advisories: StoredAdvisories
    events: Events
    projects: Projects
    created_at: datetime | None


@contextmanager
def past_at(place: Path, clock: Callable[[], datetime]) -> Iterator[KeptPast]:
    """Open the past in the store's file at *place*.

    Raises StoreFailed, its message with the place: there is no such file, it cannot be read, or
    its tables are those of another release.
    """
    url = store_url(place)
    if not place.is_file():  # SQLite would make one
        raise StoreFailed(
            "store-missing",
            f"there is no store at `{place}`",
            "A gate makes it at its first start; `--state` names its folder.",
        )
    engine = reading_engine(url)
    # The engine for writing connects only when something is written, and nothing is.
    writer, reader = Writer(writing_engine(url)), Reader(engine)
    try:
        _hold_to_release(engine)
        made = Kept(reader, writer).get("created-at")
        yield KeptPast(
            served=Served(reader, writer),
            refused=Refused(reader),
            facts_then=FactsThen(reader),
            assessments=Assessments(reader, writer, clock),
            advisories=StoredAdvisories(reader, writer, clock),
            events=Events(reader, writer),
            projects=Projects(reader, writer),
            created_at=None if made is None else datetime.fromisoformat(made),
        )
    except StoreFailed as error:
        message = f"{error.message} (the store is at `{place}`)"
        raise StoreFailed(error.reference, message, error.hint) from error
    except DATABASE_ERRORS as error:
        raise store_failed(error) from error
    finally:
        reader.close()
        writer.close()


def _hold_to_release(engine: Engine) -> None:
    with engine.connect() as connection:
        revision = stored_revision(connection)
    if revision != REVISION:
        raise StoreFailed(
            "store-other-release",
            f"the store has tables of revision `{revision}`, and this release reads `{REVISION}`",
            "Start the gate of this release once with this state folder.",
        )
