"""The newest readings of robots, in bounded steps: reads no more of a stream than it needs, however long the stream is.

A stream's readings lie at the end of it without many holes, so the last numbers of it are read first; where other records
lie between, more of it is.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any, Final, NamedTuple

from croody.telemetry.read.newest import Newest
from croody.telemetry.read.sql import ask, columns, listed, on_postgres, sliced
from croody.telemetry.rows import COLUMNS, ApiRow, moment, of_columns
from croody_contract.topics import PLAIN_STREAMS

#: Rows that one statement gives at most: each may have `MAX_RECORD_BYTES`.
_ROWS: Final = 2000
#: Numbers read of a robot at first, and in all where an answer must be bounded, by how many readings are wanted.
_SLACK: Final = 8
_OFTEN: Final = 4
_AT_MOST: Final = 100
#: Each look into a stream goes so many times farther back than the one before.
_WIDER: Final = 8

#: When each counts as said, as text: it is read only where readings of several streams are put in order.
_SAID: Final = "CASE WHEN r.historical THEN {least}(r.at, r.received_at) ELSE r.received_at END"
_ROWS_POSTGRES: Final = f"""
SELECT t.* FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[]) AS k (robot_id, stream, first, last) CROSS JOIN LATERAL (
    SELECT r.stream, r.seq, ({_SAID.format(least="least")})::text, {COLUMNS} FROM telemetry_record r
    WHERE r.robot_id = k.robot_id AND r.stream = k.stream AND r.seq BETWEEN k.first AND k.last AND r.kind = 'reading'
    ORDER BY r.seq DESC LIMIT %s
) AS t
"""
_ROWS_SQLITE: Final = f"""
SELECT r.stream, r.seq, {_SAID.format(least="min")}, {COLUMNS} FROM json_each(%s) AS k CROSS JOIN telemetry_record r
ON r.robot_id = json_extract(k.value, '$[0]') AND r.stream = json_extract(k.value, '$[1]')
    AND r.seq BETWEEN json_extract(k.value, '$[2]') AND json_extract(k.value, '$[3]') AND r.kind = 'reading'
ORDER BY k.key, r.seq DESC LIMIT %s
"""
_STREAM: Final = "t.robot_id, t.stream, t.latest_seq, t.place"
_PLAIN: Final = "t.stream IN ('http', 'mqtt') AND t.latest_seq IS NOT NULL"
_STREAMS_POSTGRES: Final = f"""
SELECT s.* FROM unnest(%s::text[]) AS k (robot_id) CROSS JOIN LATERAL (
    SELECT {_STREAM} FROM telemetry_stream t WHERE t.robot_id = k.robot_id AND t.has_readings ORDER BY t.place DESC LIMIT %s
) AS s
UNION ALL
SELECT {_STREAM} FROM telemetry_stream t WHERE t.robot_id = ANY(%s) AND {_PLAIN}
"""
_STREAMS_SQLITE: Final = f"""
SELECT {_STREAM} FROM json_each(%s) AS k CROSS JOIN telemetry_stream t ON t.id IN (
    SELECT s.id FROM telemetry_stream s WHERE s.robot_id = k.value AND s.has_readings ORDER BY s.place DESC LIMIT %s
)
UNION ALL
SELECT {_STREAM} FROM json_each(%s) AS k CROSS JOIN telemetry_stream t ON t.robot_id = k.value AND {_PLAIN}
"""
#: (robot_id, stream)
_Key = tuple[str, str]


class Heard(NamedTuple):
    """A reading, and when it counts as said by the cloud's clock."""

    said: datetime | str
    row: ApiRow

    @property
    def at(self) -> datetime:
        """When."""
        return moment(self.said)


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


def trails(newest: Mapping[str, Newest], limit: int) -> Iterator[tuple[str, list[Heard]]]:
    """Of each robot at most `limit` readings, newest first; fewer where they lie very far between other records.

    Most robots' lie at the end of one stream, and are read many robots a statement.
    """
    several: list[str] = []
    alone = [one for one in newest.values() if not one.beside]
    for some in sliced(alone, max(1, _ROWS // (limit + _SLACK))):
        found = _read([_Span.ending((one.robot_id, one.stream), one.seq, limit + _SLACK) for one in some], limit)
        for one in some:
            rows = found.get((one.robot_id, one.stream), [])
            # Without a single row the newest one is past retention, and so is all before it.
            if len(rows) >= limit or not rows or one.stream in PLAIN_STREAMS:
                yield one.robot_id, rows
            else:
                several.append(one.robot_id)
    several += [one.robot_id for one in newest.values() if one.beside]
    for names in sliced(several, max(1, _ROWS // (_OFTEN * limit))):
        yield from _several(names, limit, _AT_MOST * limit)


def readings(robot_id: str, limit: int) -> list[Heard]:
    """At most `limit` readings of one robot, newest first, wherever they lie."""
    return next((rows for _, rows in _several([robot_id], limit, None)), [])


def _several(robot_ids: Sequence[str], limit: int, most: int | None) -> Iterator[tuple[str, list[Heard]]]:
    """From several streams of each robot: by their place, and what came without a stream put between by when it was heard."""
    streams: dict[str, list[tuple[_Key, int]]] = defaultdict(list)
    statement = _STREAMS_POSTGRES if on_postgres() else _STREAMS_SQLITE
    names = listed(robot_ids)
    for robot_id, stream, seq, _ in sorted(ask(statement, [names, limit, names]), key=lambda row: -row[3]):
        streams[robot_id].append(((robot_id, stream), seq))
    spans = {robot_id: _spans(mine, limit) for robot_id, mine in streams.items()}
    found = _read([span for mine in spans.values() for span in mine], limit)
    for robot_id, mine in streams.items():
        agents, whole = _in_a_row(mine, spans[robot_id], found, limit)
        # Without a single row the newest one is past retention, and so is all before it.
        if agents and not whole:
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
            rows = _read([span], limit).get(key, [])
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


def _read(spans: Sequence[_Span], limit: int) -> dict[_Key, list[Heard]]:
    """Of each span its newest `limit` readings, newest first."""
    found: dict[_Key, list[tuple[int, Heard]]] = defaultdict(list)
    for row in ask(*_statement(spans, limit)) if spans else []:
        stream, seq, said = row[:3]
        found[(row[4], stream)].append((seq, Heard(said, of_columns(row[3:]))))
    return {key: [one for _, one in sorted(rows, key=lambda pair: -pair[0])[:limit]] for key, rows in found.items()}


def _statement(spans: Sequence[_Span], limit: int) -> tuple[str, list[Any]]:
    if on_postgres():
        return _ROWS_POSTGRES, [*columns(spans, 4), limit]
    # One span may be wide; several are as wide as what is wanted.
    return _ROWS_SQLITE, [*columns(spans, 4), limit if len(spans) == 1 else -1]
