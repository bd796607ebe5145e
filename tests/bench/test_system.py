"""The bench on a running Croody: what it loads is what the system would have written, and a load is accounted for to the last reading."""

import http.client
import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.bench import child, preload
from tools.bench.offer import Target, offer
from tools.bench.parts import stream
from tools.bench.plan import quick
from tools.bench.row import Row
from tools.bench.schedule import steady
from tools.bench.system import System, system
from tools.words import Problem

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with system(quick(tmp_path_factory.mktemp("bench")), "amqtt", "sqlite", robots=2) as found:
        found.start("broker", "telemetry", "bridge")
        yield found


def _get(own: System, path: str) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", own.stack.options.ports.telemetry, timeout=20)
    connection.request("GET", f"/api/telemetry/{path}")
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == 200, body
    return json.loads(body)


def test_every_reading_of_an_open_load_is_accounted_for(own: System, tmp_path: Path):
    result = offer(quick(tmp_path), Target.of(own), steady(100, 2))
    assert (result.offered, result.sent, result.confirmed, result.stored) == (200, 200, 200, 200)
    assert (result.lost, result.doubled) == (0, 0)
    assert len(result.served) == 200
    assert result.latency_ms(0.5) > 0


def test_a_closed_load_has_no_more_on_its_way_than_its_window(own: System, tmp_path: Path):
    result = offer(quick(tmp_path), Target.of(own), steady(1, 1), closed=True, window=5)
    assert result.confirmed == result.sent > 0
    assert result.lost == 0


def test_loaded_history_is_whole_in_the_ledger_and_new_robots_are_seen(own: System):
    names = preload.robots(own, 3)
    preload.history(own, names, 120, newest=10, spacing_s=30)
    found = {robot["robot_id"]: robot["trail"] for robot in _get(own, "live?limit_per_robot=30")["robots"]}
    for name in names:
        times = [row["ts"] for row in found[name]]
        assert len(times) == 30
        assert times == sorted(times)
        (ledger,) = _get(own, f"streams?robot_id={name}")
        assert (ledger["stored"], ledger["missing"], ledger["last_seq"]) == (40, [], 40)


def test_earlier_starts_are_streams_that_come_before_the_newest(own: System):
    names = preload.robots(own, 3)
    newest = _get(own, f"last?robot_id={names[0]}")
    preload.earlier_starts(own, 4, readings=40)
    streams = _get(own, f"streams?robot_id={names[0]}")
    assert [one["stream"] for one in streams] == ["bench-start-000003", "bench-start-000002", "bench-start-000001", preload.STREAM]
    assert all(one["missing"] == [] for one in streams)
    assert _get(own, f"last?robot_id={names[0]}") == newest


def test_who_holds_the_write_lock_is_told_with_how_long(tmp_path: Path):
    path = tmp_path / "some.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE some (x)")
    me = int(Path("/proc/self").resolve().name)
    for pid, held in ((me, True), (1, False)):
        with child.beside("locks", {"sqlite": str(path), "postgres": "", "pid": pid, "application": ""}) as found:
            connection.execute("BEGIN IMMEDIATE")
            time.sleep(0.5)
            connection.execute("COMMIT")
        assert (found["held_s"] > 0.1) is held
    connection.close()


def test_a_measurement_that_fails_says_what_it_said(tmp_path: Path):
    with pytest.raises(Problem, match=r"(?s)watch: .*unable to open database file"):
        child.measure("watch", {"path": str(tmp_path / "x"), "table": "none", "every_s": 1, "out": ""}, timeout_s=60)


@pytest.mark.slow
def test_a_part_runs_and_its_rows_hold_figures(tmp_path: Path):
    tmp_path.chmod(0o755)
    rows = [item for item in stream.run(quick(tmp_path)) if isinstance(item, Row)]
    assert [row.what.partition(":")[2].strip() for row in rows] == [
        "arrived of what was due",
        "due to heard, p50",
        "due to heard, p99",
        "due to committed, p99",
        "listeners that were cut off",
        "processor of the program that listens",
        "processor of the web server, each event that one listener gets",
        *(f"processor of the {part}, each reading" for part in ("web server", "broker", "bridge", "telemetry API", "worker")),
    ]
    # How late is the machine's doing; that everything arrives is ours.
    assert rows[0].values["croody"] == [1.0]
