"""The table into which peers write: what a project without a ledger has, an id, a robot, its data and one index."""

import psycopg

from tools.bench.rows import Rows
from tools.bench.system import System


def make(own: System, name: str) -> Rows:
    """Make it on our own server, so that everybody pays the same for a commit."""
    with psycopg.connect(own.rows.postgres, autocommit=True) as server:
        server.execute(
            f"CREATE TABLE {name} (id bigserial PRIMARY KEY, robot_id text NOT NULL, received_at timestamptz NOT NULL DEFAULT now(), "
            "data jsonb NOT NULL)".encode()
        )
        server.execute(f"CREATE INDEX ON {name} (robot_id, received_at DESC)".encode())
    return Rows(own.rows.urls, name)
