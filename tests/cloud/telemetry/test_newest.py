"""Which reading is a robot's newest: by its stream and number, or by its receipt, and never by a robot's clock."""

from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from croody_contract import messages
from croody_contract.messages import Event, Reading
from croody_contract.relay import PlainItem, Relay
from tests.cloud.telemetry.helpers import NOON, raw, reading, told

Send = Callable[..., dict[str, Any]]
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def say(value: float, ts: datetime | None, now: datetime, door: str = "mqtt", robot_id: str = "rover-1") -> None:
    """One reading without a stream."""
    from croody.telemetry.ingest import services

    telemetry = messages.Telemetry(data={"TEMP": value}, ts=ts)
    if door == "http":
        services.ingest_one(telemetry, robot_id, "http", now=now)
    else:
        services.ingest_relay(Relay(plain=[PlainItem(robot_id, msgspec.Raw(messages.encode(telemetry)))]), now=now)


def temp(row: Any) -> float:
    return float((row if isinstance(row, dict) else told(row))["data"]["TEMP"])


def shown(robot_id: str) -> Any:
    """A robot as the monitor has it."""
    from croody.liveness.judge import State
    from croody.monitor import facts

    (entry,) = facts.entries([facts.Listed(robot_id, "robot", "", State.ONLINE)])
    return entry


def everywhere(now: datetime, robot_id: str = "rover-1") -> dict[str, float]:
    """The newest reading, as each door shows it."""
    from croody.telemetry.read import queries

    live = {limit: told(queries.live([robot_id, "rover-2"], limit, now=now))["robots"][0] for limit in (1, 20)}
    entry = shown(robot_id)
    return {
        "last": temp(queries.last(robot_id)),
        "live 1": temp(live[1]["last"]),
        "live 20": temp(live[20]["last"]),
        "trail": temp(live[20]["trail"][-1]),
        "query": temp(queries.query([robot_id], 5).rows[0]),
        "query of all": temp(queries.query([robot_id, "rover-2"], 5).rows[0]),
        "monitor": entry.values["TEMP"],
    }


@pytest.mark.parametrize("door", ["http", "mqtt"])
@pytest.mark.parametrize("skew", [timedelta(minutes=4), -3 * HOUR], ids=["minutes fast", "hours slow"])
def test_a_plain_client_whose_clock_is_wrong_freezes_nothing(fleet: SimpleNamespace, skew: timedelta, door: str):
    say(1.0, NOON + timedelta(minutes=4), NOON, door)
    say(2.0, NOON + skew - HOUR * (skew > timedelta(0)), NOON + SECOND, door)
    assert set(everywhere(NOON + 2 * SECOND).values()) == {2.0}


@pytest.mark.parametrize("door", ["http", "mqtt"])
@pytest.mark.parametrize("skew", [timedelta(minutes=4), -3 * HOUR], ids=["minutes fast", "hours slow"])
def test_beside_an_agent_the_reading_that_was_heard_last_is_the_newest(fleet: SimpleNamespace, send: Send, skew: timedelta, door: str):
    say(1.0, NOON + skew, NOON, door)
    send(1, [reading(2.0, NOON + SECOND)], now=NOON + SECOND)
    assert set(everywhere(NOON + SECOND).values()) == {2.0}
    say(3.0, NOON + skew, NOON + 2 * SECOND, door)
    assert set(everywhere(NOON + 2 * SECOND).values()) == {3.0}
    send(2, [Event(code="started")], now=NOON + 3 * SECOND)
    assert set(everywhere(NOON + 3 * SECOND).values()) == {3.0}, "an event is no reading"


def test_the_two_doors_of_plain_readings_are_ordered_by_receipt(fleet: SimpleNamespace):
    for number, (door, skew) in enumerate([("http", HOUR), ("mqtt", -HOUR), ("http", -2 * HOUR), ("mqtt", timedelta())]):
        say(float(number), NOON + skew / 20, NOON + number * SECOND, door)
    assert set(everywhere(NOON + 5 * SECOND).values()) == {3.0}
    from croody.telemetry.read import queries

    assert [temp(row) for row in queries.query(["rover-1"], 9).rows] == [3.0, 2.0, 1.0, 0.0]


def test_backlog_of_an_agent_is_older_than_what_a_plain_client_said_since(fleet: SimpleNamespace, send: Send):
    say(1.0, None, NOON)
    send(1, [reading(2.0, NOON - HOUR)], historical=True, now=NOON + SECOND)
    assert set(everywhere(NOON + SECOND).values()) == {1.0}


def test_the_age_of_a_plain_reading_is_that_of_its_receipt(fleet: SimpleNamespace):

    say(1.0, NOON - 3 * HOUR, NOON)
    assert shown("rover-1").at == NOON.timestamp()


def test_a_trail_goes_on_into_earlier_streams_and_over_what_lies_between(fleet: SimpleNamespace, send: Send):
    """Starts with one reading each, then one stream whose readings lie far apart among events."""
    from croody.telemetry.read import queries

    for number in range(1, 31):
        send(1, [reading(float(number))], stream=f"stream-{number:02}", now=NOON + number * SECOND)
    trail = told(queries.live(["rover-1", "rover-2"], 20, now=NOON))["robots"][0]["trail"]
    assert [temp(row) for row in trail] == [float(number) for number in range(11, 31)]
    events = [Event(code=f"event_{number}") for number in range(160)]
    send(1, [reading(90.0), *events, reading(91.0), *events, reading(92.0)], stream="stream-99", now=NOON + 99 * SECOND)
    assert [temp(row) for row in queries.query(["rover-1"], 5).rows] == [92.0, 91.0, 90.0, 30.0, 29.0]
    trail = told(queries.live(["rover-1", "rover-2"], 5, now=NOON))["robots"][0]["trail"]
    assert [temp(row) for row in trail] == [29.0, 30.0, 90.0, 91.0, 92.0]


def test_the_newest_reading_is_found_when_the_robot_only_started_since(fleet: SimpleNamespace, send: Send):
    from croody.telemetry import jobs
    from croody_contract.messages import Born

    send(1, [reading(7.0)])
    for number in range(1, 40):
        send(1, [Born(agent="1")], stream=f"stream-{number:02}")
        jobs.fold_finished(NOON + timedelta(minutes=2))
    assert set(everywhere(NOON).values()) == {7.0}


def test_live_is_bounded_in_bytes_and_every_robot_is_there(fleet: SimpleNamespace, send: Send):
    from croody.telemetry.read import queries

    long = {f"m{number:03}": "x" * 1000 for number in range(60)}
    for robot_id in ("rover-1", "rover-2"):
        for first in range(1, 101, 10):
            records = [raw(Reading(data=long, ts=NOON)) for _ in range(10)]
            send(first, records, robot_id=robot_id, stream=f"of-{robot_id}")
    answer = told(queries.live(["rover-1", "rover-2"], 100, now=NOON))
    sizes = [len(msgspec.json.encode(row["data"])) for robot in answer["robots"] for row in robot["trail"]]
    assert sum(sizes) <= queries.LIVE_BYTES < 200 * sizes[0]
    counts = [len(robot["trail"]) for robot in answer["robots"]]
    assert counts[0] == counts[1] > 50
