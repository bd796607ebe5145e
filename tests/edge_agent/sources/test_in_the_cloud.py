"""One agent with every kind of source at once, a real broker, bridge, API and web role: what each says is stored, and on the monitor."""

import contextlib
import http.client
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from croody_edge.sim.machine import SimMachine
from croody_edge.sim.tcp import Server
from croody_edge.sources.sim import SimSource, Site
from tests.edge_agent.doubles import BRIDGE, BRIDGE_SECRET, ROBOT, SECRET, Broker, wait_until
from tests.edge_agent.sources.counterparts import ModbusDevice, Pty
from tests.edge_agent.sources.test_mqtt_in import Device
from tests.edge_agent.sources.test_serial import GGA, summed
from tools.bench.plan import quick
from tools.bench.system import System, system
from tools.stack import script, source_path

pytestmark = pytest.mark.stack
TOKEN = "t" * 43


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with system(quick(tmp_path_factory.mktemp("sources")), "amqtt", "sqlite", robots=1, environ={"TG_INGEST_TOKEN": TOKEN}) as found:
        found.start("broker", "telemetry", "bridge", "web")
        yield found


def get(port: int, path: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path, headers={"X-API-Key": TOKEN})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return body if answer.status == 200 else ""


@contextlib.contextmanager
def agent(folder: Path, own: System, robot: str) -> Iterator[None]:
    secret = dict(line.split() for line in own.stack.layout.credentials.read_text().splitlines())[robot]
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join((source_path(), os.environ.get("PYTHONPATH", ""))),
        "ROBOT_ID": robot,
        "ROBOT_SECRET": secret,
        "CROODY_BROKER_URL": own.stack.broker_url,
        "CROODY_EDGE_DIR": str(folder),
        "CROODY_SCREEN": "0",
    }
    with (folder / "agent.log").open("wb") as log:
        process = subprocess.Popen([script("croody-edge"), "run"], env=environ, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(20)


def test_what_a_device_of_every_kind_says_is_stored_and_on_the_monitor(
    own: System, tmp_path: Path, broker: Broker, free_ports: Callable[[int], list[int]]
) -> None:
    modbus_port, robot_port = free_ports(2)
    modbus = ModbusDevice(port=modbus_port)
    site = Site()
    old = SimSource(site.robot("robot-clases", 1), site)
    old.read(0.0)
    server = Server(SimMachine(old, "robot-clases"), host="127.0.0.1", port=robot_port, admin_password=None)
    server.start()
    line, gps = Pty(tmp_path / "ttyUSB0"), Pty(tmp_path / "ttyUSB1")
    plant = Device(broker.port, ROBOT, SECRET)
    (robot,) = own.robots
    folder = tmp_path / "edge"
    folder.mkdir()
    (folder / "sources.toml").write_text(
        f"""
[source.press]
kind = "modbus"
host = "127.0.0.1"
port = {modbus_port}
registers = [{{ name = "oil_temp_c", address = 0, scale = 0.1 }}]
[source.press.metrics.oil_temp_c]
label = {{ es = "Aceite de la prensa", en = "Oil of the press" }}
decimals = 1

[source.line]
kind = "serial"
device = "{line.path}"
report.prefix = "line_"

[source.gps]
kind = "nmea"
device = "{gps.path}"

[source.plant]
kind = "mqtt"
broker = "mqtt://127.0.0.1:{broker.port}"
username = "{BRIDGE}"
password = "{BRIDGE_SECRET}"
client_id = "{BRIDGE}:it"
topics = [{{ topic = "croody/v1/{{part}}/up/telemetry", metric = "{{part}}" }}]

[source.drop]
kind = "files"
path = "{tmp_path}/in/*.jsonl"

[source.old]
kind = "robot_tcp"
host = "127.0.0.1"
port = {robot_port}
report.prefix = "old_"

[source.gone]
kind = "modbus"
host = "127.0.0.1"
port = 9
registers = [{{ name = "x", address = 0 }}]

[source.wrong]
kind = "serial"
""",
        encoding="utf-8",
    )
    (tmp_path / "in").mkdir()
    wanted = {"oil_temp_c": 65.3, "line_flow_lpm": 12.5, "gnss_satellites": 8, "torque_nm": 7.5}
    found: dict[str, Any] = {}
    newest: dict[str, Any] = {}
    places: set[float] = set()

    def stored() -> bool:
        line.say(b"flow_lpm=12.5\n")
        gps.say(summed(GGA))
        with (tmp_path / "in" / "day.jsonl").open("a") as file:
            file.write('{"torque_nm": 7.5}\n')
        plant.say("telemetry", '{"n": 9}', tree=f"croody/v1/{ROBOT}/up")
        rows = json.loads(get(own.stack.options.ports.telemetry, f"/api/telemetry/query?limit=200&robot_id={robot}") or "[]")
        for row in rows:
            found.update(row["data"])
            # The old robot knows its place, too: whoever spoke last is the one that a reading has.
            places.add(round((row["position"] or {}).get("lat", 0.0), 5))
        newest.update(rows[0] if rows else {})
        time.sleep(0.3)
        return wanted.items() <= found.items() and {"old_TEMP", f"{ROBOT}_n"} <= set(found)

    try:
        with agent(folder, own, robot):
            assert wait_until(stored, 90), (found, (folder / "agent.log").read_text())
            assert wait_until(lambda: stored() and wanted.items() <= newest["data"].items(), 30), "one reading says all that is known"
            assert wait_until(lambda: stored() and 4.65206 in places, 30), places
            page = ""

            def shown() -> bool:
                nonlocal page
                page = get(own.stack.options.ports.web, "/en/robots/monitor/")
                return "Oil of the press" in page

            assert wait_until(shown, 30), page
            assert "65.3" in page
    finally:
        modbus.stop()
        server.stop()
        plant.close()
        line.unplug()
        gps.unplug()
    ledger = json.loads(get(own.stack.options.ports.telemetry, f"/api/telemetry/streams?robot_id={robot}"))
    assert [(row["missing"], row["dead_letters"]) for row in ledger] == [([], 0)]
    assert "[source.wrong] device" in (folder / "agent.log").read_text()
