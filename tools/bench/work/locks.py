"""Watches for how long one process keeps others from writing to a database, until standard input closes.

SQLite: the kernel tells who holds the byte of the write lock in the `-shm` file, and is asked every millisecond. PostgreSQL: the age of
the longest transaction that has written, among those of one application name, and the longest that anybody waits for a lock.
What comes and goes between two looks is not seen; what comes again between two looks counts as one.

Argument: `sqlite` (path) and `pid`, or `postgres` (address) and `application`.
"""

import json
import os
import select
import sys
import time
from pathlib import Path
from typing import Any

import psycopg

from tools.bench.stats import longest_run

#: The byte of a `-shm` file that a writer locks (WAL_WRITE_LOCK, sqlite.org/walformat.html).
_WRITE_BYTE = "120"
_LOOK_S = 0.001
_ASK_S = 0.005
_ACTIVITY = """
SELECT extract(epoch FROM max(clock_timestamp() - xact_start) FILTER (WHERE application_name = %s AND backend_xid IS NOT NULL)),
    extract(epoch FROM max(clock_timestamp() - query_start) FILTER (WHERE wait_event_type = 'Lock'))
FROM pg_stat_activity WHERE pid <> pg_backend_pid()
"""


def _sqlite(wanted: dict[str, Any]) -> dict[str, float]:
    inode = str(os.stat(wanted["sqlite"] + "-shm").st_ino)
    family = {str(wanted["pid"])}
    mine: list[tuple[float, bool]] = []
    while not select.select([sys.stdin], [], [], _LOOK_S)[0]:
        held = False
        for text in Path("/proc/locks").read_text(encoding="ascii").splitlines():
            part = text.split()
            # A waiter's line has an arrow before its kind.
            if part[1] == "->" or not part[5].endswith(f":{inode}"):
                continue
            held = held or (part[3] == "WRITE" and part[6] == _WRITE_BYTE and part[4] in family)
        mine.append((time.monotonic(), held))
    return {"held_s": longest_run(mine), "looks": len(mine)}


def _postgres(wanted: dict[str, Any]) -> dict[str, float]:
    held = waited = 0.0
    looks = 0
    with psycopg.connect(wanted["postgres"], autocommit=True) as server:
        while not select.select([sys.stdin], [], [], _ASK_S)[0]:
            one, other = server.execute(_ACTIVITY, [wanted["application"]]).fetchall()[0]
            held, waited, looks = max(held, float(one or 0)), max(waited, float(other or 0)), looks + 1
    return {"held_s": held, "waited_s": waited, "looks": looks}


def main() -> None:
    """Print `ready`, watch, print the longest hold in seconds."""
    wanted = json.loads(sys.stdin.readline())
    print("ready", flush=True)
    print(json.dumps(_sqlite(wanted) if wanted.get("sqlite") else _postgres(wanted)))


if __name__ == "__main__":
    main()
