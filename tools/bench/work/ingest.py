"""Rows a second into a database: through `ingest_relay` with ledger and duplicates checked, or bare, as a peer.

Argument: `how` (`croody` or `bare`), `seconds`, `robots` (ids that exist), `batch` (records of each robot in one relay).
"""

import json
import secrets
import sqlite3
import sys
import time
from collections.abc import Callable
from typing import Any

import django

from tools.bench.readings import encoded


def main() -> None:
    """Measure for `seconds`; print rows a second."""
    wanted = json.loads(sys.argv[1])
    django.setup()
    prepare = _croody if wanted["how"] == "croody" else _bare
    write = prepare(wanted["robots"], wanted["batch"])
    rows, turn, started = 0, 0, time.perf_counter()
    while time.perf_counter() - started < wanted["seconds"]:
        rows += write(turn)
        turn += 1
    print(json.dumps({"rate": rows / (time.perf_counter() - started)}))


def _croody(robots: list[str], batch: int) -> Callable[[int], int]:
    import msgspec
    from django.utils import timezone

    from croody.telemetry.ingest.services import ingest_relay
    from croody_contract.relay import BatchItem, Relay

    stream = secrets.token_hex(8)
    records = {robot: [msgspec.Raw(raw) for raw in encoded(batch, seed)] for seed, robot in enumerate(robots)}

    def write(turn: int) -> int:
        first = turn * batch + 1
        items = [BatchItem(robot, stream, first, records[robot]) for robot in robots]
        ingest_relay(Relay(batches=items), now=timezone.now())
        return batch * len(robots)

    return write


def _bare(robots: list[str], batch: int) -> Callable[[int], int]:
    """What anybody would write: one table, a unique key, the whole batch in one statement and one commit."""
    from django.conf import settings

    name = f"bench_{secrets.token_hex(4)}"
    columns = "(robot_id text, stream text, seq bigint, data TYPE, primary key (robot_id, stream, seq))"
    texts = [raw.decode() for raw in encoded(batch, 1)]

    def rows(turn: int) -> list[tuple[str, str, int, str]]:
        return [(robot, "s", turn * batch + index, text) for robot in robots for index, text in enumerate(texts)]

    database: dict[str, Any] = settings.DATABASES[settings.TELEMETRY_DB]
    if database["ENGINE"].endswith("sqlite3"):
        lite = sqlite3.connect(database["NAME"], isolation_level=None)
        lite.execute("PRAGMA journal_mode=WAL")
        lite.execute("PRAGMA synchronous=FULL")
        lite.execute(f"CREATE TABLE {name} {columns.replace('TYPE', 'text')}")

        def into_sqlite(turn: int) -> int:
            new = rows(turn)
            lite.execute("BEGIN IMMEDIATE")
            lite.executemany(f"INSERT OR IGNORE INTO {name} VALUES (?, ?, ?, ?)", new)
            lite.execute("COMMIT")
            return len(new)

        return into_sqlite
    import psycopg

    keys = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    server = psycopg.connect(**{key: database[field] for key, field in keys.items()}, autocommit=True)
    server.execute(f"CREATE TABLE {name} {columns.replace('TYPE', 'jsonb')}")

    def into_postgres(turn: int) -> int:
        new = rows(turn)
        with server.transaction(), server.cursor() as cursor:
            cursor.execute(f"CREATE TEMPORARY TABLE fresh (LIKE {name}) ON COMMIT DROP")
            with cursor.copy("COPY fresh FROM STDIN") as copy:
                for row in new:
                    copy.write_row(row)
            cursor.execute(f"INSERT INTO {name} SELECT * FROM fresh ON CONFLICT DO NOTHING")
        return len(new)

    return into_postgres


if __name__ == "__main__":
    main()
