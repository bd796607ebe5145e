"""One agent with a robot of every family at once, a real broker, bridge and API: what each says is found stored in the cloud."""

import contextlib
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest

pytest.importorskip("cyclonedds", reason="pip install croody-edge[ros2]")
pytest.importorskip("pymavlink", reason="pip install croody-edge[mavlink]")
pytest.importorskip("mcap_ros2", reason="a tool of the tests")

from pymavlink import mavutil

from tests.contract.test_pictures import jpeg
from tests.edge_agent.doubles import wait_until
from tests.edge_agent.sources.robots.rosbridge_server import RosbridgeServer
from tests.edge_agent.sources.robots.test_mavlink import Drone
from tests.edge_agent.sources.robots.test_recording import write_mcap
from tests.edge_agent.sources.robots.test_vda5050 import V21, port, publisher
from tools.bench.plan import quick
from tools.bench.system import System, system
from tools.stack import script, source_path

__all__ = ["port", "publisher"]
pytestmark = pytest.mark.stack
DOMAIN = 231
TOKEN = "t" * 43


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with system(quick(tmp_path_factory.mktemp("robots")), "amqtt", "sqlite", robots=1, environ={"TG_INGEST_TOKEN": TOKEN}) as found:
        found.start("broker", "telemetry", "bridge", "worker")
        yield found


def get(own: System, path: str) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", own.stack.options.ports.telemetry, timeout=20)
    connection.request("GET", f"/api/telemetry/{path}", headers={"X-API-Key": TOKEN})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return json.loads(body) if answer.status == 200 else {}


@contextlib.contextmanager
def program(*command: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
    whole = {"PATH": os.environ["PATH"], "PYTHONPATH": source_path(), **environ}
    process = subprocess.Popen(command, env=whole, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def test_what_a_robot_of_every_family_says_is_found_stored(
    own: System, tmp_path: Path, free_ports: Callable[[int], list[int]], port: int, publisher: mqtt.Client
) -> None:
    drone_port, bridge_port = free_ports(2)
    write_mcap(tmp_path / "day.mcap")
    (tmp_path / "view.jpg").write_bytes(jpeg(640, 480))
    (robot,) = own.robots
    secret = dict(line.split() for line in own.stack.layout.credentials.read_text().splitlines())[robot]
    (tmp_path / "edge").mkdir()
    (tmp_path / "edge" / "sources.toml").write_text(f"""
[source.drone]
kind = "mavlink"
url = "udp://127.0.0.1:{drone_port}"
report.only = ["flight_mode", "height_m"]

[source.base]
kind = "ros2"
domain = {DOMAIN}
interface = "127.0.0.1"
peers = ["127.0.0.1"]
topics = [{{ name = "/battery_state" }}, {{ name = "/diagnostics" }}, {{ name = "/camera/image/compressed", camera = "front" }}]
report.at_most_per_s = 2

[source.old]
kind = "rosbridge"
url = "ws://127.0.0.1:{bridge_port}"
topics = [{{ name = "/odom", type = "nav_msgs/Odometry", prefix = "old_" }}]

[source.day]
kind = "recording"
file = "{tmp_path}/day.mcap"
topics = [{{ name = "/wheels", fields = {{ wheel_mps = "left" }} }}]

[source.agv]
kind = "vda5050"
broker = "mqtt://127.0.0.1:{port}"
manufacturer = "Acme"
serial = "AGV-1"
report.only = ["order_id", "last_node"]

[source.gone]
kind = "rosbridge"
url = "ws://127.0.0.1:9"
topics = [{{ name = "/odom" }}]
""")
    server = RosbridgeServer(bridge_port, {})
    drone = Drone(mavutil.mavlink_connection(f"udpout:127.0.0.1:{drone_port}", source_system=7, dialect="ardupilotmega")).start()
    node = [sys.executable, str(Path(__file__).with_name("ros_node.py")), str(DOMAIN), "/battery_state", "/diagnostics"]
    agent = {
        "ROBOT_ID": robot,
        "ROBOT_SECRET": secret,
        "CROODY_BROKER_URL": own.stack.broker_url,
        "CROODY_EDGE_DIR": str(tmp_path / "edge"),
        "CROODY_SCREEN": "0",
    }
    wanted = {
        "flight_mode": "guided",
        "height_m": 32.5,
        "battery_pct": 50.0,
        "battery_state": "discharging",
        "old_x_m": 7.0,
        "last_node": "dock",
    }
    found: dict[str, Any] = {}

    def stored() -> bool:
        state = V21 | {"errors": [{"errorType": "orderError", "errorLevel": "FATAL"}]}
        publisher.publish("vda5050/v2/Acme/AGV-1/state", json.dumps(state), 1)
        server.publish("/odom", {"pose": {"pose": {"position": {"x": 7.0, "y": 0.0}}}})
        for row in get(own, f"query?limit=200&robot_id={robot}") or []:
            found.update(row["data"])
        time.sleep(0.2)
        return wanted.items() <= found.items() and "wheel_mps" in found

    try:
        with (
            program(*node, "/camera/image/compressed", "--jpeg", str(tmp_path / "view.jpg")),
            program(script("croody-edge"), "run", **agent),
        ):
            assert wait_until(stored, 60), found
            last = get(own, f"last?robot_id={robot}")
            assert last["position"]["lat"] == pytest.approx(40.4168)
            assert wait_until(lambda: "ros_base_left_motor" in str(get(own, f"alarms?robot_id={robot}")), 30)
    finally:
        drone.stop()
        server.stop()
    ledger = get(own, f"streams?robot_id={robot}")
    assert [row["missing"] for row in ledger] == [[]]
    assert [row["dead_letters"] for row in ledger] == [0]
