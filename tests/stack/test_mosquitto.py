"""Mosquitto in place of the embedded broker, in development and in production: the same robots, the same accounts, the same doors."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from croody_contract import claims
from tests.edge_agent.link.test_proxy import ProxyServer
from tests.stack.analysers import complaints_of_sslyze
from tests.stack.hardening import assert_hardened
from tests.stack.system import OWN, PRODUCTION, System, eventually
from tools.stack import script, source_path

pytestmark = pytest.mark.stack
OVERLAY = "docker-compose.mosquitto.yml"
#: Of the production system; a name without a dot is never behind a proxy.
NAME = "robots.test"


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
    environ = {"CROODY_DOMAIN": NAME, "SECRETS_DIR": str(tmp_path / "secrets"), "BACKUP_DIR": str(tmp_path / "backups")}
    with System(f"{OWN}-mosquitto-prod", [*PRODUCTION, OVERLAY], ALLOWED_HOSTS=f"localhost,{NAME}", **environ) as system:
        system.croody("secrets", "init")
        system.croody("up", timeout_s=900)

        assert_hardened(system, "broker")
        robot_id, secret = system.croody("robot", "add", "taller-01", "--shared").split()
        system.publishes(robot_id, secret)
        system.publishes(robot_id, secret, transport="websockets")
        assert not system.lets_in(robot_id, "wrong-password-wrong-password")
        assert [row[0] for row in system.sql("select distinct stream from telemetry_record")] == ["mqtt"]
        a_board_enrols_publishes_and_changes_its_secret_by_443_alone(system, tmp_path / "edge")
        eventually("a good status", lambda: "everything is well" in system.croody("status", check=False), 60, every_s=2)


def a_board_enrols_publishes_and_changes_its_secret_by_443_alone(system: System, folder: Path) -> None:
    """Behind a company's proxy, which lets those through who log in, and to no port but the site's."""
    line = system.croody("robot", "claim", "behind-443", "--add", "--line").strip()
    assert line.startswith(f"croody+https://{NAME}:{system.https}/behind-443/")
    assert claims.read(line).fingerprint, "the site's own authority is known by its fingerprint"
    proxy = ProxyServer(only_port=system.https)
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": source_path(), "LANG": "C.UTF-8", "CROODY_SCREEN": "0"}
    environ["HTTPS_PROXY"] = f"http://alice:p%40ss:word@127.0.0.1:{proxy.port}"
    said = (folder.parent / "agent.log").open("wb")
    agent = subprocess.Popen([script("croody-edge"), "enrol", line, "--dir", str(folder)], env=environ, stderr=said)
    try:
        eventually("its readings", lambda: stored(system) > 3, 60)
        # The broker's own port stands first in the answer, and the proxy leads nobody there.
        mine = json.loads((folder / "identity.json").read_text())
        websocket = f"wss://{NAME}:{system.https}/mqtt"
        assert mine["brokers"] == [f"mqtts://{NAME}:{system.mqtts}", websocket]
        assert f"CONNECT {NAME}:{system.https}" in proxy.asked
        system.croody("robot", "rotate", "behind-443", "--on-robot")
        assert json.loads((folder / "identity.json").read_text())["secret"] != mine["secret"]
        before = stored(system)
        eventually("readings with the new secret", lambda: stored(system) > before + 3, 60)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{(folder.parent / 'agent.log').read_text()}") from error
    finally:
        agent.kill()
        agent.wait()
        said.close()
        proxy.close()


def stored(system: System) -> int:
    return int(system.sql("select count(*) from telemetry_record where robot_id = 'behind-443'")[0][0])
