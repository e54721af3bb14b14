from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from indexgate.store.database import Store
from indexgate.store.engines import DATABASE_ERRORS, StoreFailed
from indexgate.store.prepared import first_of, write_each
from indexgate.store.schema import assessments, kept
from indexgate.store.upserts import insert_or_change
from indexgate_policy.signals import Signal, Unknown
from tests.proxy.store.conftest import Clock

_ALL = select(assessments).order_by(assessments.c.project)
_INSERT = insert(assessments).inline()
_KEPT = insert(kept)


def an_assessment(clock: Clock, project: str) -> dict[str, Any]:
    """A row with columns of all kinds: texts, moments, JSON, packed JSON, none."""
    said = Signal(name="stars", value=3, source="x", observed_at=clock.now)
    return {
        "index_id": "i",
        "project": project,
        "formula": "f",
        "inputs": (said, Signal(name="forks", value=Unknown(reason="?"), **_seen(clock))),
        "flags": (),
        "score": "too little is known",
        "score_lines": (),
        "assessed_at": clock.now + timedelta(microseconds=1),
        "valid_until": clock.now + timedelta(days=1),
        "superseded_at": None,
    }


def _seen(clock: Clock) -> dict[str, Any]:
    return {"source": "x", "observed_at": clock.now}


def value(store: Store, key: str) -> str | None:
    return store.kept.get(key)


def test_what_is_written_is_what_sqlalchemy_writes(store: Store, clock: Clock) -> None:
    row = an_assessment(clock, "a")
    store.writer.wait(lambda to: write_each(to, _INSERT, [row, an_assessment(clock, "b")]))
    store.writer.wait(lambda to: to.execute(insert(assessments), an_assessment(clock, "c")))
    found = [tuple(read)[3:] for read in store.reader.all(_ALL)]
    assert found == [found[0]] * 3
    read: Mapping[str, Any] = store.reader.all(_ALL)[0]._asdict()
    assert {name: read[name] for name in row} == row


def test_rows_are_changed_in_their_order(store: Store) -> None:
    store.writer.wait(lambda to: write_each(to, _KEPT, [{"key": "k", "value": "0"}]))
    change = update(kept).where(kept.c.key == bindparam("which")).values(value=bindparam("new"))
    rows = [{"which": "k", "new": new} for new in ("1", "3", "2")]
    store.writer.wait(lambda to: write_each(to, change, rows))
    assert value(store, "k") == "2"


def test_no_rows_are_no_write(store: Store) -> None:
    there = select(kept.c.key)
    before = store.reader.all(there)
    store.writer.wait(lambda to: write_each(to, _KEPT, []))
    assert store.reader.all(there) == before


def test_a_write_sees_what_was_written_before_it_in_its_transaction(store: Store) -> None:
    one = select(kept.c.value).where(kept.c.key == bindparam("key"))

    def write(to: Any) -> str:
        insert_or_change(to, kept, {"key": "k", "value": "1"}, ["value"])
        insert_or_change(to, kept, {"key": "k", "value": "2"}, ["value"])
        row = first_of(to, one, {"key": "k"})
        return "" if row is None else str(row.value)

    assert store.writer.wait(write) == "2"
    assert value(store, "k") == "2"


async def test_a_row_that_is_declined_harms_neither_the_store_nor_those_beside_it(
    store: Store,
) -> None:
    twice = [{"key": "k", "value": "1"}] * 2
    with pytest.raises((IntegrityError, *DATABASE_ERRORS)) as failed:
        await store.writer.commit(lambda to: write_each(to, _KEPT, twice))
    assert not isinstance(failed.value, StoreFailed)
    assert store.writer.fault is None
    assert value(store, "k") is None
    assert store.kept.put_soon("k", "2")
    await store.writer.commit(lambda to: None)
    assert value(store, "k") == "2"
