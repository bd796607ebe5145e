"""No job keeps others from writing: its transactions are short, counted in rows; stopped between any two of them, it loses nothing."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.db import DataError, connections

from croody.web import turns
from croody.web.turns import in_turns, turn
from croody_contract.messages import Event, Reading
from tests.cloud.telemetry.helpers import NOON, batch, raw, reading

#: Rows that one transaction of a job writes at most: some milliseconds of the one lock that SQLite has.
MOST_ROWS = 400
_WRITES = ("INSERT", "UPDATE", "DELETE")
DAY = timedelta(days=1)


class Cut(Exception):
    """The worker is killed."""


class Ledger:
    """How many rows each transaction of this thread wrote, on any database. Cuts off before the one that is `cut_at`."""

    def __init__(self, cut_at: int | None = None) -> None:
        self.rows: list[int] = []
        self._open: set[str] = set()
        self._cut_at = cut_at

    def _wrapper(self, connection: Any) -> Callable[..., Any]:
        def count(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
            if not sql.lstrip().startswith(_WRITES):
                return execute(sql, params, many, context)
            alone = not connection.in_atomic_block or connection.alias not in self._open
            if alone:
                if len(self.rows) == self._cut_at:
                    raise Cut
                self.rows.append(0)
            if connection.in_atomic_block and alone:
                self._open.add(connection.alias)
                connection.on_commit(lambda: self._open.discard(connection.alias))
            params = list(params) if many else params
            result = execute(sql, params, many, context)
            self.rows[-1] += max(len(params) if many else 1, context["cursor"].rowcount)
            return result

        return count

    @contextmanager
    def __call__(self) -> Iterator["Ledger"]:
        from contextlib import ExitStack

        with ExitStack() as stack:
            for connection in connections.all():
                stack.enter_context(connection.execute_wrapper(self._wrapper(connection)))
            yield self


@pytest.fixture
def much(fleet: SimpleNamespace) -> None:
    """Two robots, 30 minutes, 20 metrics: 1,200 one-minute roll-ups."""
    from croody.telemetry.ingest import services

    for robot_id in ("rover-1", "rover-2"):
        records = [
            raw(Reading(data={f"m{metric}": float(number) for metric in range(20)}, ts=NOON - timedelta(seconds=30 * number)))
            for number in range(60)
        ]
        services.ingest_relay(batch(robot_id, "stream-a", 1, records), now=NOON)


def rollups() -> list[tuple[Any, ...]]:
    from croody.telemetry.models import Rollup

    columns = ("robot_id", "metric", "step_s", "at", "count", "mean", "low", "high")
    return list(Rollup.objects.order_by(*columns[:4]).values_list(*columns))


def test_roll_ups_are_written_in_short_transactions(much: None):
    from croody.telemetry import jobs

    with Ledger()() as ledger:
        jobs.roll_up(NOON)
    assert sum(ledger.rows) > 1200
    assert max(ledger.rows) <= MOST_ROWS


def test_a_roll_up_that_is_stopped_anywhere_loses_nothing_and_counts_nothing_twice(
    much: None, telemetry: str, monkeypatch: pytest.MonkeyPatch
):
    from croody.telemetry import jobs
    from croody.telemetry.models import Cursor, Rollup

    # As many transactions each time: on a busy machine they get smaller.
    monkeypatch.setattr(turns, "_HELD_S", 60.0)
    with Ledger()() as ledger:
        jobs.roll_up(NOON)
    whole = rollups()
    for cut_at in range(len(ledger.rows)):
        Rollup.objects.all().delete()
        Cursor.objects.all().delete()
        with pytest.raises(Cut), Ledger(cut_at)():
            jobs.roll_up(NOON)
        assert not Cursor.objects.exists(), "the cursor moves last"
        jobs.roll_up(NOON)
        assert rollups() == whole
        jobs.roll_up(NOON)
        assert rollups() == whole


def test_what_comes_while_buckets_are_computed_is_in_them_after_the_next_run(much: None, send: Callable[..., Any]):
    from croody.telemetry import jobs

    sent = []

    def late(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if "telemetry_rollup" in sql and sql.lstrip().startswith("INSERT") and not sent:
            sent.append(True)
            _in_a_thread(lambda: send(1, [reading(1000.0, NOON)], stream="late-one"))
        return execute(sql, params, many, context)

    connection = connections[settings.TELEMETRY_DB]
    if connection.vendor == "sqlite":
        pytest.skip("the thread would wait for the very transaction that waits for it")
    with connection.execute_wrapper(late):
        jobs.roll_up(NOON)
    jobs.roll_up(NOON)
    assert [row[5] for row in rollups() if row[1] == "TEMP" and row[2] == 60] == [1000.0]


def _in_a_thread(do: Callable[[], Any]) -> None:
    from threading import Thread

    def run() -> None:
        do()
        connections.close_all()

    thread = Thread(target=run)
    thread.start()
    thread.join()


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" + 400 * "0", "1e200"])
def test_a_number_beyond_every_float_is_left_out_and_costs_nothing_else(much: None, number: str):
    from croody.telemetry import jobs
    from croody.telemetry.models import Cursor, Rollup, SetAside

    jobs.roll_up(NOON)
    whole = rollups()
    Rollup.objects.all().delete()
    Cursor.objects.all().delete()
    with connections[settings.TELEMETRY_DB].cursor() as cursor:
        cursor.execute("SELECT id, data FROM telemetry_record WHERE robot_id = 'rover-1' AND seq = 1")
        ((record_id, data),) = cursor.fetchall()
        data = data if isinstance(data, str) else json.dumps(data)
        cursor.execute("UPDATE telemetry_record SET data = %s WHERE id = %s", [f'{data[:-1]}, "odd": {number}}}', record_id])
    jobs.roll_up(NOON)
    assert rollups() == whole
    assert not SetAside.objects.exists()


def test_a_bucket_that_cannot_be_computed_is_set_aside_alone(much: None, monkeypatch: pytest.MonkeyPatch):
    from croody.telemetry import jobs
    from croody.telemetry.jobs import rollups as job
    from croody.telemetry.jobs.minutes import of_minutes
    from croody.telemetry.models import SetAside

    def refused(buckets: Any, alias: str) -> Any:
        if ("rover-1", NOON) in buckets:
            raise DataError("out of range")
        return of_minutes(buckets, alias)

    monkeypatch.setattr(job, "of_minutes", refused)
    jobs.roll_up(NOON)
    assert len({row[3] for row in rollups() if row[0] == "rover-1" and row[2] == 60}) == 30
    assert len({row[3] for row in rollups() if row[0] == "rover-2" and row[2] == 60}) == 31
    left_out = SetAside.objects.get()
    assert (left_out.job, left_out.robot_id, left_out.reason) == ("roll_up", "rover-1", "out of range")


def test_streams_are_folded_in_short_transactions(fleet: SimpleNamespace):
    from croody.telemetry import jobs
    from croody.telemetry.models import Stream
    from tests.cloud.telemetry.test_flat import starts

    starts(fleet, range(300))
    with Ledger()() as ledger:
        jobs.fold_finished(NOON)
    assert Stream.objects.exclude(folded_at=None).count() == 299
    assert max(ledger.rows) <= MOST_ROWS


def test_retention_deletes_in_short_transactions(much: None, fleet: SimpleNamespace):
    from croody.telemetry import jobs
    from croody.telemetry.models import DeadLetter, Record
    from tests.cloud.telemetry.test_flat import dead_letters

    dead_letters(fleet, range(300))
    Record.objects.filter(seq__gt=0).update(historical=False)
    with Ledger()() as ledger:
        jobs.apply_retention(NOON + 40 * DAY)
    assert not DeadLetter.objects.exists()
    assert not Record.objects.exists()
    assert max(ledger.rows) <= MOST_ROWS


def test_a_gap_of_every_robot_is_asked_for_robot_by_robot_and_none_waits_for_one_that_has_hundreds(fleet: SimpleNamespace):
    from croody.commands.models import Outgoing
    from croody.telemetry import jobs
    from croody.telemetry.ingest import services
    from croody.telemetry.models import Stream
    from tests.cloud.telemetry.test_flat import starts_that_lack_something

    starts_that_lack_something(fleet, range(300))
    for robot_id in ("rover-1", "rover-2"):
        services.ingest_relay(batch(robot_id, "of-today", 2, [reading(1.0, NOON)]), now=NOON)
    with Ledger()() as ledger:
        jobs.request_gaps(NOON + timedelta(seconds=6))
    assert Outgoing.objects.filter(robot_id="rover-2").count() == 1
    assert 1 <= Outgoing.objects.filter(robot_id="rover-1").count() <= 16
    assert Outgoing.objects.filter(robot_id="rover-1", payload__stream="of-today").exists(), "what changed last is asked for first"
    assert max(ledger.rows) <= 2
    assert Stream.objects.filter(missing_since__isnull=False).count() == 302


def test_an_event_that_makes_no_alarm_costs_itself_alone(fleet: SimpleNamespace, send: Callable[..., Any]):
    from croody.alarms.models import Alarm
    from croody.telemetry import jobs
    from croody.telemetry.models import Record, SetAside

    send(1, [Event(code="fire", severity="high"), Event(code="flood", severity="high"), Event(code="smoke", severity="high")])
    Record.objects.filter(seq=2).update(data={"code": "flood", "severity": "high", "detail": None})
    for _ in range(2):
        jobs.raise_alarms(NOON)
    assert sorted(Alarm.objects.values_list("kind", "count")) == [("fire", 1), ("smoke", 1)]
    assert SetAside.objects.get().job == "raise_alarms"


def test_where_a_transaction_takes_long_the_next_ones_are_smaller(telemetry: str):
    sizes: list[int] = []

    def write(some: Sequence[int]) -> None:
        sizes.append(len(some))
        time.sleep(0.004 * len(some))

    in_turns(range(120), 50, write, telemetry)
    assert sizes[0] == 50
    assert max(sizes[1:]) <= 13
    assert sum(sizes) == 120


def test_a_job_waits_for_its_turn_as_who_ingests_does(telemetry: str, vendor: str):
    written = threading.Event()

    def work() -> None:
        in_turns([1], 1, lambda some: written.set(), telemetry)
        connections.close_all()

    job = threading.Thread(target=work)
    with turn(telemetry):
        job.start()
        waited = not written.wait(0.3)
    assert written.wait(5)
    job.join()
    assert waited == (vendor == "sqlite")
