"""Frames -> flows: who spoke to whom, how it ended, and what class it has."""

import json

import pytest

from croody_contract.flows import records
from croody_contract.flows.packets import ACK, RST, SYN
from tests.contract.frames import SECOND, START, Wire, mac_of, mqtt_connect, tcp, udp

ROBOT, BROKER, STRANGER = "10.0.0.7", "10.0.0.1", "10.0.0.66"


def classified(wire: Wire) -> list[dict]:
    return [json.loads(json.dumps(flow.as_json())) for flow in records.classify(wire.frames, None)]


def session(wire: Wire, port: int = 4000) -> None:
    wire.opened(ROBOT, port, BROKER, 1883)
    wire.said(ROBOT, port, BROKER, 1883, mqtt_connect("rover", "secret"))
    wire.said(BROKER, 1883, ROBOT, port, b"\x20\x02\0\0")
    wire.closed(ROBOT, port, BROKER, 1883)


def test_a_session_is_one_flow_from_who_began_it_with_what_went_each_way():
    wire = Wire([])
    session(wire)
    (flow,) = classified(wire)
    assert (flow["source"], flow["target"], flow["target_port"], flow["protocol"]) == (ROBOT, BROKER, 1883, "tcp")
    assert (flow["application"], flow["state"], flow["class"]) == ("mqtt", "closed", "normal")
    assert (flow["packets"], flow["packets_back"]) == (4, 3)
    assert flow["bytes"] + flow["bytes_back"] == sum(frame.length for frame in wire.frames)
    assert START / 1e9 < flow["first"] < flow["last"] < START / 1e9 + 1


def test_a_robot_that_scans_keeps_its_ordinary_session():
    wire = Wire([])
    session(wire)
    for port in range(100, 140):
        wire.refused(ROBOT, 5000 + port, BROKER, port)
    wire.put(udp(ROBOT, 9, BROKER, 9999, b"x"), 5)
    kinds = {flow["target_port"]: (flow["state"], flow["class"]) for flow in classified(wire)}
    assert kinds.pop(1883) == ("closed", "normal")
    assert kinds.pop(9999) == ("", "normal")
    assert set(kinds.values()) == {("refused", "port_scan")}


@pytest.mark.parametrize(
    ("frames", "state"),
    [
        ([(STRANGER, SYN)], "unanswered"),
        ([(STRANGER, SYN), (BROKER, SYN | ACK)], "half_open"),
        ([(STRANGER, SYN), (BROKER, RST | ACK)], "refused"),
        ([(STRANGER, SYN), (BROKER, SYN | ACK), (STRANGER, ACK)], "open"),
        ([(STRANGER, SYN), (BROKER, SYN | ACK), (STRANGER, ACK), (STRANGER, RST)], "reset"),
        ([(STRANGER, SYN), (BROKER, SYN | ACK), (STRANGER, RST)], "half_open"),
        ([(BROKER, ACK), (STRANGER, ACK)], "open"),
    ],
)
def test_how_a_connection_stands(frames: list[tuple[str, int]], state: str):
    wire = Wire([])
    for who, flags in frames:
        ends = (STRANGER, 4000, BROKER, 80) if who == STRANGER else (BROKER, 80, STRANGER, 4000)
        wire.put(tcp(*ends, flags))
    (flow,) = classified(wire)
    assert (flow["state"], flow["source"]) == (state, STRANGER)


def test_a_long_conversation_is_told_in_parts_and_a_new_one_of_the_same_ports_is_another():
    wire = Wire([])
    wire.opened(ROBOT, 4000, BROKER, 1883)
    for _ in range(20):
        wire.put(tcp(BROKER, 1883, ROBOT, 4000, ACK, b"x"), 30)
    parts = classified(wire)
    assert [part["source"] for part in parts] == [ROBOT, ROBOT]
    wire = Wire([])
    session(wire)
    session(wire)
    assert len(classified(wire)) == 2


def test_a_flood_of_sources_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(records, "MOST", 100)
    flows, wire = records.Flows(None), Wire([])
    for number in range(1_000):
        wire.put(udp(f"10.1.{number // 250}.{number % 250}", 9, BROKER, 9999, b"x"))
    told = 0
    for frame in wire.frames:
        flows.take(frame)
    told += sum(1 for _ in flows.due(wire.frames[-1].at_ns + 100 * SECOND))
    assert (flows.forgotten, told + sum(1 for _ in flows.end())) == (900, 1_000)


def test_invented_addresses_are_classed_by_the_machine_that_really_spoke():
    wire = Wire([])
    wire.opened(STRANGER, 4000, BROKER, 80)
    wire.closed(STRANGER, 4000, BROKER, 80)
    for number in range(200):
        wire.put(tcp(f"172.16.{number}.9", 1000 + number, BROKER, 1883, SYN, mac=mac_of(STRANGER)))
    wire.put(udp(ROBOT, 9, BROKER, 9999, b"x"), 5)
    flooded = [flow["class"] for flow in classified(wire) if flow["target_port"] == 1883]
    assert flooded.count("half_open") == 200
