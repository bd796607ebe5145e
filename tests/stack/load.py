"""People and robots who keep asking: a steady load through the gateway over TLS, every answer written down."""

import http.client
import itertools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from tests.stack.system import FIGURES, System, eventually

#: Whose name the readings have.
ROBOT = "amr-20"

#: What people and pages ask for; every second request besides is a robot's POST.
PATHS = ("/", "/cuenta/acceder/", "/api/telemetry/live", "/api/telemetry/healthz")
INGEST = "/api/telemetry/ingest"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One request. `status` is 0 where the connection broke; `number` tells POSTs apart, 0 for a GET."""

    path: str
    status: int
    number: int
    #: By the monotonic clock.
    began: float
    seconds: float
    said: str

    @property
    def well(self) -> bool:
        """Answered, and as it should be."""
        return self.status == (201 if self.number else 200)


class Load:
    """Use as a context manager. `rate` requests a second from `threads` connections, each kept open as long as the gateway lets it."""

    def __init__(self, system: System, robot_id: str, secret: str, *, rate: float = 40, threads: int = 8) -> None:
        self.outcomes: list[Outcome] = []
        self._system = system
        self._robot_id = robot_id
        self._secret = secret
        self._context = system.context()
        self._period_s = threads / rate
        self._numbers = itertools.count(1)
        self._stop = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(number,)) for number in range(threads)]

    def __enter__(self) -> "Load":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        for thread in self.threads:
            thread.join()

    @property
    def failed(self) -> list[Outcome]:
        """Everything that a browser or a robot would have had to try again."""
        return [outcome for outcome in self.outcomes if not outcome.well]

    @property
    def accepted(self) -> set[int]:
        """Numbers of the POSTs whose answer said that they are stored."""
        return {outcome.number for outcome in self.outcomes if outcome.number and outcome.well}

    def slowest(self) -> float:
        """Longest wait for an answer, seconds."""
        return max(outcome.seconds for outcome in self.outcomes)

    def _run(self, turn: int) -> None:
        connection = http.client.HTTPSConnection("localhost", self._system.https, timeout=30, context=self._context)
        due = time.monotonic() + turn * self._period_s / len(self.threads)
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            self.outcomes.append(self._ask(connection, turn))
            turn += 1
            due = max(due + self._period_s, time.monotonic())
        connection.close()

    def _ask(self, connection: http.client.HTTPSConnection, turn: int) -> Outcome:
        post = turn % 2 == 0
        path = INGEST if post else PATHS[turn // 2 % len(PATHS)]
        number = next(self._numbers) if post else 0
        began = time.monotonic()
        try:
            if post:
                body = json.dumps({"robot_id": self._robot_id, "data": {"NUMBER": number}})
                connection.request("POST", path, body, {"Content-Type": "application/json", "X-API-Key": self._secret})
            else:
                connection.request("GET", path)
            got = connection.getresponse()
            text = got.read().decode(errors="replace")
            status, said = got.status, text[:120] if got.status >= 400 else ""
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            status, said = 0, repr(error)
        return Outcome(path, status, number, began, time.monotonic() - began, said)


@contextmanager
def load(system: System, folder: Path, what: str, *, rate: float = 40, threads: int = 8) -> Iterator[Load]:
    """A steady load around a command; afterwards nothing has failed, and what was accepted is in the database, once."""
    with written_down(system, folder, what, rate=rate, threads=threads) as asked:
        yield asked
    assert not asked.failed, asked.failed[:5]


@contextmanager
def written_down(system: System, folder: Path, what: str, *, rate: float = 40, threads: int = 8) -> Iterator[Load]:
    """The same, whatever fails meanwhile: what was accepted is in the database, once."""
    secrets = dict(line.split() for line in (folder / "secrets" / "ROBOTS_SIM").read_text().splitlines())
    query = f"select coalesce(max(seq), 0) from telemetry_record where robot_id = '{ROBOT}' and stream = 'http'"
    before = system.sql(query)[0][0]
    with Load(system, ROBOT, secrets[ROBOT], rate=rate, threads=threads) as asked:
        yield asked
        # A command that is over at once is followed for a while: what it breaks may show only then.
        eventually("more than fifty readings accepted", lambda: len(asked.accepted) > 50, 20)
    where = f"robot_id = '{ROBOT}' and stream = 'http' and seq > {before}"
    stored = [int(row[0]) for row in system.sql(f"select (data->>'NUMBER')::numeric::int from telemetry_record where {where}")]
    FIGURES.append(
        f"{what}: {len(asked.outcomes)} requests, {len(asked.failed)} failed, slowest {asked.slowest():.2f} s; "
        f"{len(asked.accepted)} readings accepted, {len(asked.accepted - set(stored))} of them not stored"
    )
    # One that was stored while its answer broke off is there all the same.
    assert asked.accepted <= set(stored)
    assert set(stored) <= asked.accepted | {outcome.number for outcome in asked.failed}
    assert len(stored) == len(set(stored)), "a reading is there twice"
