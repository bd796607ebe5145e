"""What ships is held to what `croody-edge check-source` holds a plug-in to: with its counterpart there, and with it away."""

import threading
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from croody_edge.doctor.conformance import describe, judge, watch
from croody_edge.settings import Settings
from croody_edge.sim.machine import SimMachine
from croody_edge.sim.tcp import Server
from croody_edge.sources.config import of_table
from croody_edge.sources.rack import Configured
from croody_edge.sources.sim import SimSource, Site
from tests.edge_agent.doubles import BRIDGE, BRIDGE_SECRET, ROBOT, SECRET, Broker
from tests.edge_agent.sources.counterparts import ModbusDevice, Pty
from tests.edge_agent.sources.test_mqtt_in import Device
from tests.edge_agent.sources.test_serial import GGA, summed


def made(folder: Path, toml: str) -> Configured:
    table = tomllib.loads(toml)
    return of_table(Settings("rover-alice", folder), folder / "sources.toml", table["kind"], table)


def rules(one: Configured, seconds: float, *, away: bool = False) -> dict[str, tuple[str, str]]:
    seen = watch(one, seconds)
    return {finding.check: (finding.state, finding.said) for finding in [*judge(seen, away=away), *describe(one, seen)]}


@contextmanager
def speaking(says: Callable[[], None]) -> Iterator[None]:
    """A device that says its piece ten times a second."""
    ended = threading.Event()

    def speak() -> None:
        while not ended.wait(0.1):
            says()

    thread = threading.Thread(target=speak)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def modbus(folder: Path, broker: Broker, port: int) -> Iterator[str]:
    device = ModbusDevice(port=port)
    yield f"kind='modbus'\nhost='127.0.0.1'\nport={port}\ninterval_s=0.1\nregisters=[{{name='oil_c', address=0}}]"
    device.stop()


@contextmanager
def serial(folder: Path, broker: Broker, port: int) -> Iterator[str]:
    line = Pty(folder / "tty")
    with speaking(lambda: line.say(b"temp_c=20.5;door=true\n")):
        yield f"kind='serial'\ndevice='{line.path}'"
    line.unplug()


@contextmanager
def nmea(folder: Path, broker: Broker, port: int) -> Iterator[str]:
    line = Pty(folder / "tty")
    with speaking(lambda: line.say(summed(GGA))):
        yield f"kind='nmea'\ndevice='{line.path}'"
    line.unplug()


@contextmanager
def mqtt(folder: Path, broker: Broker, port: int) -> Iterator[str]:
    device = Device(broker.port, ROBOT, SECRET)
    account = f"username='{BRIDGE}'\npassword='{BRIDGE_SECRET}'\nclient_id='{BRIDGE}:it'\n"
    with speaking(lambda: device.say("telemetry", '{"n": 9}', tree=f"croody/v1/{ROBOT}/up")):
        topics = "topics=[{topic='croody/v1/+/up/telemetry', metric='plant'}]"
        yield f"kind='mqtt'\nbroker='mqtt://127.0.0.1:{broker.port}'\n{account}{topics}"
    device.close()


@contextmanager
def files(folder: Path, broker: Broker, port: int) -> Iterator[str]:
    path = folder / "day.jsonl"

    def write() -> None:
        with path.open("a") as file:
            file.write('{"torque_nm": 7.5}\n')

    write()
    with speaking(write):
        yield f"kind='files'\npath='{path}'\ninterval_s=0.1"


@contextmanager
def robot_tcp(folder: Path, broker: Broker, port: int) -> Iterator[str]:
    site = Site()
    robot = SimSource(site.robot("robot-clases", 1), site)
    robot.read(0.0)
    server = Server(SimMachine(robot, "robot-clases"), host="127.0.0.1", port=port, admin_password=None)
    server.start()
    yield f"kind='robot_tcp'\nhost='127.0.0.1'\nport={port}"
    server.stop()


@pytest.mark.parametrize("counterpart", [modbus, serial, nmea, mqtt, files, robot_tcp], ids=lambda one: one.__name__)
def test_with_its_counterpart_there_no_rule_is_broken_twice_in_a_row(
    counterpart: Callable[..., object], tmp_path: Path, broker: Broker, free_ports: Callable[[int], list[int]]
) -> None:
    with ExitStack() as undo:
        one = made(tmp_path, undo.enter_context(counterpart(tmp_path, broker, *free_ports(1))))  # type: ignore[arg-type]
        for seconds in (4.0, 2.0):
            said = rules(one, seconds)
            assert {check: words for check, (state, words) in said.items() if state == "wrong"} == {}
            assert {"records", "end"} <= set(said)


@pytest.mark.parametrize("kind", ["host", "sim", "replay"])
def test_what_needs_no_counterpart_breaks_no_rule(kind: str, tmp_path: Path) -> None:
    said = rules(made(tmp_path, f"kind='{kind}'\ninterval_s=0.2"), 2.0)
    assert {check: words for check, (state, words) in said.items() if state == "wrong"} == {}
    assert "records" in said


@pytest.mark.parametrize(
    "toml",
    [
        "kind='modbus'\nhost='127.0.0.1'\nport=9\nregisters=[{name='oil_c', address=0}]",
        "kind='modbus'\ndevice='/dev/tty-of-nobody*'\nregisters=[{name='oil_c', address=0}]",
        "kind='serial'\ndevice='/dev/tty-of-nobody'",
        "kind='nmea'\ndevice='/dev/tty-of-nobody'",
        "kind='mqtt'\nbroker='mqtt://127.0.0.1:9'\ntopics=[{topic='a'}]",
        "kind='files'\npath='/nowhere/day.jsonl'",
        "kind='robot_tcp'\nhost='127.0.0.1'\nport=9",
    ],
)
def test_with_its_counterpart_away_it_says_so_and_ends(toml: str, tmp_path: Path) -> None:
    said = rules(made(tmp_path, toml), 2.0, away=True)
    assert {check: state for check, (state, _) in said.items()} == {"away": "ok", "end": "ok"}
