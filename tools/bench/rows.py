"""What a database holds of the bench's readings, by SQL of our own: counts, and when each reading was committed. Changes nothing.

Every reading of the bench carries a number, `n`, by which what was confirmed is held against what is stored. PostgreSQL tells when a row
was committed. SQLite has one writer, which numbers rows in the order of their commits: who watches the greatest id knows it too.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg

_POSTGRES: Final = """
SELECT (data->>'n')::bigint, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 FROM {table} WHERE id > %s AND data ? 'n'
"""
_SQLITE: Final = "SELECT json_extract(data, '$.n'), id FROM telemetry_record WHERE id > ? AND json_extract(data, '$.n') IS NOT NULL"
TABLE: Final = "telemetry_record"


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one table of one database. `urls`: those of the fleet and of telemetry."""

    urls: tuple[str, str]
    table: str = TABLE

    @property
    def sqlite(self) -> str:
        """The file with the readings; empty on PostgreSQL."""
        return self.urls[1].removeprefix("sqlite:///") if self.urls[1].startswith("sqlite:///") else ""

    @property
    def postgres(self) -> str:
        """The address of the server; empty on SQLite."""
        return "" if self.sqlite else self.urls[1]

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of a query in the database's own dialect, with a connection of its own."""
        if self.sqlite:
            connection = sqlite3.connect(f"file:{self.sqlite}?mode=ro", uri=True, timeout=60)
            try:
                return connection.execute(sql, parameters).fetchall()
            finally:
                connection.close()
        with psycopg.connect(self.postgres, autocommit=True) as server:
            return server.execute(sql.encode(), parameters).fetchall()

    def newest(self) -> int:
        """The greatest id so far; 0 when there is none."""
        return int(self.query(f"SELECT coalesce(max(id), 0) FROM {self.table}")[0][0])

    def count(self, after: int = 0) -> int:
        """How many rows lie above an id."""
        mark = "?" if self.sqlite else "%s"
        return int(self.query(f"SELECT count(*) FROM {self.table} WHERE id > {mark}", [after])[0][0])

    def numbers(self, after: int) -> list[tuple[int, float]]:
        """`n` of every row above an id, and when it was committed in unix seconds (PostgreSQL) or its id (SQLite)."""
        if self.sqlite:
            return [(int(n), float(record_id)) for n, record_id in self.query(_SQLITE, [after])]
        return [(int(n), float(at)) for n, at in self.query(_POSTGRES.format(table=self.table), [after])]
