"""What devices say at a broker on the site: a real broker as a process, and a plain paho client as the device."""

from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest

from croody_edge.settings import Settings
from croody_edge.sources import Context
from croody_edge.sources.config import of_table
from croody_edge.sources.mqtt import Mqtt, MqttSettings, Topic
from croody_edge.sources.mqtt.topic import Template
from croody_edge.variables import BadSetting
from tests.edge_agent.doubles import BRIDGE, BRIDGE_SECRET, Broker
from tests.edge_agent.sources.counterparts import heard

#: Under a tree that the rules of the tests' broker let this account read and write.
TREE = "croody/v1/press-7/down"


class Device:
    def __init__(self, port: int, account: str = BRIDGE, secret: str = BRIDGE_SECRET) -> None:
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, f"{account}:device")
        self._client.username_pw_set(account, secret)
        self._client.connect_async("127.0.0.1", port)
        self._client.reconnect_delay_set(0.1, 0.2)
        self._client.loop_start()

    def say(self, topic: str, payload: Any, tree: str = TREE) -> None:
        self._client.publish(f"{tree}/{topic}", payload)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def test_topics_become_metrics_and_a_broker_that_goes_and_comes_back_is_said_once(tmp_path: Path, broker: Broker) -> None:
    device = Device(broker.port)
    toml = f"""
[source.it]
kind = "mqtt"
broker = "mqtt://127.0.0.1:{broker.port}"
username = "{BRIDGE}"
password = "{BRIDGE_SECRET}"
client_id = "{BRIDGE}:it"
[[source.it.topics]]
topic = "croody/v1/press-7/down/{{part}}/temp"
metric = "{{part}}_temp_c"
[[source.it.topics]]
topic = "croody/v1/+/down/state"
metric = "press"
"""
    # The accounts of this broker see only what is published to them: the bridge's own tree of answers.
    rules = (tmp_path / "broker" / "acl").read_text(encoding="utf-8")
    (tmp_path / "broker" / "acl").write_text(rules.replace("topic write croody/v1/+/down/#", "topic readwrite croody/v1/+/down/#"))
    broker.kill()
    broker.start()
    with heard(tmp_path, toml) as it:

        def speak() -> None:
            device.say("oil/temp", "65.5")
            device.say("state", '{"motor": {"rpm": 1500, "on": true}, "bad": [1]}')
            device.say("water/temp", "nan")
            device.say("air/temp", b"\xff\x00")

        assert it.wait(lambda: speak() or "press_motor_rpm" in it.newest.data)
        assert it.wait(lambda: {"oil_temp_c", "press_motor_rpm", "press_motor_on"} <= set(it.newest.data))
        assert it.newest.data["oil_temp_c"] == 65.5
        assert not {"water_temp_c", "air_temp_c", "press_bad"} & set(it.newest.data)
        broker.kill()
        assert it.wait(lambda: it.failing)
        broker.start()
        before = len(it.readings)
        assert it.wait(lambda: speak() or len(it.readings) > before)
        assert it.wait(lambda: it.told)
        assert {event.code for event in it.told} == {"source_failed"}
    device.close()


def test_a_broker_that_refuses_is_told_with_its_reason(tmp_path: Path, broker: Broker) -> None:
    toml = f"[source.it]\nkind='mqtt'\nbroker='mqtt://127.0.0.1:{broker.port}'\nusername='x'\npassword='y'\n[[source.it.topics]]\ntopic='a/#'\n"
    with heard(tmp_path, toml) as it:
        assert it.wait(lambda: it.failing)
        assert "uthor" in it.rack._faults._now["source_failed", "it"].cause


@pytest.mark.parametrize(
    ("template", "topic", "pattern", "name"),
    [
        ("plant/{line}/temp", "plant/a-1/temp", "{line}_temp_c", "a-1_temp_c"),
        ("plant/{line}/temp", "plant/a 1é/temp", "", "a_1_temp"),
        ("plant/+/+", "plant/a/temp", "", "a_temp"),
        ("plant/#", "plant/a/b/c", "", "a_b_c"),
        ("plant/temp", "plant/temp", "", "temp"),
        ("plant/#", "plant", "", "value"),
        ("plant/{line}/temp", "plant/a/temp/x", "", None),
        ("plant/{line}/temp", "plant/a/hum", "", None),
        ("plant/{line}/temp", "plant/a", "", None),
    ],
)
def test_templates(template: str, topic: str, pattern: str, name: str | None) -> None:
    made = Template(template)
    places = made.match(topic)
    assert (None if places is None else made.metric(pattern, places)) == name


def test_what_the_broker_kept_can_be_passed_over() -> None:
    own = MqttSettings(broker="mqtt://x", topics=[Topic("a/{b}", retained=False)])
    source = Mqtt(own, Context("rover-alice", Path(), "it"))
    assert source.values("a/x", b"1", True) == {}
    assert source.values("a/x", b"1", False) == {"x": 1}
    assert list(source.values("a/x", b"x" * 100_000, False)) == ["x"]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"topics": [{"topic": "a/#/b"}]}, "a level is text, +, {name}, or # at the end"),
        ({"topics": [{"topic": "a/{b"}]}, "a level is text"),
        ({"topics": [{"topic": ""}]}, "a level is text"),
        ({"topics": [{"topic": "a/{b}", "metric": "{c}_temp"}]}, "its topic names only: b"),
        ({"topics": [{"topic": "a/{b}", "metric": "{b.__class__}"}]}, "its topic names only"),
        ({"topics": [{"topic": "a"}], "broker": "tcp://x"}, "is no address"),
    ],
)
def test_a_table_that_is_wrong_is_refused(tmp_path: Path, table: dict[str, object], said: str) -> None:
    with pytest.raises(BadSetting) as error:
        of_table(Settings("rover-alice", tmp_path), tmp_path / "sources.toml", "it", {"kind": "mqtt", "broker": "mqtt://x", **table})
    assert said in str(error.value)
