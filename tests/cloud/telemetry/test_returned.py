"""A robot that was revoked and is there again: what an earlier robot of its name said is told apart."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from tests.cloud.telemetry.helpers import NOON, reading

MINUTE = timedelta(minutes=1)
Send = Callable[..., dict[str, Any]]


def come_back(fleet: SimpleNamespace, minutes: int) -> None:
    from croody.fleet import services
    from croody.fleet.models import Robot

    services.revoke(Robot.objects.get(pk="rover-1"), now=NOON + minutes * MINUTE)
    services.add_robot("rover-1", organisation=fleet.alices, now=NOON + minutes * MINUTE)


def test_its_newest_reading_is_its_own_or_none(send: Send, fleet: SimpleNamespace):
    from croody.liveness.signs import states_of
    from croody.telemetry.read import queries

    send(1, [reading(1), reading(2)])
    assert queries.last("rover-1") is not None
    come_back(fleet, 1)
    assert queries.last("rover-1") is None
    assert states_of(["rover-1"], now=NOON + 2 * MINUTE)["rover-1"] == "unknown"
    assert b'"rover-1"' not in bytes(queries.live(["rover-1"], 20, now=NOON + 2 * MINUTE))
    send(1, [reading(3)], stream="stream-b", now=NOON + 2 * MINUTE)
    assert b'"TEMP":3' in bytes(queries.last("rover-1") or b"").replace(b" ", b"")
    told = [(row["stream"], row.get("earlier", False)) for row in queries.streams(["rover-1"])]
    assert told == [("stream-a", True), ("stream-b", False)]
    assert len(queries.query(["rover-1"], 10).rows) == 3, "its readings stay"


def test_what_the_earlier_one_lacked_is_asked_of_nobody_and_is_no_alarm(send: Send, fleet: SimpleNamespace):
    from croody.alarms.models import Alarm
    from croody.commands.models import Outgoing
    from croody.telemetry import jobs

    send(5, [reading(5)])
    come_back(fleet, 1)
    for minute in range(2, 5):
        send(minute, [reading(minute)], stream="stream-b", now=NOON + minute * MINUTE)
        jobs.request_gaps(NOON + minute * MINUTE + timedelta(seconds=30))
    asked = {row.payload["stream"] for row in Outgoing.objects.all()}
    assert "stream-a" not in asked
    assert not Alarm.objects.filter(key="stream-a").exists()
