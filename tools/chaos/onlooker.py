"""What others see meanwhile: how old an honest robot's newest reading is, how long a page takes, how long a revoked robot stays in.

Looks with SQL of its own, over HTTP, and with a client of its own; knows nothing of who disturbs.
"""

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tools.bench.work.wire import Wire
from tools.chaos import audit

#: What others may notice of a robot at its worst, in seconds.
MOST_AGE_S, MOST_PAGE_S, MOST_REVOKED_S = 2.0, 1.0, 5.0


@dataclass(slots=True)
class Seen:
    """The worst and how often one looked, in seconds."""

    ages_s: list[float] = field(default_factory=list)
    pages_s: list[float] = field(default_factory=list)
    revoked_s: list[float] = field(default_factory=list)

    def line(self) -> str:
        """In words."""
        return ", ".join(
            f"{name} {_at(values, 0.5):.2f} s, p99 {_at(values, 0.99):.2f}, at most {max(values, default=0.0):.2f} (of {len(values)})"
            for name, values in (("age of data", self.ages_s), ("page", self.pages_s), ("revoked after", self.revoked_s))
        )

    def faults(self, *, slack: float = 1.0) -> list[str]:
        """What was worse than it may be; `slack` is a factor for a machine that has other things to do."""
        found = []
        for name, values, most in (
            ("an honest robot's newest reading was old", self.ages_s, MOST_AGE_S),
            ("a page took", self.pages_s, MOST_PAGE_S),
            ("a revoked robot stayed in for", self.revoked_s, MOST_REVOKED_S),
        ):
            if not values:
                found.append(f"{name}: never looked at")
            elif max(values) > most * slack:
                found.append(f"{name} {max(values):.2f} s, at most {most * slack:.1f}")
        return found


def _at(values: Sequence[float], share: float) -> float:
    return sorted(values)[int(share * (len(values) - 1))] if values else 0.0


class Onlooker:
    """Looks from `start` to `stop`, each thing in a thread of its own: a slow page must not hide an old reading."""

    def __init__(self, database: audit.Database, robots: Sequence[str], page: str) -> None:
        self.seen = Seen()
        self._database, self._robots, self._page = database, list(robots), page
        self._stop = threading.Event()
        looks = ((self._age, 0.1), (self._get, 0.5))
        self._threads = [threading.Thread(target=self._often, args=(look, every_s), daemon=True) for look, every_s in looks]

    def start(self) -> None:
        """Begin to look."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _often(self, look: Callable[[], None], every_s: float) -> None:
        while not self._stop.is_set():
            look()
            self._stop.wait(every_s)

    def _age(self) -> None:
        marks = ",".join("?" * len(self._robots))
        sql = f"SELECT robot_id, max(latest_at) FROM telemetry_stream WHERE robot_id IN ({marks}) GROUP BY robot_id"
        try:
            rows = self._database.query(sql, self._robots)
        except audit.UNREACHABLE:
            return
        now = datetime.now(UTC)
        if rows:
            self.seen.ages_s.append(max((now - _moment(row[1])).total_seconds() for row in rows))

    def _get(self) -> None:
        begun = time.monotonic()
        try:
            with urllib.request.urlopen(self._page, timeout=60) as answer:
                answer.read()
        except (OSError, urllib.error.URLError):
            return
        finally:
            self.seen.pages_s.append(time.monotonic() - begun)

    def revoke(self, port: int, robot_id: str, secret: str, revoke: Callable[[], Any]) -> None:
        """Let a robot in, revoke it, and see when it is out."""
        wire = Wire(port, robot_id, robot_id, secret)
        wire.socket.settimeout(30)
        revoke()
        begun = time.monotonic()
        try:
            for _ in wire.packets():
                pass
        except OSError:
            pass
        self.seen.revoked_s.append(time.monotonic() - begun)
        wire.socket.close()


def _moment(value: datetime | str) -> datetime:
    found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
