"""Makes a database as large as it is after weeks, in seconds: what decides anything comes the way of all readings, the rest is copied.

Each robot's newest batch travels through broker, bridge and API, so that every table that anything derives from readings is as the
system itself writes it. Older rows, earlier starts and further robots are copies of those rows, by SQL that names only the columns in
which a copy differs. It is the one file of the bench that knows tables of the cloud.
"""

import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

import psycopg

from tools.bench.child import measure
from tools.bench.rows import Rows
from tools.bench.system import System

#: The worker has so long, in seconds, until a robot has at most so many streams that are not folded.
_FOLDED_WITHIN_S: Final = 120.0
_OPEN: Final = 20
#: The stream of what is loaded.
STREAM: Final = "bench-start-000000"
_RECORD: Final = ("at", "ts", "received_at")
_LEDGER: Final = ("first_received_at", "last_received_at", "latest_at")
_LIMIT_S: Final = 300.0
#: But for those that the database works out by itself.
_COLUMNS: Final = """
SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""
_LOADING: Final = 32
#: As the worker keeps them beyond retention.
_MINUTES_KEPT_DAYS: Final = 400


def send(system: System, robots: Sequence[str], count: int, *, first: int = 1, spacing_s: float = 1.0, stream: str = STREAM) -> None:
    """`count` readings of each robot through the whole system, numbered from `first`; the newest one is of now."""
    wanted = {
        "port": system.port,
        "accounts": list(system.accounts),
        "robots": list(robots),
        "stream": stream,
        "batch": min(count, 100),
        "window": _LOADING,
        "count": count,
        "first": first,
        "spacing_s": spacing_s,
        "limit_s": _LIMIT_S,
    }
    measure("batches", wanted, timeout_s=_LIMIT_S + 60)


def history(system: System, robots: Sequence[str], rows: int, *, newest: int = 100, spacing_s: float, stream: str = STREAM) -> None:
    """`rows` readings of the robots together, spaced evenly, up to now; the ledger has them all.

    Args:
        system: with broker, telemetry API and bridge running.
        robots: whose.
        rows: how many in all; a multiple of robots x newest.
        newest: how many of each robot travel; the others are copies of them.
        spacing_s: between two readings of a robot.
        stream: of all of them; a new one a call.
    """
    each = rows // len(robots)
    newest = min(newest, each)
    copies = each // newest - 1
    send(system, robots, newest, first=copies * newest + 1, spacing_s=spacing_s, stream=stream)
    with _writing(system.rows) as do:
        do(f"CREATE TEMPORARY TABLE like_these AS SELECT * FROM telemetry_record WHERE stream = '{stream}' ORDER BY at")
        for back in range(copies, 0, -1):
            # As they would have come: all robots' older readings before all robots' newer ones.
            shift = {"seq": f"seq - {back * newest}", **_earlier(system.rows, back * newest * spacing_s, _RECORD)}
            _copy(do, system.rows, "telemetry_record", shift, "like_these")
    _fill_ledger(system.rows, stream, copies * newest + newest)


def earlier_starts(system: System, starts: int, *, readings: int) -> None:
    """Every robot with the stream `STREAM` has started `starts` times in all, a minute apart, each with as many readings."""
    with _writing(system.rows) as do:
        for name, order in (("record", "robot_id, seq"), ("stream", "robot_id")):
            do(f"CREATE TEMPORARY TABLE last_{name} AS SELECT * FROM telemetry_{name} WHERE stream = '{STREAM}' ORDER BY {order}")
        for back in range(1, starts):
            stream = {"stream": f"'{_start(back)}'"}
            ledger = {"place": f"place - {back}", "prev": f"'{_start(back + 1)}'", "prev_last": str(readings)}
            records = _earlier(system.rows, back * 60.0, _RECORD)
            _copy(do, system.rows, "telemetry_record", stream | records, "last_record")
            moments = _earlier(system.rows, back * 60.0, _LEDGER)
            _copy(do, system.rows, "telemetry_stream", stream | ledger | moments, "last_stream")
        if starts > 1:
            do(f"UPDATE telemetry_stream SET prev = '{_start(1)}', prev_last = {readings} WHERE stream = '{STREAM}'")


def robots(system: System, count: int) -> list[str]:
    """Ids of `count` robots, those that are not there made like the first one. They have no account at the broker, and need none."""
    names = [f"bench-{number:05d}" for number in range(count)]
    like = system.robots[0]
    fleet = Rows((system.rows.urls[0], system.rows.urls[0]))
    there = {row[0] for row in fleet.query("SELECT robot_id FROM fleet_robot")}
    new = [name for name in names if name not in there]
    if new:
        with _writing(fleet) as do:
            do("CREATE TEMPORARY TABLE new_robots (bench_id text)")
            values = ", ".join(f"('{name}')" for name in new)
            do(f"INSERT INTO new_robots VALUES {values}")
            _copy(do, fleet, "fleet_robot", {"robot_id": "bench_id"}, f"fleet_robot, new_robots WHERE robot_id = '{like}'")
    return names


def analyse(rows: Rows) -> None:
    """Let the database look at what it holds, as its own housekeeping would within minutes."""
    if rows.postgres:
        with psycopg.connect(rows.postgres, autocommit=True) as server:
            server.execute("VACUUM ANALYZE")


def rolled(rows: Rows, robot_id: str, metric: str, *, days: int) -> None:
    """Roll-ups of one metric of one robot, minutes and hours, from so many days ago until now: PostgreSQL alone.

    Minutes as many as the worker keeps, hours of all of it.
    """
    with _writing(rows) as do:
        for step_s, reach in ((60, min(days, _MINUTES_KEPT_DAYS)), (3600, days)):
            do(
                f"INSERT INTO telemetry_rollup (robot_id, metric, step_s, at, count, mean, low, high) "
                f"SELECT '{robot_id}', '{metric}', {step_s}, at, {step_s}, 20, 19, 21 "
                f"FROM generate_series(date_trunc('hour', now() - interval '{reach} days'), now(), interval '{step_s} seconds') AS at"
            )


def rolled_up(rows: Rows) -> int:
    """How many readings are in the one-minute roll-ups."""
    return int(rows.query("SELECT coalesce(sum(count), 0) FROM telemetry_rollup WHERE step_s = 60 AND metric = 'TEMP'")[0][0])


def let_roll_up(own: System, limit_s: float) -> None:
    """Wait until the worker has rolled up all that is there, or for so long."""
    until = time.monotonic() + limit_s
    while rolled_up(own.rows) < own.rows.count() and time.monotonic() < until:
        time.sleep(1)


def ledger_row_bytes(rows: Rows) -> float:
    """What a row of the ledger takes on disk with its indexes, of all that are there."""
    if rows.sqlite:
        size = "SELECT sum(pgsize) FROM dbstat WHERE name IN (SELECT name FROM sqlite_schema WHERE tbl_name = 'telemetry_stream')"
    else:
        size = "SELECT pg_total_relation_size('telemetry_stream')"
    many = int(rows.query("SELECT count(*) FROM telemetry_stream")[0][0])
    return float(rows.query(size)[0][0]) / max(1, many)


def let_jobs_fold(own: System, robots: int) -> None:
    """Wait until the worker has folded what finished long ago, as it would have on the day; at most `_FOLDED_WITHIN_S`."""
    until = time.monotonic() + _FOLDED_WITHIN_S
    while time.monotonic() < until:
        time.sleep(2)
        if own.rows.query("SELECT count(*) FROM telemetry_stream WHERE folded_at IS NULL")[0][0] <= robots * _OPEN:
            return


def _start(back: int) -> str:
    return f"bench-start-{back:06d}"


def _earlier(rows: Rows, seconds: float, names: Sequence[str]) -> dict[str, str]:
    """Columns with times, earlier. SQLite keeps moments as text."""
    if rows.sqlite:
        return {name: f"strftime('%Y-%m-%d %H:%M:%f', {name}, '-{seconds:.3f} seconds')" for name in names}
    return {name: f"{name} - interval '{seconds:.3f} seconds'" for name in names}


def _copy(do: "_Do", rows: Rows, table: str, other: Mapping[str, str], source: str) -> None:
    """Rows of `source` into `table`, some columns otherwise; ids are new."""
    columns = [name for name in _columns(rows, table) if name != "id"]
    values = ", ".join(other.get(name, name) for name in columns)
    do(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {source}")


@cache
def _columns(rows: Rows, table: str) -> list[str]:
    if rows.sqlite:
        return [row[1] for row in rows.query(f"PRAGMA table_info({table})")]
    found = rows.query(_COLUMNS, [table])
    return [row[0] for row in found]


def _fill_ledger(rows: Rows, stream: str, last: int) -> None:
    have = f"'[[1,{last}]]'" if rows.sqlite else f"'{{[1,{last + 1})}}'"
    with _writing(rows) as do:
        do(f"UPDATE telemetry_stream SET have = {have}, known_last = {last}, missing_since = NULL WHERE stream = '{stream}'")


class _Do:
    """Executes a statement in the open transaction."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __call__(self, statement: str) -> None:
        self._connection.execute(statement)


@contextmanager
def _writing(rows: Rows) -> Iterator[_Do]:
    if rows.sqlite:
        lite = sqlite3.connect(rows.sqlite, timeout=60, isolation_level=None)
        try:
            lite.execute("BEGIN IMMEDIATE")
            yield _Do(lite)
            lite.execute("COMMIT")
        finally:
            lite.close()
        return
    with psycopg.connect(rows.postgres) as server:
        server.execute("SET synchronous_commit = off")
        yield _Do(server)
