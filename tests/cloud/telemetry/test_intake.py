"""What comes in as units: whichever way it is judged, the same comes of it."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest

from croody_contract.messages import Event, Position, Reading, Telemetry, encode
from croody_contract.relay import BatchItem, PlainItem, Relay

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
SOUND = [
    Reading({"TEMP": 20.5, "n": 2**63 - 1}, ts=NOW),
    Reading({"TEMP": 21}, ts=NOW - timedelta(days=29), position=Position(1.0, 2.0), environment="yard", status="moving"),
    Reading({"on": True, "word": "ñ"}, ts=NOW + timedelta(minutes=1), position=Position(1.0, 2.0, 3.0)),
]
ODD: list[Any] = [
    Reading({"TEMP": 1}),
    Reading({"TEMP": 1}, ts=NOW + timedelta(days=3)),
    Reading({"TEMP": 1}, ts=NOW - timedelta(days=31)),
    Reading({"TEMP": 1}, ts=NOW.astimezone(timezone(timedelta(hours=2)))),
    Event("door_open", ts=NOW),
]


def judged(records: list[Any], *, closely: bool, **head: Any) -> Any:
    from croody.telemetry.ingest.intake import Reader

    item = BatchItem("rover-1", "stream-a", 5, [msgspec.Raw(encode(record)) for record in records], **head)
    # What a database has refused is looked for record by record.
    reader = Reader(NOW, timedelta(days=30), {"rover-1"}, frozenset({"nothing"}) if closely else frozenset())
    (unit,) = reader.read(Relay(batches=[item])).units
    return unit


@pytest.mark.parametrize("odd", [[], *([one] for one in ODD)], ids=lambda odd: type(odd[0]).__name__ if odd else "none")
@pytest.mark.parametrize("head", [{}, {"prev": "stream-0", "prev_last": 7}, {"prev": "!", "historical": True}])
def test_readings_that_are_judged_together_come_out_as_one_by_one(odd: list[Any], head: dict[str, Any]):
    quickly, closely = (judged([*SOUND, *odd], closely=closely, **head) for closely in (False, True))
    assert quickly.readings is (not odd)
    for name in ("key", "ones", "sound", "buries", "prev", "prev_last", "historical", "topic"):
        assert getattr(quickly, name) == getattr(closely, name), name


def plain(bodies: list[bytes], *, closely: bool) -> Any:
    from croody.telemetry.ingest.intake import Reader

    items = [PlainItem("rover-1", msgspec.Raw(body), number, number + 10) for number, body in enumerate(bodies, start=1)]
    reader = Reader(NOW, timedelta(days=30), {"rover-1"}, frozenset({"nothing"}) if closely else frozenset())
    return reader.read(Relay(plain=items))


@pytest.mark.parametrize(
    "odd",
    [
        Telemetry({"TEMP": 1}),
        Telemetry({"TEMP": 1}, ts=NOW + timedelta(days=3)),
        Telemetry({"TEMP": 1}, ts=NOW - timedelta(days=31)),
        Telemetry({"TEMP": 1}, ts=NOW.astimezone(timezone(timedelta(hours=2)))),
        Telemetry({"TEMP": 1}, robot_id="rover-1", ts=NOW),
        Telemetry({"TEMP": 1}, robot_id="rover-2", ts=NOW),
        Telemetry({"TEMP": 1}, ts=NOW, position=Position(1.0, 2.0)),
        Telemetry({"LAT": 1.5, "LON": 2.5}, ts=NOW),
        Telemetry({"lat": 99, "lng": 2}, ts=NOW),
    ],
    ids=str,
)
def test_plain_readings_that_are_judged_in_one_loop_come_out_as_one_by_one(odd: Telemetry):
    sound = Telemetry({"TEMP": 20.5, "word": "ñ"}, ts=NOW, environment="yard", status="moving")
    quickly, closely = (plain([encode(sound), encode(odd), encode(sound)], closely=closely) for closely in (False, True))
    assert quickly.plain.rows
    assert quickly.plain == closely.plain
    assert quickly.letters == closely.letters
