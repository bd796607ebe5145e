"""The newest readings of robots, in bounded steps: reads no more of a stream than it needs, however long the stream is.

A stream's readings lie at the end of it without many holes, so the last numbers of it are read first; where other records
lie between, more of it is.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from heapq import merge
from itertools import islice
from typing import Final, NamedTuple, Self

from croody.telemetry.read.cursor import UNREAD, Cursor
from croody.telemetry.read.newest import Newest
from croody.telemetry.read.sql import SLICE, ask, columns, listed, on_postgres, sliced
from croody.telemetry.rows import AS_JSON, COLUMNS, moment, of_columns
from croody_contract.limits import MIB
from croody_contract.topics import PLAIN_STREAMS

#: Rows that one statement gives at most, before anybody knows how large they are: each may have `MAX_RECORD_BYTES`.
_ROWS: Final = 2000
#: Where rows are small the next statement takes twice as many robots, as long as it gives about so many bytes.
_BYTES: Final = 4 * MIB
#: Numbers read of a robot at first, and in all where an answer must be bounded, by how many readings are wanted.
_SLACK: Final = 8
_OFTEN: Final = 4
_AT_MOST: Final = 100
#: Each look into a stream goes so many times farther back than the one before.
_WIDER: Final = 8

#: When each counts as said, as text: it is read only where readings of several streams are put in order.
_SAID: Final = "CASE WHEN r.historical THEN {least}(r.at, r.received_at) ELSE r.received_at END"
#: No JSON that a database makes holds a line break: at these the rows of a span are parted.
_PARTED: Final = b",\n"
#: A span's rows, and when each was said, as one text each. What makes text is evaluated after the limit, and once.
_ROWS_POSTGRES: Final = f"""
SELECT k.robot_id, k.stream, t.rows, t.said, {{whole}} FROM unnest(%(robots)s::text[], %(streams)s::text[], %(firsts)s::bigint[],
    %(lasts)s::bigint[]) AS k (robot_id, stream, first, last)
CROSS JOIN LATERAL (
    SELECT string_agg({AS_JSON}, E',\\n') AS rows, string_agg(x.said::text, ',') AS said, count(*) AS n, min(x.seq) AS low FROM (
        SELECT y.*, to_json(y.told)::text AS iso FROM (
            SELECT {{said}} AS said, r.seq, {COLUMNS} FROM telemetry_record r
            WHERE r.robot_id = k.robot_id AND r.stream = k.stream AND r.seq BETWEEN k.first AND k.last AND r.kind = 'reading' {{days}}
            ORDER BY r.seq DESC LIMIT %(limit)s
        ) AS y (said, seq, id, robot_id, told, data, lat, lng, alt, environment, status) OFFSET 0
    ) AS x
) AS t WHERE t.rows IS NOT NULL
"""
#: Written out in the statement, so that the partitions of other days are not even looked at: there may be hundreds.
_DAYS: Final = "AND r.at >= %(since)s AND r.at < %(until)s"
#: Nothing of a span lies on other days when each of its numbers, as far back as was read, was found on these.
_WHOLE: Final = f"""
t.n = k.last - t.low + 1 AND (t.n = %(limit)s OR t.low = k.first) OR (
    SELECT count(*) FROM telemetry_record r WHERE r.robot_id = k.robot_id AND r.stream = k.stream
    AND r.seq BETWEEN CASE WHEN t.n = %(limit)s THEN t.low ELSE k.first END AND k.last {_DAYS}
) = k.last - CASE WHEN t.n = %(limit)s THEN t.low ELSE k.first END + 1
"""
_ROWS_SQLITE: Final = f"""
SELECT r.stream, {_SAID.format(least="min")}, {COLUMNS} FROM json_each(%s) AS k CROSS JOIN telemetry_record r
ON r.robot_id = json_extract(k.value, '$[0]') AND r.stream = json_extract(k.value, '$[1]')
    AND r.seq BETWEEN json_extract(k.value, '$[2]') AND json_extract(k.value, '$[3]') AND r.kind = 'reading'
ORDER BY k.key, r.seq DESC LIMIT %s
"""
_STREAM: Final = "t.robot_id, t.stream, t.latest_seq, t.place, t.latest_at"
_PLAIN: Final = "t.stream IN ('http', 'mqtt') AND t.latest_seq IS NOT NULL"
_STREAMS_POSTGRES: Final = f"""
SELECT s.* FROM unnest(%s::text[], %s::float8[]) AS k (robot_id, upto) CROSS JOIN LATERAL (
    SELECT {_STREAM} FROM telemetry_stream t
    WHERE t.robot_id = k.robot_id AND t.has_readings AND t.place <= k.upto ORDER BY t.place DESC LIMIT %s
) AS s
UNION ALL
SELECT {_STREAM} FROM telemetry_stream t WHERE t.robot_id = ANY(%s) AND {_PLAIN}
"""
_STREAMS_SQLITE: Final = f"""
SELECT {_STREAM} FROM json_each(%s) AS k CROSS JOIN telemetry_stream t ON t.id IN (
    SELECT s.id FROM telemetry_stream s
    WHERE s.robot_id = json_extract(k.value, '$[0]') AND s.has_readings AND s.place <= json_extract(k.value, '$[1]')
    ORDER BY s.place DESC LIMIT %s
)
UNION ALL
SELECT {_STREAM} FROM json_each(%s) AS k CROSS JOIN telemetry_stream t ON t.robot_id = k.value AND {_PLAIN}
"""
#: (robot_id, stream)
_Key = tuple[str, str]
#: From a moment on, and before another.
_Days = tuple[datetime, datetime]
_DAY: Final = timedelta(days=1)


class Heard(NamedTuple):
    """A reading as JSON, when it counts as said by the cloud's clock, and the stream it came in."""

    said: datetime | str
    row: bytes
    stream: str = ""

    @property
    def at(self) -> datetime:
        """When."""
        return moment(self.said)


class Trail(NamedTuple):
    """Readings as JSON, newest first, and when each counts as said, where that was asked for. `mixed`: of several streams."""

    rows: list[bytes]
    said: list[str]
    mixed: bool = False

    @classmethod
    def of(cls, heard: Iterable[Heard]) -> Self:
        """The inverse of `heard`."""
        pairs = [(one.row, str(one.said)) for one in heard]
        return cls([row for row, _ in pairs], [said for _, said in pairs], mixed=True)

    def heard(self, stream: str) -> list[Heard]:
        """One by one, all of one stream."""
        return [Heard(said, row, stream) for said, row in zip(self.said, self.rows, strict=True)]


_NOTHING: Final = Trail([], [])


class _Span(NamedTuple):
    """Numbers of one stream, both ends included."""

    robot_id: str
    stream: str
    first: int
    last: int

    @classmethod
    def ending(cls, key: _Key, last: int, count: int) -> "_Span":
        """The `count` numbers up to `last`."""
        return cls(*key, max(1, last - count + 1), last)


def trails(newest: Mapping[str, Newest], limit: int, *, said: bool) -> Iterator[tuple[str, Trail]]:
    """Of each robot at most `limit` readings, newest first; fewer where they lie very far between other records.

    Most robots' lie at the end of one stream, and are read many robots a statement. `said`: whether it is asked when each was.
    """
    several: list[str] = []
    # Those that were heard at about the same time together: they lie on the same few days.
    alone = sorted((one for one in newest.values() if not one.beside), key=lambda one: one.at, reverse=True)
    size, rest = max(1, _ROWS // (limit + _SLACK)), iter(alone)
    while some := list(islice(rest, size)):
        spans = [_Span.ending((one.robot_id, one.stream), one.seq, limit + _SLACK) for one in some]
        found = _read_days(spans, limit, _days_of([one.at for one in some]), said=said)
        for one in some:
            trail = found.get((one.robot_id, one.stream), _NOTHING)
            # Without a single row the newest one is past retention, and so is all before it.
            if len(trail.rows) >= limit or not trail.rows or one.stream in PLAIN_STREAMS:
                yield one.robot_id, trail
            else:
                several.append(one.robot_id)
        came = sum(sum(map(len, trail.rows)) for trail in found.values())
        size = max(1, min(2 * size, SLICE, size * _BYTES // max(1, came)))
    several += [one.robot_id for one in newest.values() if one.beside]
    for robot_id, heard in readings_of(several, limit, {}):
        yield robot_id, Trail.of(heard)


def readings_from(some: Sequence[tuple[Newest, int]], limit: int) -> dict[str, list[bytes]]:
    """Of each robot the readings of its newest stream from a number on, at most `limit`, newest first."""
    found: dict[str, list[bytes]] = {}
    for part in sliced(some):
        spans = [_Span(one.robot_id, one.stream, first, one.seq) for one, first in part]
        read = _read_days(spans, limit, _days_of([one.at for one, _ in part]), said=False)
        found |= {robot_id: trail.rows for (robot_id, _), trail in read.items()}
    return found


def readings(robot_id: str, limit: int, cursor: Cursor = UNREAD) -> list[Heard]:
    """At most `limit` readings of one robot, newest first, wherever they lie, from `cursor` on."""
    return next((rows for _, rows in _several([robot_id], limit, None, {robot_id: cursor})), [])


def readings_of(robot_ids: Sequence[str], limit: int, cursors: Mapping[str, Cursor]) -> Iterator[tuple[str, list[Heard]]]:
    """The same of several robots; fewer where they lie very far between other records."""
    for names in sliced(robot_ids, max(1, _ROWS // (_OFTEN * limit))):
        yield from _several(names, limit, _AT_MOST * limit, cursors)


def _several(
    robot_ids: Sequence[str], limit: int, most: int | None, cursors: Mapping[str, Cursor] | None = None
) -> Iterator[tuple[str, list[Heard]]]:
    """From several streams of each robot: by their place, and what came without a stream put between by when it was heard."""
    streams: dict[str, list[tuple[_Key, int]]] = defaultdict(list)
    cursors = cursors or {}
    bounds = [(robot_id, cursors.get(robot_id, UNREAD).place) for robot_id in robot_ids]
    statement = _STREAMS_POSTGRES if on_postgres() else _STREAMS_SQLITE
    # Each has a reading, but for the one that a cursor lies in.
    most_streams = limit + bool(cursors)
    ats: dict[_Key, datetime] = {}
    newest_first = sorted(ask(statement, [*columns(bounds, 2), most_streams, listed(robot_ids)]), key=lambda row: -row[3])
    for robot_id, stream, seq, _, at in newest_first:
        streams[robot_id].append(((robot_id, stream), seq))
        ats[(robot_id, stream)] = moment(at)
    streams = {robot_id: cursors.get(robot_id, UNREAD).left(mine) for robot_id, mine in streams.items()}
    spans = {robot_id: _spans(mine, limit) for robot_id, mine in streams.items()}
    every = [span for mine in spans.values() for span in mine]
    days = _days_of([ats[(span.robot_id, span.stream)] for span in every])
    found = {key: trail.heard(key[1]) for key, trail in _read_days(every, limit, days, said=True).items()}
    for robot_id, mine in streams.items():
        agents, whole = _in_a_row(mine, spans[robot_id], found, limit)
        # Without a single row the newest one is past retention, and so is all before it; below a cursor, none may only be near.
        if (agents or robot_id in cursors) and not whole:
            agents = list(islice(_walk(mine, limit, most), limit))
        plain = merge(*(found.get((robot_id, name), []) for name in PLAIN_STREAMS), key=lambda each: each.at, reverse=True)
        yield robot_id, list(islice(_between(agents, plain), limit))


def _in_a_row(
    streams: Iterable[tuple[_Key, int]], spans: Iterable[_Span], found: Mapping[_Key, list[Heard]], limit: int
) -> tuple[list[Heard], bool]:
    """The agent's readings as far as nothing was left out between them, and whether these are all that are wanted or there are."""
    begun = {(span.robot_id, span.stream): span.first for span in spans}
    rows: list[Heard] = []
    for key, _ in streams:
        if key[1] not in PLAIN_STREAMS:
            rows += found.get(key, [])
            if len(rows) >= limit:
                break
            if begun.get(key) != 1:
                return rows, False
    return rows, True


def _spans(streams: Iterable[tuple[_Key, int]], limit: int) -> list[_Span]:
    """The ends of a robot's newest streams: a few times as many numbers as readings are wanted."""
    out = []
    left = _OFTEN * limit + _SLACK
    for key, last in streams:
        if key[1] in PLAIN_STREAMS:
            out.append(_Span.ending(key, last, limit))
        elif left > 0:
            span = _Span.ending(key, last, min(left, limit + _SLACK))
            left -= span.last - span.first + 1
            out.append(span)
    return out


def _walk(streams: Iterable[tuple[_Key, int]], limit: int, most: int | None) -> Iterator[Heard]:
    """An agent's readings, newest first; looks at about `most` numbers and no more."""
    seen = 0
    for key, last in streams:
        if key[1] in PLAIN_STREAMS:
            continue
        width = limit + _SLACK
        while last > 0 and (most is None or seen < most):
            span = _Span.ending(key, last, width)
            rows = _heard([span], limit).get(key, [])
            yield from rows
            seen += span.last - span.first + 1
            last = span.first - 1
            width *= _WIDER


def _between(agents: Iterable[Heard], plain: Iterable[Heard]) -> Iterator[Heard]:
    """The agent's keep their order, the others are put between by when they were heard."""
    waiting = iter(plain)
    one = next(waiting, None)
    for reading in agents:
        while one is not None and one.at > reading.at:
            yield one
            one = next(waiting, None)
        yield reading
    while one is not None:
        yield one
        one = next(waiting, None)


def _heard(spans: Sequence[_Span], limit: int) -> dict[_Key, list[Heard]]:
    """Of each span its newest `limit` readings, newest first."""
    return {key: trail.heard(key[1]) for key, trail in _read(spans, limit, said=True).items()}


def _days_of(ats: Collection[datetime]) -> _Days | None:
    """The days on which the last readings of streams lie, most likely: of the newest of each, and one before."""
    if not ats:
        return None
    first, last = min(ats).astimezone(UTC).date(), max(ats).astimezone(UTC).date()
    return datetime.combine(first - _DAY, time(), UTC), datetime.combine(last + _DAY, time(), UTC)


def _read_days(spans: Sequence[_Span], limit: int, days: _Days | None, *, said: bool) -> dict[_Key, Trail]:
    """As `_read`: looks at these days first, and at all only for those spans that are not whole there."""
    if days is None or not on_postgres():
        return _read(spans, limit, said=said)
    found = _ask_postgres(spans, limit, days, said=said)
    return found | _read([span for span in spans if (span.robot_id, span.stream) not in found], limit, said=said)


def _ask_postgres(spans: Sequence[_Span], limit: int, days: _Days | None, *, said: bool) -> dict[_Key, Trail]:
    """Of the spans that are whole on these days, or of all."""
    statement = _ROWS_POSTGRES.replace("{said}", _SAID.format(least="least") if said else "NULL")
    statement = statement.replace("{whole}", _WHOLE if days else "true").replace("{days}", _DAYS if days else "")
    robots, streams, firsts, lasts = columns(spans, 4)
    parameters = {"robots": robots, "streams": streams, "firsts": firsts, "lasts": lasts, "limit": limit}
    if days:
        parameters |= {"since": days[0], "until": days[1]}
    rows = ask(statement, parameters)
    return {(row[0], row[1]): Trail(row[2].encode().split(_PARTED), row[3].split(",") if said else []) for row in rows if row[4]}


def _read(spans: Sequence[_Span], limit: int, *, said: bool) -> dict[_Key, Trail]:
    if not spans:
        return {}
    if on_postgres():
        return _ask_postgres(spans, limit, None, said=said)
    found: dict[_Key, Trail] = defaultdict(lambda: Trail([], []))
    # One span may be wide; several are as wide as what is wanted.
    for stream, moment_said, *shown in ask(_ROWS_SQLITE, [*columns(spans, 4), limit if len(spans) == 1 else -1]):
        trail = found[(shown[1], stream)]
        if len(trail.rows) < limit:
            trail.rows.append(of_columns(tuple(shown)))
            trail.said.append(moment_said)
    return found
