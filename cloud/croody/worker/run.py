"""The loop of `croody worker`: keeps the lead, the threads and the heartbeat. Knows no job."""

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from croody.web.health import ours
from croody.worker.job_thread import JobThread
from croody.worker.jobs import Job
from croody.worker.leader import Leadership

log = logging.getLogger(__name__)
#: Asked this often whether the lock is still ours, in seconds.
LEAD_EVERY_S = 1.0
#: SIGTERM has two seconds; what a job has not finished after this is cut off, in seconds.
STOP_WITHIN_S = 1.5


def run(jobs: Sequence[Job], lead: Leadership, heartbeat: Path, *, stop: threading.Event, now: Callable[[], datetime]) -> None:
    """Run the table until `stop`. Returns with every thread ended or cut off.

    Raises:
        OSError: the state folder cannot be written.
    """
    leading = threading.Event()
    threads = [
        JobThread(name, [job for job in jobs if job.thread == name], may_run=leading.is_set, now=now)
        for name in dict.fromkeys(job.thread for job in jobs)
    ]
    for thread in threads:
        thread.start()
    try:
        while not stop.is_set():
            held = lead.hold()
            if held != leading.is_set():
                log.info("leading: running %d jobs" if held else "no longer leading: the jobs rest (%d)", len(jobs))
                leading.set() if held else leading.clear()
            for thread in threads:
                thread.restart_if_dead()
            beat(heartbeat, "leader" if held else "standby", now())
            stop.wait(LEAD_EVERY_S)
    finally:
        leading.clear()
        until = time.monotonic() + STOP_WITHIN_S
        for thread in threads:
            if not thread.stop(max(0.0, until - time.monotonic())):
                log.warning("a job is still running: cut off with the process")
        lead.release()


def beat(path: Path, word: str, now: datetime) -> None:
    """Say `word`, the time and the version in the heartbeat file, in one step: its age is the worker's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(f"{word} {now.isoformat()} {ours()}\n", encoding="utf-8")
    os.replace(fresh, path)
