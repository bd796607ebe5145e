"""A robot behind rosbridge, against a small server in the tests that speaks its published protocol."""

import base64
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from croody_edge.sources.own import from_table
from croody_edge.sources.rosbridge import RosbridgeSource
from croody_edge.sources.rosbridge.protocol import parse
from croody_edge.variables import BadSetting
from tests.contract.test_pictures import jpeg
from tests.edge_agent.sources.robots.listening import listening
from tests.edge_agent.sources.robots.rosbridge_server import RosbridgeServer

BATTERY = "sensor_msgs/msg/BatteryState"
FULL = {"voltage": 24.5, "current": -1.0, "percentage": 0.75, "power_supply_status": 1, "temperature": None}


@pytest.fixture
def server(free_port: int) -> Iterator[RosbridgeServer]:
    types = {"/battery": BATTERY, "/old": "nav_msgs/Odometry", "/odd": "acme_msgs/msg/Odd"}
    made = RosbridgeServer(free_port, types)
    yield made
    made.stop()


def test_topics_are_subscribed_and_their_messages_read(tmp_path: Path, server: RosbridgeServer) -> None:
    topics: list[dict[str, Any]] = [
        {"name": "/battery"},
        {"name": "/old", "prefix": "wheel_"},
        {"name": "/odd", "fields": {"inner": "a.b[1].c"}},
        {"name": "/fix", "type": "sensor_msgs/NavSatFix", "every_s": 0.5},
        {"name": "/camera", "type": "sensor_msgs/msg/CompressedImage"},
        {"name": "/diagnostics", "type": "diagnostic_msgs/msg/DiagnosticArray"},
        {"name": "/nobody"},
    ]
    with listening(RosbridgeSource, tmp_path, url=server.url, topics=topics, token="t0ken") as heard:
        assert heard.has(lambda _: len(server.subscribed) == 6)
        server.publish("/battery", FULL)
        server.publish("/old", {"pose": {"pose": {"position": {"x": 1, "y": 2}}}, "twist": {"twist": {"linear": {"x": 0.5}}}})
        server.publish("/odd", {"a": {"b": [0, {"c": "deep"}]}})
        server.publish("/fix", {"status": {"status": 1}, "latitude": 40.5, "longitude": -3.5, "altitude": float("nan")})
        server.publish("/camera", {"format": "jpeg", "data": base64.b64encode(jpeg()).decode()})
        server.publish("/diagnostics", {"status": [{"name": "Lidar", "level": 1, "message": "dusty", "values": []}]})
        assert heard.has(lambda it: {"battery_pct", "wheel_x_m", "inner", "gps_fix"} <= it.data().keys() and it.pictures and it.events)
    data = heard.data()
    assert (data["battery_pct"], data["battery_v"], data["battery_state"]) == (75.0, 24.5, "charging")
    assert (data["wheel_speed_mps"], data["inner"], data["gps_fix"]) == (0.5, "deep", "sbas")
    assert heard.pictures[0].jpeg == jpeg()
    assert [(event.code, event.severity) for event in heard.events] == [("ros_lidar", "medium")]
    assert [(one.position.lat, one.position.alt) for one in heard.readings if one.position] == [(40.5, None)]
    assert server.headers == ["Bearer t0ken"]
    assert [one["throttle_rate"] for one in server.asked if one["op"] == "subscribe" and one["topic"] == "/fix"] == [500]


@pytest.mark.parametrize(
    "nonsense",
    [
        "",
        "no json",
        "[1, 2]",
        "null",
        "[" * 50_000,
        '{"op": "publish"}',
        '{"op": "publish", "topic": "/battery", "msg": 5}',
        '{"op": "publish", "topic": "/battery", "msg": {"voltage": 1e400, "percentage": NaN, "current": "much", "charge": -1e400}}',
        '{"op": "publish", "topic": "/battery", "msg": {"voltage": {"deep": []}, "percentage": [], "power_supply_status": 99}}',
        '{"op": "publish", "topic": "/battery", "msg": {"voltage": ' + "9" * 5000 + "}}",
        '{"op": "publish", "topic": "/other", "msg": {}}',
        '{"op": "service_response", "id": "type:/battery", "values": null}',
        '{"op": "status", "level": "error", "msg": "\\u001b[2J no such topic"}',
        '{"op": "fragment", "data": "x", "num": 0, "total": 10000}',
        b"\xff\xfe",
        '{"op": "\\ud800"}',
    ],
)
def test_nonsense_is_passed_over_and_what_comes_after_it_is_read(tmp_path: Path, server: RosbridgeServer, nonsense: str | bytes) -> None:
    with listening(RosbridgeSource, tmp_path, url=server.url, topics=[{"name": "/battery", "type": BATTERY}]) as heard:
        assert heard.has(lambda _: server.subscribed)
        for _ in range(3):
            server.send(nonsense)
        server.publish("/battery", FULL)
        assert heard.has(lambda it: it.data().get("battery_pct") == 75.0)
    assert heard.failures == []


def test_a_server_that_goes_and_returns_is_subscribed_again(tmp_path: Path, server: RosbridgeServer) -> None:
    with listening(RosbridgeSource, tmp_path, url=server.url, topics=[{"name": "/battery"}]) as heard:
        assert heard.has(lambda _: server.subscribed)
        server.publish("/battery", FULL)
        assert heard.has(lambda it: it.readings)
        server.stop()
        assert heard.has(lambda it: it.failures)
        server.start()
        assert heard.has(lambda _: server.subscribed, 30)
        before = len(heard.readings)
        server.publish("/battery", FULL)
        assert heard.has(lambda it: len(it.readings) > before)


def test_a_text_beyond_all_measure_ends_the_connection_and_it_is_made_again(tmp_path: Path, server: RosbridgeServer) -> None:
    with listening(RosbridgeSource, tmp_path, url=server.url, topics=[{"name": "/battery", "type": BATTERY}]) as heard:
        assert heard.has(lambda _: server.subscribed)
        server.send("x" * 2_000_000)
        assert heard.has(lambda it: it.failures)
        server.asked.clear()
        assert heard.has(lambda _: server.subscribed, 30)


def test_a_peer_that_takes_the_connection_and_says_nothing_is_given_up(tmp_path: Path, free_port: int) -> None:
    with (
        socket.create_server(("127.0.0.1", free_port)),
        listening(RosbridgeSource, tmp_path, url=f"ws://127.0.0.1:{free_port}", topics=[{"name": "/battery"}]) as heard,
    ):
        assert heard.has(lambda it: it.failures, 30)


@pytest.mark.parametrize("own", [{"url": "http://x"}, {"url": "ws://"}, {"topics": []}, {"topics": [{"name": "/a", "fields": 5}]}])
def test_settings_that_cannot_work_are_refused(own: dict[str, Any]) -> None:
    with pytest.raises(BadSetting):
        from_table(RosbridgeSource.Settings, {"topics": [{"name": "/battery"}]} | own, "sources.toml [source.base]")


def test_the_type_of_a_topic_may_be_said_as_ros_1_says_it() -> None:
    answer = '{"op": "service_response", "id": "type:/a", "values": {"type": "nav_msgs/Odometry"}, "result": true}'
    assert parse(answer) == ("/a", "nav_msgs/msg/Odometry")
