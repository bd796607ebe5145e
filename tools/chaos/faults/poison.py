"""A client with a robot's own credentials that publishes whatever breaks parsers, beside a robot that behaves."""

import gzip
import time
from collections.abc import Iterator

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tools.chaos.arena import ROBOTS, Arena
from tools.chaos.faults.base import Fault

STREAM = "poison-stream-0001"


def bodies() -> Iterator[tuple[str, bytes]]:
    """Name and bytes of everything that must not hurt."""
    reading = b'{"records":[{"kind":"reading","data":{"a":%s}}]}'
    yield "empty", b""
    yield "no json", b"hello"
    yield "cut json", b'{"records":[{"kind":"read'
    yield "not utf-8", b'{"records":[{"kind":"reading","data":{"a":"\xff\xfe"}}]}'
    yield "nan", reading % b"NaN"
    yield "infinity", reading % b"-Infinity"
    yield "huge number", reading % b"1e999"
    yield "huge integer", reading % (b"9" * 400)
    yield "nul", reading % b'"\\u0000"'
    yield "surrogate", reading % b'"\\ud800"'
    yield "deep", b'{"records":[' + b"[" * 100_000
    yield "deep in a row", reading % (b"[" * 900 + b"]" * 900)
    yield "wrong type", reading % b"[1,2]"
    yield "unknown kind", b'{"records":[{"kind":"nothing"}]}'
    yield "bad position", b'{"records":[{"kind":"reading","data":{},"position":{"lat":91,"lng":0}}]}'
    yield "bad time", b'{"records":[{"kind":"reading","data":{},"ts":"yesterday"}]}'
    yield "no offset", b'{"records":[{"kind":"reading","data":{},"ts":"2026-11-24T12:00:00"}]}'
    yield "far year", b'{"records":[{"kind":"reading","data":{},"ts":"9999-12-31T23:59:59+00:00"}]}'
    yield "backward tombstone", b'{"records":[{"kind":"tombstone","stream":"poison-stream-0001","reason":"thinned","ranges":[[9,2]]}]}'
    yield (
        "tombstone of the moon",
        b'{"records":[{"kind":"tombstone","stream":"nobodys-stream-1","reason":"thinned","ranges":[[1,9007199254740991]]}]}',
    )
    yield "not gzip", b"\x1f\x8bno"
    yield "gzip bomb", gzip.compress(b"0" * 100_000_000, 9)
    yield "quarter of a megabyte", b"x" * (256 * 1024 - 200)


def _publish(arena: Arena) -> None:
    robot_id = ROBOTS[0]
    client = mqtt.Client(CallbackAPIVersion.VERSION2, f"{robot_id}:poison")
    client.username_pw_set(robot_id, arena.credentials[robot_id])
    client.connect("127.0.0.1", arena.stack.options.ports.mqtt)
    client.loop_start()
    up = f"croody/v1/{robot_id}/up"
    for seq, (_, body) in enumerate(bodies(), start=1):
        for topic in (f"{up}/batch/{STREAM}/{seq}-{seq}", f"{up}/telemetry", f"{up}/presence", f"{up}/answer/1"):
            client.publish(topic, body, qos=1)
        time.sleep(0.02)
    for topic in (f"{up}/nothing", f"{up}/batch/{STREAM}/1-9007199254740991", f"{up}/batch/x/1-1", f"{up}/batch/{STREAM}/9-2"):
        client.publish(topic, b"{}", qos=1)
    # A megabyte is more than the broker takes: it ends the connection, and only this one.
    client.publish(f"{up}/telemetry", b"x" * 1_048_576, qos=1)
    time.sleep(0.5)
    client.disconnect()
    client.loop_stop()


def _poisoned(arena: Arena) -> None:
    arena.sim()
    arena.flowing()
    for _ in range(2):
        _publish(arena)
    arena.over()


def _letters(arena: Arena) -> list[str]:
    found = arena.database.query("SELECT count(*) FROM telemetry_deadletter WHERE robot_id = ?", [ROBOTS[0]])[0][0]
    expected = len(list(bodies()))
    return [] if found >= expected else [f"{expected} kinds of poison left only {found} dead letters"]


FAULTS = (Fault("poison", _poisoned, check=_letters),)
