"""What columns hold, the same in SQLite and in PostgreSQL.

Moments are stored as whole microseconds since 1970 UTC, days as whole days since then, structures
as JSON in a stable order, so that both databases hold, compare and give back exactly the same.
"""

from datetime import UTC, date, datetime, timedelta
from math import isfinite
from typing import Any

import msgspec
from isal import isal_zlib
from sqlalchemy import BigInteger, Dialect, Integer, LargeBinary, Text, TypeDecorator

from indexgate_policy.signals import Signal

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST_DAY = date(1970, 1, 1)


class Moment(TypeDecorator[datetime]):
    """An aware time, to the microsecond."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Return whole microseconds since 1970. A naive *value* is a bug: TypeError."""
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Return the time in UTC."""
        return None if value is None else _EPOCH + value * _MICROSECOND


class Day(TypeDecorator[date]):
    """A day of the log (UTC)."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> int | None:
        """Return whole days since 1970."""
        return None if value is None else (value - _FIRST_DAY).days

    def process_result_value(self, value: int | None, dialect: Dialect) -> date | None:
        """Return the day."""
        return None if value is None else _FIRST_DAY + timedelta(days=value)


class Stored(TypeDecorator[Any]):
    """A value of *kind* as JSON; what does not fit *kind* raises msgspec.ValidationError."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.kind = kind
        self._decoder = msgspec.json.Decoder(kind)

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Return the JSON text, members in a fixed order; None stays the database's NULL."""
        return None if value is None else in_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Return the value as *kind*."""
        return None if value is None else self._decoder.decode(value)


class Packed(TypeDecorator[Any]):
    """A value of *kind* as packed JSON, for what is long and says much the same in every row."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.kind = kind
        self._decoder = msgspec.json.Decoder(kind)

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        """Return the packed JSON; None stays the database's NULL."""
        return None if value is None else isal_zlib.compress(in_json(value).encode(), 1)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Any:
        """Return the value as *kind*. Raises msgspec.MsgspecError."""
        if value is None:
            return None
        try:
            return self._decoder.decode(isal_zlib.decompress(value))
        except isal_zlib.error as error:  # type: ignore[misc]  # its stubs call the class a value
            raise msgspec.DecodeError(str(error)) from error


def in_json(value: Any) -> str:
    """Return *value* as JSON, the same text for equal values."""
    return msgspec.json.encode(value, order="deterministic").decode()


def storable(signal: Signal) -> bool:
    """Tell whether JSON can carry the value: it has no word for infinities and not-a-numbers."""
    return not isinstance(signal.value, float) or isfinite(signal.value)
