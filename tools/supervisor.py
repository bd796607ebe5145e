"""Keeps the processes of a stack alive: what dies comes back, later each time it dies again at once."""

from collections.abc import Callable
from dataclasses import dataclass

from tools.stack import Process

#: Seconds until the first, second, ... restart; the last one stays. A run longer than `GOOD_S` starts over.
BACKOFF_S = (1.0, 2.0, 4.0, 8.0, 10.0)
GOOD_S = 30.0
Note = Callable[[str, str], None]


@dataclass(slots=True)
class Patient:
    """What the supervisor remembers of one process. Times are `time.monotonic()` seconds."""

    process: Process
    started_at: float
    deaths: int = 0
    due_at: float | None = None


def next_start(deaths: int, now: float) -> float:
    """When a process that has died `deaths` times in a row starts again."""
    return now + BACKOFF_S[min(deaths, len(BACKOFF_S)) - 1]


class Supervisor:
    """Looks after processes; `look` is called a few times a second."""

    def __init__(self, processes: list[Process], note: Note, now: float) -> None:
        self._patients = [Patient(process, now) for process in processes]
        self._note = note

    def look(self, now: float) -> None:
        """Notice deaths, and start again what is due."""
        for patient in self._patients:
            process, name = patient.process, patient.process.spec.name
            if process.alive:
                continue
            if patient.due_at is None:
                lived_s = now - patient.started_at
                patient.deaths = 1 if lived_s > GOOD_S else patient.deaths + 1
                patient.due_at = next_start(patient.deaths, now)
                wait_s = patient.due_at - now
                self._note(
                    f"{name} terminó ({ending(process.returncode)}); vuelve en {wait_s:.0f} s; mira {process.log_file}",
                    f"{name} ended ({ending(process.returncode)}); back in {wait_s:.0f} s; see {process.log_file}",
                )
                if patient.deaths == len(BACKOFF_S):
                    self._note(f"{name} no se sostiene:\n{process.log_tail()}", f"{name} does not stay up:\n{process.log_tail()}")
            elif now >= patient.due_at:
                try:
                    process.start()
                except OSError as error:
                    patient.deaths += 1
                    patient.due_at = next_start(patient.deaths, now)
                    self._note(f"{name} no arranca: {error}", f"{name} does not start: {error}")
                    continue
                patient.started_at, patient.due_at = now, None
                self._note(f"{name} está de vuelta (proceso {process.pid})", f"{name} is back (process {process.pid})")

    def restart(self, name: str, now: float) -> None:
        """End and start one process on purpose."""
        for patient in self._patients:
            if patient.process.spec.name == name:
                patient.process.stop(3)
                patient.process.start()
                patient.started_at, patient.deaths, patient.due_at = now, 0, None

    def trim_logs(self) -> None:
        """Keep every log within its limit."""
        for patient in self._patients:
            patient.process.trim_log()


def ending(returncode: int | None) -> str:
    """How a process ended, for a person."""
    if returncode is None:
        return "?"
    return f"signal {-returncode}" if returncode < 0 else f"exit {returncode}"
