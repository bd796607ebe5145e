"""Watches the greatest id of a SQLite table until standard input closes: the one writer numbers rows as it commits them.

Argument: `path`, `table`, `every_s`, `out` (the file for what was seen: pairs of unix seconds and id, as doubles).
"""

import json
import select
import sqlite3
import sys
import time
from array import array
from pathlib import Path


def main() -> None:
    """Print `ready`, watch, write the file, print how many looks it took."""
    wanted = json.loads(sys.stdin.readline())
    connection = sqlite3.connect(f"file:{wanted['path']}?mode=ro", uri=True, timeout=30, isolation_level=None)
    statement = f"SELECT coalesce(max(id), 0) FROM {wanted['table']}"
    seen: array[float] = array("d")
    looks, greatest = 0, int(connection.execute(statement).fetchone()[0])
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], wanted["every_s"])[0]:
        found = int(connection.execute(statement).fetchone()[0])
        looks += 1
        if found > greatest:
            greatest = found
            seen.extend((time.time(), float(found)))
    Path(wanted["out"]).write_bytes(seen.tobytes())
    print(json.dumps({"looks": looks}))


if __name__ == "__main__":
    main()
