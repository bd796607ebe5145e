"""One agent as a process: until SIGTERM or SIGINT, with a heartbeat that a health check reads. Decides nothing."""

import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Event as Flag
from typing import Final, Protocol

from croody_contract.ending import on_end
from croody_edge.agent import Agent
from croody_edge.local.socket import Teller
from croody_edge.service import Service
from croody_edge.texts import text

#: Between two beats while nothing changes, seconds; a heartbeat that is three times as old counts as none.
BEAT_S: Final = 5.0


class Beside(Protocol):
    """Something with threads of its own that lives as long as the agent."""

    def start(self) -> None:
        """Begin, and return."""
        ...

    def close(self) -> None:
        """End within some seconds; also when it never began."""
        ...


def run(
    agent: Agent,
    *,
    heartbeat: Path | None = None,
    service: Service | None = None,
    beside: Sequence[Beside] = (),
    drain_s: float = 2.0,
) -> None:
    """Drive one agent until it is told to stop, then stop it cleanly.

    Args:
        agent: not started.
        heartbeat: a file to write again and again; none by default.
        service: where systemd is told how it goes; nowhere by default.
        beside: what runs on the board beside it, such as its status page.
        drain_s: how long what is left may take at the end, seconds.

    Raises:
        Locked: another agent holds the outbox.
        OSError: the heartbeat cannot be written.
    """
    ending = Flag()

    def end() -> None:
        ending.set()
        agent.wake.set()

    put_back = on_end(end)
    heart = Heart(heartbeat) if heartbeat is not None else None
    teller = Teller(agent.settings.edge_dir, agent.state)
    try:
        agent.start()
        teller.start()
        for one in beside:
            one.start()
        if service is not None:
            service.ready()
        while not ending.is_set():
            wait_s = agent.tick(time.time())
            if heart is not None:
                heart.beat(agent.trouble, time.monotonic())
            if service is not None:
                service.turn(agent.trouble or text("status.connected"), agent.pulse_s, time.monotonic())
            agent.wake.wait(wait_s)
            agent.wake.clear()
        if service is not None:
            service.stopping()
        agent.stop(drain_s)
    finally:
        teller.close()
        for one in beside:
            one.close()
        put_back()


class Heart:
    """Writes `connected TIME`, or `offline TIME WHY`: the first word says how it is, the file's age whether anybody is there."""

    def __init__(self, path: Path) -> None:
        """Args: `path` lies best on a file system in memory: it is written every few seconds."""
        self._path = path
        self._said: str | None = None
        self._next_s = 0.0

    def beat(self, trouble: str, mono_s: float) -> None:
        """Write when something changed, or it is time.

        Raises:
            OSError: it cannot be written.
        """
        if trouble == self._said and mono_s < self._next_s:
            return
        self._said, self._next_s = trouble, mono_s + BEAT_S
        fresh = self._path.with_name(f".{self._path.name}.new")
        fresh.write_text(
            f"{'offline' if trouble else 'connected'} {datetime.now(UTC).isoformat()} {trouble}".rstrip() + "\n", encoding="utf-8"
        )
        os.replace(fresh, self._path)


def heard(path: Path, now: float) -> tuple[str, str]:
    """What a heartbeat file says: `connected`, `offline` or `silent`, and why.

    Args:
        path: as it was given to `run`.
        now: unix seconds.
    """
    try:
        word, _, why = path.read_text(encoding="utf-8").strip().partition(" ")
        age_s = now - path.stat().st_mtime
    except OSError:
        return "silent", ""
    return (word, why.partition(" ")[2]) if age_s < 3 * BEAT_S else ("silent", "")
