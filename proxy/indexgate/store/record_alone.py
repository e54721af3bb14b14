"""The record opened alone, for reading: also while a gate writes it, and without making a store."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from indexgate.store.decisions import Decisions
from indexgate.store.engines import (
    DATABASE_ERRORS,
    StoreFailed,
    reading_engine,
    store_failed,
    store_url,
    writing_engine,
)
from indexgate.store.reader import Reader
from indexgate.store.writer import Writer


@contextmanager
def record_at(place: Path) -> Iterator[Decisions]:
    """Open the record in the store's file at *place*, for queries only.

    Unlike `open_store` this waits for no writer and changes nothing. Raises StoreFailed, its
    message with the place: there is no such file, or it cannot be read.
    """
    url = store_url(place)
    try:
        with place.open("rb"):  # SQLite would make a file that is not there
            pass
    except FileNotFoundError as error:
        raise StoreFailed(
            "store-missing",
            f"there is no store at `{place}`",
            "A gate makes it at its first start; `--state` names its folder.",
        ) from error
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise StoreFailed(
            "store-unreachable", f"cannot read the store at `{place}`: {reason}"
        ) from (error)
    # The engine for writing connects only when something is written, and nothing is.
    writer, reader = Writer(writing_engine(url)), Reader(reading_engine(url))
    try:
        yield Decisions(reader, writer)
    except StoreFailed as error:
        message = f"{error.message} (the store is at `{place}`)"
        raise StoreFailed(error.reference, message, error.hint) from error
    except DATABASE_ERRORS as error:
        raise store_failed(error) from error
    finally:
        reader.close()
        writer.close()
