"""What became of each job, kept in this process and written down by one of them. Threads tell it; knows no job."""

import threading
from dataclasses import replace
from datetime import datetime
from typing import Final

from croody.liveness import job_runs
from croody.liveness.job_runs import Run

_CHARS: Final = 300


class Runs:
    """The last run of each job. Every thread may call it."""

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}
        self._lock = threading.Lock()

    def begin(self, name: str, period_s: float, now: datetime) -> None:
        """A run begins."""
        with self._lock:
            self._runs[name] = replace(self._runs.get(name, Run(name, period_s)), started_at=now)

    def end(self, name: str, took_s: float, now: datetime, error: BaseException | None) -> None:
        """It ended, well or not."""
        with self._lock:
            run = self._runs[name]
            failures = run.failures + 1 if error is not None else 0
            told = " ".join(f"{type(error).__name__}: {error}".split())[:_CHARS] if error is not None else ""
            self._runs[name] = replace(run, ended_at=now, took_s=took_s, failures=failures, error=told.replace("\x00", ""))

    def all(self) -> list[Run]:
        """Of each job that has begun."""
        with self._lock:
            return list(self._runs.values())


#: Of this process.
RUNS: Final = Runs()


def note_runs(now: datetime) -> None:
    """Write down how the jobs of this worker ran; a job itself, whose own run is never over when it tells of it."""
    job_runs.note([run for run in RUNS.all() if run.name != "note_runs"], now)
