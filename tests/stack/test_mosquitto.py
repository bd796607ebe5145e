"""Mosquitto in place of the embedded broker: the same robots, the same accounts, and MQTT over WebSocket through the gateway."""

import json
import time
from collections.abc import Iterator

import paho.mqtt.client as mqtt
import pytest

from tests.stack.analysers import complaints_of_gixy, complaints_of_sslyze
from tests.stack.hardening import assert_hardened
from tests.stack.system import OWN, System, eventually

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def system(images: None) -> Iterator[System]:
    with System(f"{OWN}-mosquitto", ["docker-compose.yml", "docker-compose.mosquitto.yml"]) as system:
        system.up()
        yield system


def test_robots_drive_about_with_mosquitto_and_two_bridges(system: System) -> None:
    system.compose("up", "-d", "--wait", "--no-recreate", "--scale", "bridge=2", "bridge")

    def newest() -> dict[str, int]:
        return {robot["robot_id"]: robot["last"]["id"] for robot in system.get("/api/telemetry/live").json["robots"]}

    before = eventually("three robots", lambda: newest() if len(newest()) >= 3 else None)
    eventually("new readings of all of them", lambda: all(newest()[name] > before[name] for name in before))
    streams = system.get("/api/telemetry/streams?robot_id=robot-clases").json
    assert all(stream["dead_letters"] == 0 for stream in streams)


def test_sslyze_finds_mozillas_intermediate_profile_at_the_broker(system: System) -> None:
    assert complaints_of_sslyze(system.mqtts) == {}


def test_gixy_finds_nothing_in_the_configuration_with_the_way_to_the_broker(system: System) -> None:
    assert "location = /mqtt" in system.inside("gateway", "nginx", "-T")
    assert complaints_of_gixy(system) == []


def test_the_health_probe_leaves_no_line_in_the_log_and_finds_a_broker_that_hangs(system: System) -> None:
    kind, *probe = system.inspect("broker")["Config"]["Healthcheck"]["Test"]
    assert kind == "CMD"
    for _ in range(3):
        system.inside("broker", *probe)
    log = system.compose("logs", "broker")
    assert "New connection from" in log
    assert "127.0.0.1" not in log

    system.run("docker", "kill", "-s", "STOP", system.container("broker"))
    try:
        with pytest.raises(AssertionError, match="exit status 124"):
            system.inside("broker", *probe)
    finally:
        system.run("docker", "kill", "-s", "CONT", system.container("broker"))


@pytest.mark.parametrize("service", ["broker", "bridge", "gateway"])
def test_it_is_as_hardened_as_the_other(system: System, service: str) -> None:
    assert_hardened(system, service)


def test_a_robot_publishes_over_websocket_through_the_gateway(system: System) -> None:
    robot_id, secret = system.croody("robot", "add", "navegador-01", "--shared").split()
    eventually("the new robot to be let in", lambda: system.lets_in(robot_id, secret), 15)
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=robot_id, transport="websockets")
    client.ws_set_options(path="/mqtt")
    client.tls_set_context(system.context())
    client.username_pw_set(robot_id, secret)
    client.connect("localhost", system.https, keepalive=30)
    client.loop_start()
    try:

        def publish_and_look() -> bool:
            client.publish(f"croody/v1/{robot_id}/up/telemetry", json.dumps({"robot_id": robot_id, "data": {"TEMP": 12.5}}), qos=1)
            found = system.get(f"/api/telemetry/last?robot_id={robot_id}")
            return found.status == 200 and found.json["data"] == {"TEMP": 12.5}

        eventually("the reading behind the gateway", publish_and_look, 15, every_s=1)
    finally:
        client.disconnect()
        client.loop_stop()


def test_a_revoked_robot_is_shut_out_within_seconds(system: System) -> None:
    robot_id, secret = system.croody("robot", "add", "perdido-01").split()
    eventually("the new robot to be let in", lambda: system.lets_in(robot_id, secret), 15)

    system.croody("robot", "revoke", robot_id)

    time.sleep(5)
    assert not system.lets_in(robot_id, secret)
