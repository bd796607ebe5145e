"""How reads ask: raw SQL with lists as parameters, on both databases. Knows no table."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, TypeVar

import msgspec
from django.conf import settings
from django.db import connections

T = TypeVar("T")
#: Robots a statement.
SLICE: Final = 500


def on_postgres() -> bool:
    """Whether telemetry lives on PostgreSQL."""
    return connections[settings.TELEMETRY_DB].vendor == "postgresql"


def ask(statement: str, parameters: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """All rows of a statement."""
    with connections[settings.TELEMETRY_DB].cursor() as cursor:
        cursor.execute(statement, parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def listed(values: Sequence[Any]) -> Any:
    """A list as one parameter: an array for `unnest` and `ANY`, JSON text for SQLite's `json_each`."""
    return list(values) if on_postgres() else msgspec.json.encode(values).decode()


def columns(rows: Sequence[Sequence[Any]], count: int) -> list[Any]:
    """Rows of `count` values as parameters: an array a column, or one JSON text for SQLite."""
    return [[row[index] for row in rows] for index in range(count)] if on_postgres() else [listed(rows)]


def sliced(values: Iterable[T], size: int = SLICE) -> Iterator[list[T]]:
    """At most `size` of them at a time."""
    rest = iter(values)
    while some := list(islice(rest, size)):
        yield some
