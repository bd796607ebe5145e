"""A robot in Home Assistant: the document of its discovery against HA's own rules, and what a real Mosquitto hears of it.

Home Assistant itself is not run: its rules are written down here, as its documentation and `homeassistant/components/mqtt/schemas.py` and
`homeassistant/components/sensor/const.py` have them.
"""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from croody_contract.messages import MetricInfo, Reading
from croody_edge.link.address import BrokerAddress
from croody_edge.local.home_assistant import discovery
from croody_edge.local.home_assistant.discovery import MOST, Entities, config
from croody_edge.local.home_assistant.of_agent import at_home
from croody_edge.local.life import life_of
from croody_edge.settings import Home, from_environment
from croody_edge.variables import BadSetting
from tests.edge_agent.doubles import settings
from tests.patience import PATIENCE_S

#: Device class -> units that Home Assistant takes for it, as far as we use it.
UNITS = {
    "battery": {"%"},
    "humidity": {"%"},
    "temperature": {"°C", "°F", "K"},
    "voltage": {"µV", "mV", "V", "kV", "MV"},
    "current": {"mA", "A"},
    "power": {"mW", "W", "kW", "MW", "GW", "TW"},
    "frequency": {"Hz", "kHz", "MHz", "GHz"},
    "distance": {"mm", "cm", "m", "km", "in", "ft", "yd", "mi", "nmi"},
    "duration": {"µs", "ms", "s", "min", "h", "d", "w", "m", "y"},
    "weight": {"µg", "mg", "g", "kg", "oz", "lb", "st"},
    "speed": {"mm/s", "in/s", "m/s", "km/h", "ft/s", "mph", "kn", "in/d", "in/h", "mm/d", "mm/h", "Beaufort"},
    "pressure": {"Pa", "hPa", "kPa", "bar", "cbar", "mbar", "mmHg", "inHg", "psi", "mPa", "inH₂O"},
    "illuminance": {"lx"},
    "signal_strength": {"dB", "dBm"},
    "data_size": {"bit", "kbit", "B", "kB", "MB", "GB"},
    "data_rate": {"bit/s", "kbit/s", "B/s", "kB/s", "MB/s"},
}
DEVICE = {"ids", "cns", "mf", "mdl", "mdl_id", "name", "hw", "sn", "sw", "sa", "cu"}
ORIGIN = {"name", "sw", "url"}
SHARED = {"state_topic", "availability_topic", "qos", "encoding", "command_topic"}
COMMON = {"p", "name", "unique_id", "value_template", "device_class", "entity_category"}
SENSOR = COMMON | {"unit_of_measurement", "state_class", "suggested_display_precision"}


def keeps_the_rules(body: bytes) -> dict[str, Any]:
    """What `DEVICE_DISCOVERY_SCHEMA` and the platforms' own schemas ask of a document, each rule by name."""
    found: dict[str, Any] = json.loads(body)
    assert {"dev", "o", "cmps"} <= found.keys() <= {"dev", "o", "cmps"} | SHARED, "device, origin and components are required"
    assert found["dev"]["ids"], "a device has an identifier or a connection"
    assert found["dev"].keys() <= DEVICE
    assert isinstance(found["o"]["name"], str), "an origin has a name"
    assert found["o"].keys() <= ORIGIN
    unique = [entity["unique_id"] for entity in found["cmps"].values()]
    assert len(set(unique)) == len(unique) <= MOST, "every component has a unique id of its own"
    for key, entity in found["cmps"].items():
        assert entity["p"] in ("sensor", "binary_sensor"), "a component names its platform"
        assert entity["value_template"] == f"{{{{ value_json['{key}'] }}}}"
        assert re.fullmatch(r"[a-z0-9_]+", key)
        assert entity["name"]
        assert entity.keys() <= (SENSOR if entity["p"] == "sensor" else COMMON), "nothing that the platform does not know"
        if entity["p"] == "binary_sensor":
            assert entity.get("device_class") in (None, "problem", "connectivity")
        elif "device_class" in entity:
            assert entity["unit_of_measurement"] in UNITS[entity["device_class"]], "the unit is one of the device class's"
            assert entity["state_class"] == "measurement"
        else:
            assert entity.get("state_class") in (None, "measurement")
    return found


INFOS = {
    info.name: info
    for info in (
        MetricInfo("motor_temp_c", "°C", "Motor", "Motor", decimals=1),
        MetricInfo("charging", es="Cargando", en="Charging", type="switch"),
        MetricInfo("mode", es="Modo", en="Mode", type="text"),
    )
}
DATA: dict[str, Any] = {
    "motor_temp_c": 40.25, "charging": True, "mode": "auto", "battery_pct": 81, "HUM": 60.5, "speed_mps": 0.5, "items": 3, "a b": 1,
    "a_b": 2,
    "pump_kwh": 4.5,
    "odd": "x" * 400,
}  # fmt: skip


def test_the_document_of_discovery_keeps_home_assistants_rules() -> None:
    entities = Entities(INFOS, ("hot",), "es")
    assert entities.saw(DATA)
    assert not entities.saw(DATA)
    found = keeps_the_rules(config("rover-1", "0.1.0", entities.components("rover-1"), state="s", availability="a"))["cmps"]
    assert found["motor_temp_c"] == {
        "p": "sensor", "name": "Motor", "state_class": "measurement", "unit_of_measurement": "°C", "device_class": "temperature",
        "suggested_display_precision": 1, "unique_id": "croody_rover-1_motor_temp_c", "value_template": "{{ value_json['motor_temp_c'] }}",
    }  # fmt: skip
    assert (found["charging"]["p"], found["charging"]["name"]) == ("binary_sensor", "Cargando")
    assert (found["battery_pct"]["device_class"], found["hum"]["device_class"]) == ("battery", "humidity")
    assert (found["rule_hot"]["device_class"], found["cloud_link"]["device_class"]) == ("problem", "connectivity")
    assert "device_class" not in found["pump_kwh"], "energy does not go with `measurement`"
    assert {"a_b", "a_b_2", "items"} <= found.keys()


def test_the_state_has_every_key_and_what_is_not_of_its_sort_is_unknown() -> None:
    entities = Entities(INFOS, ("hot",))
    entities.saw(DATA)
    state = json.loads(entities.state(DATA, {"hot": True}, reaches=False, waiting=7))
    assert state.keys() == entities.components("r").keys()
    assert (state["charging"], state["rule_hot"], state["cloud_link"], state["records_waiting"]) == ("ON", "ON", "OFF", 7)
    assert len(state["odd"]) == 255
    other = json.loads(entities.state({"motor_temp_c": "broken", "charging": 0}, {}, reaches=True, waiting=0))
    assert (other["motor_temp_c"], other["charging"], other["mode"], other["rule_hot"]) == (None, "OFF", None, None)


def test_a_robot_with_a_thousand_metrics_is_a_device_with_a_hundred_entities() -> None:
    entities = Entities({}, tuple(f"rule{n}" for n in range(64)))
    for number in range(1000):
        entities.saw({f"m{number}": number})
    found = keeps_the_rules(config("r", "1", entities.components("r"), state="s", availability="a"))
    assert len(found["cmps"]) == MOST


def test_every_unit_that_has_a_class_is_one_of_that_classs_units() -> None:
    assert all(unit in UNITS[name] for unit, name in discovery._CLASSES.items())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CROODY_HOME_ASSISTANT", "mqtt://a,mqtt://b"),
        ("CROODY_HOME_ASSISTANT", "http://a"),
        ("CROODY_HOME_ASSISTANT", "mqtt://me:pw@a"),
        ("CROODY_HOME_ASSISTANT_PREFIX", "a/#"),
        ("CROODY_HOME_ASSISTANT_CA_FILE", "/none"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    environ = {"ROBOT_ID": "rover-1", "ROBOT_SECRET": "s", "CROODY_HOME_ASSISTANT": "mqtt://127.0.0.1"}
    with pytest.raises(BadSetting, match=f"^{name} is"):
        from_environment(environ | {name: value})


class House:
    """A home's Mosquitto, with an account for robots and one for the house, and what the house hears."""

    def __init__(self, folder: Path, port: int, program: str, passwd: str) -> None:
        self.port = port
        self.heard: list[tuple[str, bytes, bool]] = []
        for number, name in enumerate(("robots", "house")):
            subprocess.run([passwd, *(["-c"] if not number else []), "-b", str(folder / "accounts"), name, "pw"], check=True)
        (folder / "accounts").chmod(0o644)
        (folder / "conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {folder / 'accounts'}\nuser root\n")
        self._command = [program, "-c", str(folder / "conf")]
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.house = mqtt.Client(CallbackAPIVersion.VERSION2, "house")
        self.house.username_pw_set("house", "pw")
        self.house.on_message = lambda _client, _data, one: self.heard.append((one.topic, bytes(one.payload), one.retain))
        self.house.on_connect = lambda client, *_: client.subscribe([("homeassistant/#", 1), ("croody-edge/#", 1)])
        until(self._connects)
        self.house.loop_start()

    def _connects(self) -> bool:
        try:
            return self.house.connect("127.0.0.1", self.port) == 0
        except OSError:
            return False

    def last(self, topic: str) -> bytes | None:
        return next((payload for name, payload, _ in reversed(self.heard) if name == topic), None)

    def stop(self) -> None:
        self.house.loop_stop()
        self.house.disconnect()
        self.process.terminate()
        self.process.wait()


def until(so: Callable[[], object]) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not so():
        assert time.monotonic() < ends
        time.sleep(0.05)


@pytest.fixture
def home(tmp_path: Path, free_port: int) -> Iterator[House]:
    program, passwd = (shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") for name in ("mosquitto", "mosquitto_passwd"))
    if program is None or passwd is None:
        pytest.skip("no mosquitto here: apt-get install mosquitto")
    folder = tmp_path / "home"
    folder.mkdir()
    made = House(folder, free_port, program, passwd)
    yield made
    made.stop()


class Robot:
    """A `PullSource` that warms up."""

    interval_s = 0.1
    metrics = tuple(INFOS.values())

    def __init__(self) -> None:
        self.temp_c = 20.0

    def read(self, now: float) -> Reading:
        return Reading(data={"motor_temp_c": self.temp_c, "charging": False, "mode": "auto"})

    def close(self) -> None:
        """Nothing to give back."""


def test_a_robot_appears_says_what_it_measures_and_is_away_when_it_is(home: House, tmp_path: Path, drive: Callable[..., Any]) -> None:
    robot = replace(settings(tmp_path / "edge"), home_assistant=Home(BrokerAddress("127.0.0.1", home.port), "robots", "pw"))
    robot.edge_dir.mkdir(mode=0o700)
    (robot.edge_dir / "rules.toml").write_text('[rule.hot]\nmetric = "motor_temp_c"\nabove = 60\n')
    life = life_of(robot, time.monotonic)
    source = Robot()
    agent = drive(robot, source, None, life=life).agent
    assert robot.home_assistant is not None
    station = at_home(robot.home_assistant, agent, life, "en")
    station.start()
    device, base = "homeassistant/device/croody_rover-alice/config", "croody-edge/rover-alice"
    try:
        until(lambda: home.last(f"{base}/availability") == b"online" and b"motor_temp_c" in (home.last(device) or b""))
        found = keeps_the_rules(home.last(device) or b"")
        assert (found["state_topic"], found["availability_topic"]) == (f"{base}/state", f"{base}/availability")
        assert {"motor_temp_c", "charging", "mode", "rule_hot", "cloud_link", "records_waiting"} == found["cmps"].keys()
        source.temp_c = 71.5
        until(lambda: json.loads(home.last(f"{base}/state") or b"{}").get("motor_temp_c") == 71.5)
        until(lambda: json.loads(home.last(f"{base}/state") or b"{}")["rule_hot"] == "ON")
        assert json.loads(home.last(f"{base}/state") or b"{}")["cloud_link"] == "OFF"
        home.heard.clear()
        home.house.publish("homeassistant/status", "online")
        until(lambda: home.last(device))
        home.stop()
        home.heard.clear()
        home.start()
        until(lambda: home.last(f"{base}/availability") == b"online")
        home.house.unsubscribe("croody-edge/#")
    finally:
        station.close()
    home.house.subscribe("croody-edge/#", 1)
    until(lambda: (f"{base}/availability", b"offline", True) in home.heard)


def test_a_robot_whose_broker_refuses_it_says_so_once_and_goes_on(
    home: House, tmp_path: Path, drive: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    robot = settings(tmp_path / "edge")
    life = life_of(robot, time.monotonic)
    agent = drive(robot, Robot(), None, life=life).agent
    station = at_home(Home(BrokerAddress("127.0.0.1", home.port), "robots", "wrong"), agent, life, "en")
    station.start()
    until(lambda: station.trouble)
    assert "cannot be reached" in caplog.text
    before = agent.pending()
    until(lambda: agent.pending() > before)
    station.close()
