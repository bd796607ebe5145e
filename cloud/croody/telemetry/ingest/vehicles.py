"""What VDA 5050 vehicles said -> rows, as if an agent had read it. Reads who is which vehicle; keeps what each said last.

A message is new or not by what its vehicle said before, so that is kept in a row and changed in the transaction that stores what it led
to: whoever finds it changed meanwhile (another bridge had a message of the same vehicle) reads again.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec

from croody.fleet.vehicles import robots_of
from croody.telemetry.ingest import letters
from croody.telemetry.ingest.intake import Intake, Row
from croody.telemetry.ingest.repeats import delivered
from croody.telemetry.models import VehicleMemory
from croody_contract import vda5050
from croody_contract.batch import payload_hash
from croody_contract.messages import Born, Event, Reading, Refused, check_record
from croody_contract.relay import PlainItem, VehicleItem
from croody_contract.vehicles import METRICS, Memory, Vehicle

_STREAM: Final = "mqtt"
_BORN: Final = Born(agent="VDA 5050", metrics=list(METRICS))
_memory = msgspec.json.Decoder(Memory)


class Overtaken(RuntimeError):
    """Somebody else has changed what a vehicle said last: nothing was done, and who reads again does better."""


@dataclass(slots=True)
class Remembered:
    """One vehicle, as far as a relay has read it. `version`: of the row that it began with; None where there is none yet."""

    robot_id: str
    name: str
    version: int | None = None
    vehicle: Vehicle = field(default_factory=Vehicle)


def read(out: Intake, items: Sequence[VehicleItem], now: datetime, poison: Collection[str], alias: str) -> None:
    """Add what these say to `out`: rows, letters, and what is to be remembered."""
    topics = [vda5050.parse_topic(item.topic) for item in items]
    robots = robots_of([topic for topic in topics if topic is not None])
    known = _recall(robots, alias)
    for item, topic in zip(items, topics, strict=True):
        raw = bytes(item.body)
        digest = payload_hash(raw)
        one = known.get(topic[0:1] + topic[2:4]) if topic is not None else None
        if topic is None or one is None:
            text = "there is no robot of this vehicle: make it with croody robot add ID --vda5050 MANUFACTURER/SERIAL [--interface NAME]"
            out.letters.append(letters.make("", "unknown_robot", text, item.topic, raw))
            continue
        try:
            if digest in poison:
                raise Refused("database_refused", "body: the database refused it; the log of that time says why")
            rows = _rows(one, one.vehicle.take(topic, raw, now.timestamp()), digest, now)
        except (vda5050.BadMessage, Refused) as why:
            out.letters.append(letters.make(one.robot_id, getattr(why, "reason", "bad_message"), str(why), item.topic, raw))
            continue
        came = delivered(PlainItem(one.robot_id, item.body, item.number, item.packet, item.again), digest)
        for row in rows:
            out.plain.rows.append(row)
            out.plain.came.append(came)
    out.remembered = sorted(known.values(), key=lambda each: each.robot_id)


def _recall(robots: dict[tuple[str, str, str], str], alias: str) -> dict[tuple[str, str, str], Remembered]:
    found = {row.robot_id: row for row in VehicleMemory.objects.using(alias).filter(robot_id__in=robots.values())}
    known = {}
    for key, robot_id in robots.items():
        one = known[key] = Remembered(robot_id, "/".join(key[1:]))
        row = found.get(robot_id)
        if row is not None:
            one.version = row.version
            # A robot that was another vehicle once has nothing of it.
            one.vehicle = Vehicle(_memory.decode(row.memory) if row.vehicle == one.name else None)
    return known


def _rows(one: Remembered, said: Sequence[Event | Reading], digest: str, now: datetime) -> list[Row]:
    rows = []
    if said and one.version is None and not one.vehicle.memory.said:
        # Pages know by it what its values are.
        rows.append(_other(one.robot_id, _BORN, digest, now))
    for record in said:
        if isinstance(record, Reading):
            record = one.vehicle.whole(record, now.timestamp())
        check_record(record)
        if isinstance(record, Event):
            rows.append(_other(one.robot_id, record, digest, now))
        else:
            words: dict[str, Any] = {"environment": None, "status": record.status}
            data = record.data
            rows.append(Row(one.robot_id, _STREAM, 0, "reading", now, now, now, False, False, digest, data, None, None, None, **words))
    return rows


def _other(robot_id: str, record: Event | Born, digest: str, now: datetime) -> Row:
    fields: dict[str, Any] = msgspec.to_builtins(record)
    kind = str(fields.pop("kind"))
    fields.pop("ts", None)
    return Row(robot_id, _STREAM, 0, kind, now, now, now, False, False, digest, fields)


def write(remembered: Sequence[Remembered], now: datetime, alias: str) -> None:
    """Keep what these said last, inside the caller's transaction.

    Raises:
        Overtaken: somebody else has meanwhile.
    """
    rows = VehicleMemory.objects.using(alias)
    for one in remembered:
        said = {"vehicle": one.name, "memory": msgspec.json.encode(one.vehicle.memory).decode(), "at": now}
        if one.version is None:
            _row, held = rows.get_or_create(robot_id=one.robot_id, defaults={"version": 1, **said})
        else:
            held = bool(rows.filter(robot_id=one.robot_id, version=one.version).update(version=one.version + 1, **said))
        if not held:
            raise Overtaken(f"vehicle {one.name}: another relay has spoken of it meanwhile")
