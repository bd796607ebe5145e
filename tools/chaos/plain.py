"""Plain readings held against the witness: every one that was acknowledged is stored, and none twice but where MQTT itself allows it.

SQL of its own, as in `audit`. A reading may be stored twice when its client lost the connection while it was open: then the client
sends it again, and nobody can know whether the first one had come through.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.chaos.audit import Database


@dataclass(slots=True)
class Seen:
    """Numbers that were sent, acknowledged, and open while a connection was lost."""

    sent: set[int] = field(default_factory=set)
    acknowledged: set[int] = field(default_factory=set)
    again: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Verdict:
    """As `audit.Verdict`, of plain readings."""

    published: int
    stored: int
    lost: int
    doubled: int
    faults: tuple[str, ...]


def read(paths: Sequence[Path]) -> dict[Path, Seen]:
    """What each witness says; a last line without its end is not there."""
    found = {}
    for path in paths:
        seen = found[path] = Seen()
        kinds = {"S": seen.sent, "A": seen.acknowledged, "R": seen.again}
        for line in path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else ():
            what, _, number = line.partition(" ")
            kinds[what].add(int(number))
    return found


def count(database: Database, robots: Sequence[str]) -> int:
    """How many rows there are."""
    marks = ",".join("?" * len(robots))
    sql = f"SELECT count(*) FROM telemetry_record WHERE stream = 'mqtt' AND robot_id IN ({marks})"
    return int(database.query(sql, list(robots))[0][0])


def stored(database: Database, robots: Sequence[str], tag: str) -> Counter[int]:
    """Number -> how many rows hold it."""
    marks = ",".join("?" * len(robots))
    rows = database.query(f"SELECT data FROM telemetry_record WHERE stream = 'mqtt' AND robot_id IN ({marks})", list(robots))
    bodies = (row[0] if isinstance(row[0], dict) else json.loads(row[0]) for row in rows)
    return Counter(body["n"] for body in bodies if body.get("tag") == tag)


def judge(seen: Seen, rows: Counter[int]) -> Verdict:
    """Hold the rows against the witness."""
    lost = seen.acknowledged - rows.keys()
    doubled = {number for number, count in rows.items() if count > 1} - seen.again
    unanswered = seen.sent - seen.acknowledged
    faults = []
    if lost:
        faults.append(f"{len(lost)} acknowledged readings are lost, the first number {min(lost)}")
    if doubled:
        faults.append(f"{len(doubled)} readings are stored twice although their connection held, the first number {min(doubled)}")
    if unanswered:
        faults.append(f"{len(unanswered)} readings were never acknowledged, the first number {min(unanswered)}")
    return Verdict(len(seen.sent), len(seen.sent & rows.keys()), len(lost), len(doubled), tuple(faults))
