"""Jobs of one thread: on time, through outages, past mistakes."""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from django.db import InterfaceError, InternalError, OperationalError

from croody.worker.job_thread import JobThread
from croody.worker.jobs import JOBS, Job
from tests.patience import PATIENCE_S


def now() -> datetime:
    return datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def start() -> Iterator[Callable[..., JobThread]]:
    threads: list[JobThread] = []

    def begin(*jobs: Job, may_run: Callable[[], bool] = lambda: True) -> JobThread:
        thread = JobThread("test", jobs, may_run=may_run, now=now)
        threads.append(thread)
        thread.start()
        return thread

    yield begin
    assert all(thread.stop(PATIENCE_S) for thread in threads)


def until(holds: Callable[[], object], within_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.01)


def test_jobs_run_at_their_periods_and_are_given_the_time(start):
    fast: list[datetime] = []
    slow: list[datetime] = []
    start(Job("fast", 0.05, fast.append), Job("slow", 0.5, slow.append))
    begun = time.monotonic()
    until(lambda: len(slow) >= 3)
    elapsed_s = time.monotonic() - begun
    # Never sooner than they are due; how much later is the machine's doing, and it holds up both.
    assert len(slow) <= 1 + elapsed_s / 0.5
    assert 10 <= len(fast) <= 2 + elapsed_s / 0.05
    assert set(fast) == {now()}


def test_nothing_runs_while_another_worker_leads(start):
    runs: list[datetime] = []
    leading = threading.Event()
    start(Job("job", 0.05, runs.append), may_run=leading.is_set)
    time.sleep(0.5)
    assert runs == []
    leading.set()
    until(lambda: runs)


@pytest.mark.parametrize(
    "error", [OperationalError("the server is gone"), InterfaceError("the connection is closed"), InternalError("read only")]
)
def test_a_lost_database_is_said_once_when_lost_and_once_when_back(start, caplog, error):
    caplog.set_level(logging.INFO)
    runs: list[int] = []

    def job(moment: datetime) -> None:
        runs.append(1)
        if len(runs) < 4:
            raise error

    others: list[datetime] = []
    start(Job("fragile", 0.05, job), Job("other", 0.05, others.append))
    until(lambda: len(runs) >= 6)
    said = [record.message for record in caplog.records if "fragile" in record.message]
    assert len(said) == 2
    assert "is lost" in said[0]
    assert "is back" in said[1]
    assert len(others) > 4


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_jobs_mistake_ends_its_thread_and_costs_the_other_jobs_nothing(start):
    mistakes: list[int] = []
    others: list[datetime] = []

    def job(moment: datetime) -> None:
        mistakes.append(1)
        raise KeyError("a mistake")

    thread = start(Job("mistaken", 0.05, job), Job("other", 0.05, others.append))
    restarts = 0
    begun = time.monotonic()
    while restarts < 2 or len(others) <= 15 or time.monotonic() - begun < 2.0:
        assert time.monotonic() - begun < PATIENCE_S, f"{restarts} restarts, and others ran {len(others)} times"
        restarts += thread.restart_if_dead()
        time.sleep(0.02)
    # After 0.5, 1, 2, 4, 8 s: each time it waits longer.
    assert restarts <= 2 + math.log2(1 + (time.monotonic() - begun) / 0.5)
    assert len(mistakes) <= restarts + 1


def test_every_job_has_a_name_of_its_own_and_the_files_are_looked_at_twice_a_second():
    assert len({job.name for job in JOBS}) == len(JOBS)
    assert next(job for job in JOBS if job.name == "write_credentials").period_s <= 0.5
