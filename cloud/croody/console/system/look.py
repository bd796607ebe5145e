"""Looks at all of Croody for the page about it: its parts, its queues, its data, its jobs. Judges nothing; writes nothing."""

import shutil
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

from croody.accounts.caller import Caller
from croody.console.system import certificate, database
from croody.console.system.facts import Certificate, DatabaseFacts, Disk
from croody.fleet.access import Action, robots
from croody.liveness import parts
from croody.liveness.listening import Listened, listening
from croody.liveness.models import JobRun
from croody.telemetry.models import Record

#: The broker's own listener with TLS.
_TLS_PORT: Final = 8883
#: A certificate is looked at again after so long, in seconds.
_KEPT_S: Final = 60.0
#: More jobs than there are.
_MOST_JOBS: Final = 100


@dataclass(frozen=True, slots=True)
class System:
    """Everything at one moment.

    Attributes:
        queues: of the robots of whoever looks; the rest is everybody's.
        sizes: bytes of each database.
        certificate: None where robots come in without TLS.
        newest_at: when anything of a robot was stored last.
    """

    now: datetime
    parts: tuple[parts.Answer, ...]
    bridge: Listened | None
    queues: DatabaseFacts
    newest_at: datetime | None
    sizes: tuple[int, ...]
    disk: Disk | None
    certificate: Certificate | None
    jobs: tuple[JobRun, ...]


def look(caller: Caller, now: datetime) -> System:
    """All of it: a few questions, each answered briefly or not at all."""
    mine = list(robots(caller, Action.INSPECT).values_list("robot_id", flat=True))
    return System(
        now=now,
        parts=tuple(parts.answers()),
        bridge=listening(),
        queues=database.counted(now, mine),
        newest_at=_newest(mine),
        sizes=tuple(database.sizes()),
        disk=_disk(settings.ENV.state_dir),
        certificate=_shown(),
        jobs=tuple(JobRun.objects.order_by("name")[:_MOST_JOBS]),
    )


def _newest(mine: Collection[str]) -> datetime | None:
    if not mine:
        return None
    found: datetime | None = Record.objects.order_by("-id").values_list("received_at", flat=True).first()
    return found


def _disk(folder: Path) -> Disk | None:
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None
    return Disk(usage.free, usage.used)


_lock = threading.Lock()
_kept: tuple[float, Certificate | None] = (0.0, None)


def _shown() -> Certificate | None:
    """What robots are shown, at most `_KEPT_S` old: asking costs two processes and a handshake."""
    global _kept
    url = urlsplit(settings.ENV.robots_url.split(",")[0])
    if url.scheme not in ("mqtts", "wss"):
        return None
    with _lock:
        if time.monotonic() >= _kept[0]:
            broker = urlsplit(settings.ENV.broker_url.split(",")[0]).hostname or "127.0.0.1"
            _kept = (time.monotonic() + _KEPT_S, certificate.of_listener(broker, _TLS_PORT, url.hostname or ""))
        return _kept[1]
