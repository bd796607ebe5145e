"""What the web's tests put into the database, through the same services as the bridge, and how they read a stream."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
from django.contrib.auth.hashers import Argon2PasswordHasher

from croody.telemetry.ingest import services
from croody_contract import messages
from croody_contract.messages import Born, Position, Presence, Reading
from croody_contract.relay import BatchItem, PresenceItem, Relay


class QuickArgon2(Argon2PasswordHasher):
    """Argon2id that takes no second: dozens of logins are tried here."""

    time_cost = 1
    memory_cost = 64
    parallelism = 1


PLAN: dict[str, Any] = {
    "name": "Bodega",
    "slug": "bodega",
    "width_m": 40,
    "height_m": 24,
    "origin": {"lat": 4.6752, "lng": -74.1418},
    "walls": [[0, 0, 40, 0], [40, 0, 40, 24], [40, 24, 0, 24], [0, 24, 0, 0]],
    "racks": [{"name": "A1", "x_m": 8, "y_m": 3, "w_m": 2, "h_m": 7.4}],
    "docks": [{"name": "D1", "x_m": 0.7, "y_m": 4, "w_m": 2.6, "h_m": 2}],
    "labels": [{"text": "Carga", "x_m": 0.7, "y_m": 3.4}],
}
#: What a robot of the demo says.
DRIVING: dict[str, Any] = {
    "TEMP": 21.54,
    "HUM": 48.0,
    "speed_mps": 1.1,
    "battery_pct": 81.3,
    "motor_temp_c": 41.2,
    "x_m": 20.0,
    "y_m": 12.0,
    "heading_deg": 90.0,
    "screen_score": 0.031,
}


def stream_of(robot_id: str) -> str:
    """The stream that these helpers write a robot's records into."""
    return f"{robot_id}-stream"


def say(
    robot_id: str,
    first: int,
    *readings: dict[str, Any],
    now: datetime | None = None,
    status: str | None = "moving",
    place: tuple[float, float] | None = None,
    interval_s: float | None = 1.0,
) -> None:
    """Let a robot's records arrive from `first` on, a second apart and the last one now; record 1 is its birth."""
    now = now or datetime.now(UTC)
    records: list[Any] = []
    for index, data in enumerate(readings):
        ts = now - timedelta(seconds=len(readings) - 1 - index)
        position = Position(*place) if place else None
        records.append(Reading(data=data, ts=ts, status=status, position=position))
    if first == 1:
        records.insert(0, Born(agent="test", ts=now))
    raw = [msgspec.Raw(messages.encode(record)) for record in records]
    presence = [PresenceItem(robot_id, Presence("online", ts=now, interval_s=interval_s))]
    services.ingest_relay(Relay(batches=[BatchItem(robot_id, stream_of(robot_id), first, raw)], presence=presence), now=now)


def events(response: httpx.Response, *, until_s: float = 10.0) -> Iterator[tuple[str, str, Any]]:
    """(event, id, data) of a stream, until it ends or `until_s` have passed."""
    ends = time.monotonic() + until_s
    name = number = ""
    data: list[str] = []
    for line in response.iter_lines():
        if line.startswith("event: "):
            name = line[7:]
        elif line.startswith("id: "):
            number = line[4:]
        elif line.startswith("data: "):
            data.append(line[6:])
        elif not line and data:
            yield name, number, json.loads("\n".join(data))
            name = number = ""
            data = []
        if time.monotonic() > ends:
            return
