"""One thread, and the jobs that it runs when they are due. Knows time and threads, never what a job does."""

import logging
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import InterfaceError, InternalError, OperationalError, connections

from croody.worker.jobs import Job
from croody.worker.runs import RUNS

log = logging.getLogger(__name__)
#: Gone, closed, locked, full, or read only because another node leads now.
OUTAGE = (OperationalError, InterfaceError, InternalError)
#: Longest wait before a failing job is tried again, in seconds.
LONGEST_WAIT_S = 30.0


@dataclass(slots=True)
class _Turn:
    """When a job is due (monotonic seconds) and how often it failed in a row."""

    job: Job
    due_s: float = 0.0
    failures: int = 0
    outage: bool = False


class JobThread:
    """One thread's share of the table.

    A lost database is said once and waited out. Anything else that a job raises ends the thread, with its traceback in
    the log; `restart_if_dead` starts it again, that job waits longer each time, and the others go on.
    """

    def __init__(self, name: str, jobs: Sequence[Job], *, may_run: Callable[[], bool], now: Callable[[], datetime]) -> None:
        self._name = name
        self._turns = [_Turn(job) for job in jobs]
        self._may_run = may_run
        self._now = now
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread = threading.Thread(target=self._loop, name=f"jobs-{self._name}", daemon=True)
        self._thread.start()

    def restart_if_dead(self) -> bool:
        """Start again what a job's mistake has ended. Says whether it had."""
        if self._thread is None or self._thread.is_alive() or self._stop.is_set():
            return False
        self.start()
        return True

    def stop(self, within_s: float) -> bool:
        """Ask the thread to end; say whether it did in time. A job that takes longer is cut off with the process."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(within_s)
        return self._thread is None or not self._thread.is_alive()

    def _loop(self) -> None:
        try:
            while not self._stop.is_set():
                if not self._may_run():
                    self._stop.wait(0.2)
                    continue
                turn = min(self._turns, key=lambda turn: turn.due_s)
                wait_s = turn.due_s - time.monotonic()
                if wait_s > 0:
                    self._stop.wait(min(wait_s, 0.5))
                else:
                    self._run(turn)
        finally:
            connections.close_all()

    def _run(self, turn: _Turn) -> None:
        # Booked as failed until it returns: when it raises what nobody foresaw, its next turn is already further away.
        turn.failures += 1
        turn.due_s = time.monotonic() + max(turn.job.period_s, min(LONGEST_WAIT_S, 0.5 * 2.0 ** min(turn.failures - 1, 10)))
        for connection in connections.all(initialized_only=True):
            connection.close_if_unusable_or_obsolete()
        try:
            self._run_told(turn.job)
        except OUTAGE as error:
            if not turn.outage:
                log.warning("job %s: the database is lost (%s); trying again", turn.job.name, str(error).strip())
            turn.outage = True
            # Outages end at once, so asking goes on briskly.
            turn.due_s = time.monotonic() + min(2.0, max(turn.job.period_s, 0.5))
            connections.close_all()
            return
        if turn.outage:
            log.info("job %s: the database is back", turn.job.name)
        turn.outage = False
        turn.failures = 0
        turn.due_s = time.monotonic() + turn.job.period_s

    def _run_told(self, job: Job) -> None:
        """Run it, and keep how that went, whatever it raises."""
        began_s = time.monotonic()
        RUNS.begin(job.name, job.period_s, self._now())
        try:
            job.run(self._now())
        finally:
            RUNS.end(job.name, time.monotonic() - began_s, self._now(), sys.exc_info()[1])
