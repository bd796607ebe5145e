"""Readings, events, alarms and the audit log as tables, a page of rows at a time: what exports write, over HTTP and on the command line.

Each has an order that does not change, and goes on behind any row of it. Who may read what is decided before.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
from django.contrib.auth.models import User
from django.db.models import QuerySet

from croody.accounts.models import Organisation
from croody.alarms.models import Alarm
from croody.api.files import Column, Row
from croody.audit import queries as entries
from croody.audit.models import Entry
from croody.audit.queries import Mark, Readable, Wanted
from croody.telemetry.read.export import Exported, Place, pages

#: Rows of a page of what lies in the main database.
_PAGE: Final = 500
_PLACE: Final = (
    Column("id", "int"),
    Column("robot_id", "text"),
    Column("at", "time"),
    Column("ts", "time"),
    Column("received_at", "time"),
    Column("stream", "text"),
    Column("seq", "int"),
)
_READING: Final = (
    Column("lat", "float"),
    Column("lng", "float"),
    Column("alt", "float"),
    Column("environment", "text"),
    Column("status", "text"),
)
#: What a reading has beside its metrics.
OWN_COLUMNS: Final = frozenset(column.name for column in (*_PLACE, *_READING))
_ALARMS: Final = (
    Column("id", "int"),
    Column("robot_id", "text"),
    Column("kind", "text"),
    Column("key", "text"),
    Column("severity", "text"),
    Column("opened_at", "time"),
    Column("last_at", "time"),
    Column("resolved_at", "time"),
    Column("count", "int"),
    Column("acknowledged_at", "time"),
    Column("snoozed_until", "time"),
    Column("false", "bool"),
    Column("assignee", "text"),
    Column("detail", "json"),
)
_AUDIT: Final = (
    Column("id", "int"),
    Column("at", "time"),
    Column("kind", "text"),
    Column("user_id", "int"),
    Column("name", "text"),
    Column("token_id", "int"),
    Column("address", "text"),
    Column("request_id", "text"),
    Column("verb", "text"),
    Column("thing", "text"),
    Column("thing_id", "text"),
    Column("before", "json"),
    Column("after", "json"),
    Column("organisation", "text"),
)


class Span(NamedTuple):
    """Which records: of whom, from `start` to `end` (not in it), received until `as_of`, behind `after`."""

    robot_ids: Sequence[str]
    start: datetime
    end: datetime
    as_of: datetime
    after: Place | None = None


class Table(NamedTuple):
    """What the columns are, and the rows, page by page."""

    columns: Sequence[Column]
    pages: Iterator[list[Row]]


def readings(span: Span, metrics: Sequence[str]) -> Table:
    """By robot, time and number; a column of numbers a metric, or all of them as JSON where none is named."""

    def row(one: Exported) -> Row:
        more = _numbers(one.data, metrics) if metrics else (one.data,)
        return (*_place(one), one.lat, one.lng, one.alt, one.environment, one.status, *more)

    last = [Column(name, "float") for name in metrics] if metrics else [Column("data", "json")]
    return Table((*_PLACE, *_READING, *last), ([row(one) for one in some] for some in _pages("reading", span)))


def events(span: Span) -> Table:
    """What robots said beside their readings, by robot, time and number."""
    columns = (*_PLACE, Column("kind", "text"), Column("data", "json"))
    return Table(columns, ([(*_place(one), one.kind, one.data) for one in some] for some in _pages("told", span)))


def alarms(found: QuerySet[Alarm], after: int) -> Table:
    """These, by number; each as it is when it is read."""

    def some() -> Iterator[list[Row]]:
        last = after
        while rows := list(found.order_by("pk").filter(pk__gt=last)[:_PAGE]):
            last = rows[-1].pk
            names = dict(User.objects.filter(pk__in={one.assignee_id for one in rows if one.assignee_id}).values_list("pk", "username"))
            yield [_alarm(one, names) for one in rows]
            if len(rows) < _PAGE:
                return

    return Table(_ALARMS, some())


def audit(readable: Readable, wanted: Wanted, after: Entry | None) -> Table:
    """Entries, newest first."""

    def some() -> Iterator[list[Row]]:
        mark = Mark.of(after) if after is not None else None
        while rows := entries.page(readable, wanted, limit=_PAGE, after=mark):
            mark = Mark.of(rows[-1])
            teams = {one.organisation_id for one in rows if one.organisation_id}
            slugs = dict(Organisation.objects.filter(pk__in=teams).values_list("pk", "slug"))
            yield [[*(getattr(one, column.name) for column in _AUDIT[:-1]), slugs.get(one.organisation_id or 0)] for one in rows]
            if len(rows) < _PAGE:
                return

    return Table(_AUDIT, some())


def _pages(kind: Any, span: Span) -> Iterator[list[Exported]]:
    return pages(kind, span.robot_ids, span.start, span.end, as_of=span.as_of, after=span.after)


def _place(one: Exported) -> Row:
    return (one.number, one.robot_id, one.at, one.ts, one.received_at, one.stream, one.seq)


def _numbers(data: str, metrics: Sequence[str]) -> list[float | None]:
    values = msgspec.json.decode(data)
    found = (values.get(name) for name in metrics)
    return [float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None for value in found]


def _alarm(one: Alarm, names: dict[int, str]) -> Row:
    values: dict[str, Any] = {column.name: getattr(one, column.name) for column in _ALARMS if column.name != "assignee"}
    values["assignee"] = names.get(one.assignee_id) if one.assignee_id is not None else None
    return [values[column.name] for column in _ALARMS]
