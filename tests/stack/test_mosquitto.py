"""Mosquitto in place of the embedded broker, in development and in production: the same robots, the same accounts, the same doors."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.analysers import complaints_of_sslyze
from tests.stack.hardening import assert_hardened
from tests.stack.system import OWN, PRODUCTION, System, eventually

pytestmark = pytest.mark.stack
OVERLAY = "docker-compose.mosquitto.yml"


@pytest.fixture(scope="module")
def system(images: None) -> Iterator[System]:
    with System(f"{OWN}-mosquitto", ["docker-compose.yml", OVERLAY]) as system:
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
    system.publishes(*system.croody("robot", "add", "navegador-01", "--shared").split(), transport="websockets")


def test_a_revoked_robot_is_shut_out_within_seconds(system: System) -> None:
    robot_id, secret = system.croody("robot", "add", "perdido-01").split()
    eventually("the new robot to be let in", lambda: system.lets_in(robot_id, secret), 15)

    system.croody("robot", "revoke", robot_id)

    time.sleep(5)
    assert not system.lets_in(robot_id, secret)


def test_it_runs_with_the_production_files(images: None, tmp_path: Path) -> None:
    environ = {"CROODY_DOMAIN": "localhost", "SECRETS_DIR": str(tmp_path / "secrets"), "BACKUP_DIR": str(tmp_path / "backups")}
    with System(f"{OWN}-mosquitto-prod", [*PRODUCTION, OVERLAY], **environ) as system:
        system.croody("secrets", "init")
        system.croody("up", timeout_s=900)

        assert_hardened(system, "broker")
        robot_id, secret = system.croody("robot", "add", "taller-01", "--shared").split()
        system.publishes(robot_id, secret)
        system.publishes(robot_id, secret, transport="websockets")
        assert not system.lets_in(robot_id, "wrong-password-wrong-password")
        assert [row[0] for row in system.sql("select distinct stream from telemetry_record")] == ["mqtt"]
        eventually("a good status", lambda: "everything is well" in system.croody("status", check=False), 60, every_s=2)
