"""Is Croody itself there, and in which version? Asks every part at once, briefly, and remembers for `KEPT_S`. Judges no robot."""

import socket
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connections
from django.utils import timezone

from croody.liveness.judge import deaf
from croody.liveness.listening import listening
from croody.web.health import VERSION, ours

KEPT_S: Final = 2.0
_PATIENCE_S: Final = 1.0
#: The worker says that it lives every second; older than this it does not, in seconds.
_WORKER_S: Final = 10.0
#: Nobody's version is longer.
_LONGEST: Final = 64

#: A CONNECT without a name, as the containers' own probe sends it: client id `probe`.
_KNOCK: Final = b"\x10\x11\x00\x04MQTT\x04\x02\x00\x05\x00\x05probe"

Part = Literal["web", "database", "telemetry", "ids", "broker", "bridge", "worker"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a part answered.

    Attributes:
        since: when it was last heard, where that is known.
        waits_for: nothing is known of it while that part is away.
        version: as it says it itself; empty where it says none.
    """

    part: Part
    well: bool
    since: datetime | None = None
    waits_for: Part | None = None
    version: str = ""


def _database() -> Answer:
    try:
        for alias in settings.DATABASES:
            with connections[alias].cursor() as cursor:
                cursor.execute("SELECT 1")
    except DatabaseError:
        connections.close_all()
        return Answer("database", False)
    return Answer("database", True)


def _http(part: Part, url: str) -> Answer:
    try:
        # A part of this system: no proxy that the surroundings name stands between.
        answer = httpx.get(f"{url.rstrip('/')}/healthz", timeout=_PATIENCE_S, trust_env=False)
    except httpx.HTTPError:
        return Answer(part, False)
    return Answer(part, answer.status_code == 200, version=answer.headers.get(VERSION, "")[:_LONGEST])


def _broker() -> Answer:
    """A stranger's CONNECT: that it is answered, by whatever, is health. One that hangs still takes connections."""
    parts = urlsplit(settings.ENV.broker_url.split(",")[0])
    secure = parts.scheme == "mqtts"
    try:
        with (
            socket.create_connection(
                (parts.hostname or "127.0.0.1", parts.port or (8883 if secure else 1883)), timeout=_PATIENCE_S
            ) as plain,
            _unchecked().wrap_socket(plain) if secure else plain as sock,
        ):
            sock.sendall(_KNOCK)
            return Answer("broker", bool(sock.recv(1)))
    except OSError:
        return Answer("broker", False)


def _unchecked() -> ssl.SSLContext:
    """Nothing is told to the other side but that we knock: whose certificate it has is no question of health."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _bridge() -> Answer:
    try:
        heard = listening()
    except DatabaseError:
        connections.close_all()
        return Answer("bridge", False)
    if heard is None:
        return Answer("bridge", False)
    return Answer("bridge", not deaf(timezone.now(), heard.at), heard.at, version=heard.version)


def _worker() -> Answer:
    path = settings.ENV.state_dir / "worker.heartbeat"
    try:
        _word, moment, *version = path.read_text(encoding="utf-8").split()
        at = datetime.fromisoformat(moment)
    except (OSError, ValueError, IndexError):
        return Answer("worker", False)
    return Answer("worker", timezone.now() - at < timedelta(seconds=_WORKER_S), at, version=" ".join(version)[:_LONGEST])


_QUESTIONS: Final[tuple[Callable[[], Answer], ...]] = (
    _database,
    _broker,
    _bridge,
    lambda: _http("telemetry", settings.ENV.telemetry_url),
    lambda: _http("ids", settings.ENV.ids_url),
    _worker,
)
_lock = threading.Lock()
_kept: tuple[float, list[Answer]] = (0.0, [])


def answers() -> list[Answer]:
    """Every part's answer, at most `KEPT_S` old."""
    global _kept
    with _lock:
        if time.monotonic() < _kept[0]:
            return _kept[1]
        with ThreadPoolExecutor(max_workers=len(_QUESTIONS)) as pool:
            found = blamed([Answer("web", True, version=ours()), *pool.map(_asked, _QUESTIONS)])
        _kept = (time.monotonic() + KEPT_S, found)
        return found


def blamed(found: list[Answer]) -> list[Answer]:
    """A bridge that reports nothing has no fault of its own while what it stands between is away: broker, API, database. Pure."""
    away = next((one.part for one in found if one.part in {"database", "broker", "telemetry"} and not one.well), None)
    return [replace(one, waits_for=away) if one.part == "bridge" and not one.well else one for one in found]


def _asked(question: Callable[[], Answer]) -> Answer:
    try:
        return question()
    finally:
        connections.close_all()
