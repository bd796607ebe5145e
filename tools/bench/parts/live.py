"""What a console asks most, over millions of rows on PostgreSQL, beside the plain SQL that a good engineer would write for it."""

import time
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import count
from statistics import median
from typing import Any

import msgspec
import psycopg

from tools.bench import pages, preload
from tools.bench.plan import Plan
from tools.bench.row import OURS, Figures, Goal, Note, Row, play
from tools.bench.system import System, system

_LATERAL = "LATERAL"
_AS_JSON = "LATERAL, as JSON"
#: What one robot's and all robots' newest readings take in SQL, with the index on (robot_id, at) that the table has.
_SQL = """
SELECT r.* FROM unnest(%s::text[]) AS k (robot_id) CROSS JOIN LATERAL (
    SELECT id, robot_id, at, ts, data::text, lat, lng, alt, environment, status FROM telemetry_record t
    WHERE t.robot_id = k.robot_id AND t.kind = 'reading' ORDER BY t.at DESC LIMIT %s
) AS r
"""
#: 5,000 readings of a robot reach back less than a day, for which the system keeps the partitions ready.
_SPACING_S = 17.0
#: Readings of each robot that come through the whole system; the older ones are their copies.
_TRAVEL = 20
#: How often each robot has a new reading, and is asked for.
_ANEW = 5


def run(plan: Plan) -> Iterator[Row | Note]:
    """Our figures hold HTTP, the question who may see which robot, and JSON; those of `LATERAL` only the query and its rows.

    The worker rests: its roll-up of what was loaded would take processor time from both.
    """
    with system(plan, "mosquitto", "postgres", robots=1) as own:
        own.start("broker", "telemetry", "bridge")
        names = preload.robots(own, plan.live_robots)
        preload.history(own, names, plan.live_rows, newest=_TRAVEL, spacing_s=_SPACING_S)
        preload.analyse(own.rows)
        what = f"{len(names):,} robots, {plan.live_rows:,} rows, PostgreSQL"
        for title, path, ids, limit, goal in (
            (f"`live`, 20 a robot, {what}", "live?limit_per_robot=20", names, 20, Goal(0.5, of=_LATERAL)),
            ("`live`, 1 a robot", "live?limit_per_robot=1", names, 1, None),
            ("`last` of one robot", f"last?robot_id={names[0]}", names[:1], 1, None),
        ):
            contenders = {
                OURS: partial(_asked, own, plan, path),
                _LATERAL: partial(_lateral, own, plan, ids, limit, as_json=False),
                _AS_JSON: partial(_lateral, own, plan, ids, limit, as_json=True),
            }
            yield play(contenders, plan.rounds).row(title, "ms", "ms", goal)
        seqs = count(plan.live_rows // len(names) + 1)
        anew = {
            OURS: partial(_asked_anew, own, names, seqs),
            _LATERAL: partial(_lateral, own, plan, names, 20, as_json=False),
            _AS_JSON: partial(_lateral, own, plan, names, 20, as_json=True),
        }
        yield play(anew, plan.rounds).row("`live`, 20 a robot, each robot with a new reading since it was asked", "ms", "ms")
    yield Note("`LATERAL` gives the rows to a program that drops them; `as JSON` writes them as our answer has them.")


def _asked(own: System, plan: Plan, path: str) -> Figures:
    return {"ms": pages.ask(own.stack.options.ports.telemetry, f"/api/telemetry/{path}", plan.requests).ms}


def _asked_anew(own: System, names: Sequence[str], seqs: Iterator[int]) -> Figures:
    """Every process has to read what is new first."""
    took: list[float] = []
    for _ in range(_ANEW):
        preload.send(own, names, 1, first=next(seqs))
        took += pages.ask(own.stack.options.ports.telemetry, "/api/telemetry/live?limit_per_robot=20", 1, warm=False).times_ms
    return {"ms": median(took)}


def _lateral(own: System, plan: Plan, ids: Sequence[str], limit: int, *, as_json: bool) -> Figures:
    took = []
    with psycopg.connect(own.rows.postgres, autocommit=True) as server:
        for turn in range(plan.requests + 1):
            began = time.perf_counter()
            rows: list[tuple[Any, ...]] = server.execute(_SQL, [list(ids), limit]).fetchall()
            if as_json:
                msgspec.json.encode(
                    [{"id": row[0], "robot_id": row[1], "ts": row[3], "data": msgspec.Raw(row[4].encode())} for row in rows]
                )
            if turn:
                took.append(1000 * (time.perf_counter() - began))
    return {"ms": median(took)}
