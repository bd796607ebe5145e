"""A row as the API tells it: the same whether the database or Python writes it, also of what nobody sends in earnest."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from croody_contract.relay import PlainItem, Relay
from tests.cloud.telemetry.helpers import NOON, told

Send = Callable[..., dict[str, Any]]
#: Bodies as the bytes that a robot sends.
HOSTILE = (
    b'{"data":{"a":1e308,"b":-1.7976931348623157e308,"c":5e-324,"d":-0.0,"e":0.1,"f":1e-7,"g":12345678.9012345678}}',
    b'{"data":{"a":9007199254740993,"b":-9223372036854775808,"c":9223372036854775807,"d":1.0,"e":1e22,"f":-0,"g":1E2}}',
    b'{"data":{"line\\nbreak":"\\u0001\\u001f\\u007f\\u2028","quote\\"":"\\\\\\"\\/,\\n{}","\\ud83d\\ude00":"\\ud83d\\ude00 \xc3\xb1"}}',
    b'{"data":{"},\\n{\\"id\\":1":"},\\n{"},"status":"},\\n{\\"","environment":"\\u0007 \\t\\\\ \xe2\x80\xa8"}',
    b'{"data":{"a":true,"b":false,"c":""},"status":"","environment":""}',
    b'{"data":{"a":1},"position":{"lat":-0.0,"lng":1e-300}}',
    b'{"data":{"a":1},"position":{"lat":89.99999999999999,"lng":-179.12345678901234,"alt":-1e300}}',
    b'{"data":{"a":1},"position":{"lat":4.609710000000001,"lng":-74,"alt":2640.0000000000005}}',
    b'{"data":{"lat":4.5,"lng":-74.25},"ts":"2026-11-24T11:59:59.5Z"}',
    b'{"data":{"a":1},"ts":"2026-11-24T11:00:00.000001+00:00"}',
    b'{"data":{"a":1},"ts":"2026-11-24T13:30:00.120+02:00"}',
    b'{"data":{"a":1},"ts":"2026-11-24T11:00:00Z"}',
)
NAMES = ("rover-1", "rover-2")


def expected(robot_id: str) -> list[Any]:
    """Every row of a robot, newest first, put together here."""
    from croody.telemetry.models import Record
    from croody.telemetry.rows import api_row

    rows = Record.objects.filter(robot_id=robot_id).order_by("-seq")
    return [
        decoded(
            json.dumps(
                api_row(row.pk, row.robot_id, row.at, row.ts, row.data, (row.lat, row.lng, row.alt), row.environment, row.status)
            ).encode()
        )
        for row in rows
    ]


def decoded(text: msgspec.Raw | bytes | None) -> Any:
    """As strictly as JSON has it. Whole numbers stay exact as far as 64 bits go; PostgreSQL writes 1e300 with all its zeros."""
    assert text is not None
    raw = bytes(text).decode()
    msgspec.json.decode(raw)
    return json.loads(raw, parse_int=lambda digits: int(digits) if len(digits) < 21 else float(digits))


@pytest.fixture
def told_all(fleet: SimpleNamespace) -> int:
    from croody.telemetry.ingest import services

    for number, body in enumerate(HOSTILE):
        relay = Relay(plain=[PlainItem(name, msgspec.Raw(body)) for name in NAMES])
        services.ingest_relay(relay, now=NOON + timedelta(seconds=number, microseconds=number * 100_000))
    return len(HOSTILE)


def test_a_row_says_what_is_stored_at_every_door(told_all: int):
    from croody.telemetry.read import queries

    mine = expected(NAMES[0])
    assert len(mine) == told_all, "none of them is refused"
    assert decoded(queries.last(NAMES[0])) == mine[0]
    assert [decoded(row) for row in queries.query([NAMES[0]], 100).rows] == mine
    both = [decoded(row) for row in queries.query(NAMES, 100).rows]
    assert [row for row in both if row["robot_id"] == NAMES[0]] == mine
    for limit in (2, 100):
        live = decoded(queries.live(NAMES, limit, now=NOON))
        assert [robot["robot_id"] for robot in live["robots"]] == list(NAMES)
        for robot in live["robots"]:
            rows = expected(robot["robot_id"])[:limit]
            assert robot["last"] == rows[0]
            assert robot["trail"] == rows[::-1]
        assert live["total_points"] == 2 * min(limit, told_all)
        assert live["updated_at"] == NOON.isoformat()


def test_the_newest_row_is_told_whatever_it_is(fleet: SimpleNamespace):
    """It comes from the ledger, where the row itself may be gone."""
    from croody.telemetry.ingest import services
    from croody.telemetry.models import Record
    from croody.telemetry.read import queries

    for number, body in enumerate(HOSTILE):
        services.ingest_relay(Relay(plain=[PlainItem("rover-1", msgspec.Raw(body))]), now=NOON + timedelta(seconds=number))
        (mine, *_) = expected("rover-1")
        assert decoded(queries.last("rover-1")) == mine
        assert decoded(queries.live(["rover-1"], 1, now=NOON))["robots"] == [{"robot_id": "rover-1", "last": mine, "trail": [mine]}]
    Record.objects.filter(robot_id="rover-1").delete()
    assert decoded(queries.live(["rover-1"], 20, now=NOON))["robots"] == [{"robot_id": "rover-1", "last": mine, "trail": [mine]}]


def test_an_agents_rows_are_told_as_they_came(fleet: SimpleNamespace, send: Send):
    """They come many robots a statement, and a robot's as one text."""
    from croody.telemetry.read import queries

    records = [msgspec.json.encode({"kind": "reading", **json.loads(body)}) for body in HOSTILE]
    for name in NAMES:
        send(1, records, robot_id=name, stream=f"of-{name}")
    for robot in decoded(queries.live(NAMES, 20, now=NOON))["robots"]:
        rows = expected(robot["robot_id"])
        assert len(rows) == len(HOSTILE)
        assert robot["trail"] == rows[::-1]
        assert robot["last"] == rows[0]


def test_times_have_six_digits_of_a_second_or_none(told_all: int):
    """Old parsers know no others."""
    from croody.telemetry.read import queries

    times = [told(row)["ts"] for row in queries.query([NAMES[0]], 100).rows]
    assert [datetime.fromisoformat(time).isoformat() for time in times] == times
    assert {len(time) for time in times} == {25, 32}


def test_a_robots_name_may_hold_what_json_writes_in_another_way(fleet: SimpleNamespace):
    """Over HTTP a robot may be called anything that can be shown."""
    from croody.fleet.models import Robot
    from croody.telemetry.ingest import services
    from croody.telemetry.read import queries
    from croody_contract import messages

    name = 'ro"ver\\ñ,😀'
    Robot.objects.create(pk=name, organisation=fleet.alices)
    for _ in range(3):
        services.ingest_one(messages.Telemetry(data={"TEMP": 1.0}), name, "http", now=NOON)
    for limit in (1, 3):
        (robot,) = decoded(queries.live([name], limit, now=NOON))["robots"]
        assert robot["trail"] == expected(name)[:limit][::-1]
        assert robot["robot_id"] == name
