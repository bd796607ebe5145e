"""A set of sequence numbers as a column: `int8multirange` on PostgreSQL, JSON text on SQLite."""

from typing import TYPE_CHECKING, Any

import msgspec
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.types.multirange import Int8Multirange
from psycopg.types.range import Range

from croody_contract.ranges import Ranges

if TYPE_CHECKING:
    _Field = models.Field[Ranges, Ranges]
else:  # Django's fields cannot be subscripted at run time.
    _Field = models.Field


_ranges = msgspec.json.Decoder(Ranges)


class RangesField(_Field):
    """Python value: `Ranges`, closed and ascending. PostgreSQL normalises to half-open; both ends convert here."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """Column type."""
        return "int8multirange" if connection.vendor == "postgresql" else "text"

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Ranges:
        """Read a column."""
        return read_ranges(value)

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        """Write a column."""
        return write_ranges(value or (), connection.vendor)


def read_ranges(value: Any) -> Ranges:
    """A column as its driver gives it -> `Ranges`."""
    if value is None:
        return ()
    if isinstance(value, str):
        return _ranges.decode(value)
    return tuple((part.lower, part.upper - 1) for part in value)


def write_ranges(ranges: Ranges, vendor: str) -> Any:
    """`Ranges` -> what the driver of `vendor` takes."""
    if vendor == "postgresql":
        return Int8Multirange([Range(first, last + 1, "[)") for first, last in ranges])
    return msgspec.json.encode(ranges).decode()
