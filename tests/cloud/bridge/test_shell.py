"""The real bridge between a real Mosquitto and an API that does as it is told."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest

from croody.bridge.inbox import LANES
from croody.bridge.shell import ASK_AFTER_S, HEARS_S, POLL_S
from croody_contract import batch, messages, relay
from croody_contract.messages import Outgoing
from croody_contract.security import Kind
from tests.patience import A_BUSY_SECOND_S, PATIENCE_S

UP = "croody/v1/rover-1/up"
STREAM = "stream-of-alice"


def publish(robot, first: int, count: int, stream: str = STREAM) -> None:
    records = [messages.encode(messages.Reading(data={"n": first + n})) for n in range(count)]
    robot.client.publish(f"{UP}/batch/{stream}/{first}-{first + count - 1}", batch.pack(batch.Head(), records), qos=1)


def acked(robot) -> list[int]:
    acks = [body for topic, body in robot.down if topic.endswith("/ack")]
    return sorted({seq for ack in acks for first, last in ack["stored"] for seq in range(first, last + 1)})


def test_what_is_published_is_relayed_and_acknowledged_within_a_moment(start_bridge, robot, api, until):
    start_bridge()
    begun = time.monotonic()
    publish(robot, 1, 3)
    until(lambda: acked(robot) == [1, 2, 3])
    assert time.monotonic() - begun < A_BUSY_SECOND_S
    for first in range(4, 404, 4):
        publish(robot, first, 4)
    until(lambda: len(acked(robot)) == 403)
    assert sorted(api.seqs()) == list(range(1, 404))
    assert len(api.relays) < 101, "batches that wait together go together"
    assert api.tokens == {"t" * 40}
    assert len(api.connections) <= len(LANES) + 2, "one kept-alive connection for each lane, one for outgoing, one for what was noticed"


def test_poison_blocks_nothing_and_the_next_good_message_passes_at_once(start_bridge, robot, api, until):
    start_bridge()
    for payload in (
        b"",
        b"\xff\xfe",
        b"{" * 50_000,
        b"\x1f\x8b poison",
        b'{"records":[{"kind":"reading","data":{"a":NaN}}]}',
        b"\x00" * 200_000,
    ):
        robot.client.publish(f"{UP}/batch/{STREAM}/1-1", payload, qos=1)
        robot.client.publish(f"{UP}/telemetry", payload, qos=1)
        robot.client.publish(f"{UP}/presence", payload, qos=1)
        robot.client.publish(f"{UP}/answer/1", payload, qos=1)
        robot.client.publish(f"{UP}/nonsense/ñ", payload, qos=1)
    publish(robot, 2, 1)
    begun = time.monotonic()
    until(lambda: acked(robot) == [2])
    assert time.monotonic() - begun < A_BUSY_SECOND_S
    letters = [letter for sent in api.relays for letter in sent.dead]
    assert {letter.reason for letter in letters} >= {"bad_json", "bad_utf8", "bad_gzip", "not_finite", "too_large", "bad_topic"}


def test_a_topic_without_up_is_a_dead_letter_that_names_the_right_one(start_bridge, robot, api, until):
    start_bridge()
    robot.client.publish("croody/v1/rover-1/telemetry", b'{"data":{"a":1}}', qos=1)
    until(lambda: [letter for sent in api.relays for letter in sent.dead])
    [letter] = [letter for sent in api.relays for letter in sent.dead]
    assert (letter.reason, letter.robot_id, letter.topic) == ("bad_topic", "rover-1", "croody/v1/rover-1/telemetry")
    assert "up/telemetry" in letter.detail


@pytest.mark.parametrize("status", [500, 503, 429])
def test_an_outage_of_the_api_is_waited_out_and_said_once(status, start_bridge, robot, api, until, tmp_path):
    start_bridge()
    api.status = status
    for first in range(1, 41, 4):
        publish(robot, first, 4)
    until(lambda: "the telemetry API is lost" in (tmp_path / "bridge.log").read_text())
    time.sleep(2)
    assert acked(robot) == []
    api.status = 200
    until(lambda: acked(robot) == list(range(1, 41)))
    log = (tmp_path / "bridge.log").read_text()
    assert log.count("the telemetry API is lost") == 1
    assert log.count("the telemetry API is back") == 1


def test_the_api_is_found_again_after_it_was_away_altogether(start_bridge, robot, api, until):
    start_bridge()
    port = api.port
    api.close()
    publish(robot, 1, 4)
    time.sleep(1)
    again = type(api)(port)
    try:
        until(lambda: acked(robot) == [1, 2, 3, 4])
    finally:
        again.close()


def test_the_broker_is_found_again_after_it_was_killed(start_bridge, broker, api, until, tmp_path, robot):
    start_bridge()
    robot.close()
    broker.kill()
    time.sleep(1.5)
    broker.start()
    assert broker.wait_ready(time.monotonic() + 10)
    again = type(robot)(broker.port, "rover-1", "secret of rover-1")
    try:
        until(lambda: (tmp_path / "heartbeat").read_text().startswith("listening"))
        publish(again, 1, 4)
        until(lambda: acked(again) == [1, 2, 3, 4])
    finally:
        again.close()
    assert (tmp_path / "bridge.log").read_text().count("is lost") == 1


def test_a_due_row_is_published_at_once_and_none_is_fetched_without_a_broker(start_bridge, robot, api, until, broker, tmp_path):
    start_bridge()
    api.due.append(relay.DueItem("rover-1", Outgoing(7, "stop", {"why": "test"}, datetime.now(UTC) + timedelta(minutes=1))))
    begun = time.monotonic()
    until(lambda: any(topic.endswith("/outgoing") for topic, _ in robot.down))
    assert time.monotonic() - begun < A_BUSY_SECOND_S
    body = next(body for topic, body in robot.down if topic.endswith("/outgoing"))
    assert (body["id"], body["kind"], body["payload"]) == (7, "stop", {"why": "test"})
    broker.kill()
    until(lambda: (tmp_path / "heartbeat").read_text().startswith("waiting"))
    asked = api.asked
    time.sleep(1)
    assert api.asked <= asked + 1


@pytest.mark.parametrize("broker", ["mosquitto", "amqtt"], indirect=True)
def test_a_broker_that_hangs_is_not_heard_within_four_seconds_and_heard_again_at_once(start_bridge, broker, api, until):
    start_bridge()
    # Silent for longer than it may be, but for the answers to its pings.
    time.sleep(ASK_AFTER_S + HEARS_S)
    quiet = api.asked
    until(lambda: api.asked > quiet)
    os.killpg(broker.pid, signal.SIGSTOP)
    hung = time.monotonic()
    try:
        until(lambda: time.monotonic() - api.asked_at > 5 * POLL_S)
        # Four seconds and what a busy machine adds; the keepalive alone would take three quarters of a minute.
        assert api.asked_at - hung < 4 * 3
        asked = api.asked
    finally:
        os.killpg(broker.pid, signal.SIGCONT)
    until(lambda: api.asked > asked)


def test_two_bridges_share_the_work_and_what_is_a_killed_ones_share_waits_for_its_return(start_bridge, robot, api, until):
    first, second = start_bridge("1", BRIDGE_SHARE="1"), start_bridge("2", BRIDGE_SHARE="1")
    for seq in range(1, 101):
        publish(robot, seq, 1)
    until(lambda: len(acked(robot)) == 100)
    assert sorted(api.seqs()) == list(range(1, 101))
    second.kill()
    second.wait()
    for seq in range(101, 151):
        publish(robot, seq, 1)
    until(lambda: len(acked(robot)) == 125)
    assert first.poll() is None
    start_bridge("2", BRIDGE_SHARE="1")
    until(lambda: len(acked(robot)) == 150)


def test_a_bridge_that_does_not_come_back_leaves_its_share_to_the_others(start_bridge, robot, api, until):
    start_bridge("1", BRIDGE_SHARE="1")
    second = start_bridge("2", BRIDGE_SHARE="1", BRIDGE_LEAVES="1")
    second.send_signal(signal.SIGTERM)
    assert second.wait(PATIENCE_S) == 0
    for seq in range(1, 21):
        publish(robot, seq, 1)
    until(lambda: len(acked(robot)) == 20)


def test_sigterm_ends_it_before_docker_would_even_while_the_api_is_away(start_bridge, robot, api):
    bridge = start_bridge()
    api.status = 503
    publish(robot, 1, 4)
    time.sleep(0.5)
    begun = time.monotonic()
    bridge.send_signal(signal.SIGTERM)
    assert bridge.wait(PATIENCE_S) == 0
    assert time.monotonic() - begun < A_BUSY_SECOND_S


def test_memory_stays_bounded_while_the_api_is_away_and_robots_go_on(start_bridge, robot, api, until, tmp_path):
    def rss_mib() -> float:
        status = Path(f"/proc/{bridge.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024

    bridge = start_bridge()
    api.status = 503
    before = rss_mib()
    for seq in range(1, 601):
        body = b'{"records":[{"kind":"reading","data":{"n":%d}}]}' % seq + b" " * 200_000
        robot.client.publish(f"{UP}/batch/{STREAM}/{seq}-{seq}", body, qos=1).wait_for_publish(PATIENCE_S)
    until(lambda: "the queue is full" in (tmp_path / "bridge.log").read_text() or rss_mib() > before + 90)
    assert rss_mib() < before + 90, "120 MB were published"
    api.status = 200
    # What waits of one robot is bounded, too: the rest it sends again.
    until(lambda: len(acked(robot)) > 5)
    publish(robot, 1000, 1)
    until(lambda: 1000 in acked(robot))


def test_a_clean_end_relays_what_was_queued_so_that_plain_readings_are_not_lost(start_bridge, robot, api):
    bridge = start_bridge()
    api.delay_s = 0.1
    for number in range(40):
        robot.client.publish(f"{UP}/telemetry", b'{"data":{"n":%d}}' % number, qos=1).wait_for_publish(PATIENCE_S)
    bridge.send_signal(signal.SIGTERM)
    begun = time.monotonic()
    assert bridge.wait(PATIENCE_S) == 0
    assert time.monotonic() - begun < A_BUSY_SECOND_S
    assert sum(len(sent.plain) for sent in api.relays) == 40


def test_a_wrong_password_is_said_once_and_not_given_up_on(broker, api, until, tmp_path):
    environ = {
        "CROODY_BROKER_URL": f"mqtt://127.0.0.1:{broker.bridge_port}",
        "CROODY_TELEMETRY_URL": f"http://127.0.0.1:{api.port}",
        "BRIDGE_MQTT_PASSWORD": "wrong",
        "BRIDGE_TOKEN": "t" * 40,
    }
    log = tmp_path / "bridge.log"
    with log.open("wb") as file, subprocess.Popen([sys.executable, "-m", "croody.bridge"], env=environ, stderr=file) as bridge:
        try:
            until(lambda: "the broker refuses us" in log.read_text())
            time.sleep(2.5)  # two more attempts
            assert bridge.poll() is None
        finally:
            bridge.terminate()
    said = log.read_text()
    assert said.count("the broker refuses us") == 1
    assert json.dumps("wrong") not in said


@pytest.mark.parametrize("missing", ["BRIDGE_MQTT_PASSWORD", "BRIDGE_TOKEN"])
def test_a_missing_secret_stops_start_up_and_is_named(missing):
    environ = {"BRIDGE_MQTT_PASSWORD": "p", "BRIDGE_TOKEN": "t"}
    del environ[missing]
    ended = subprocess.run([sys.executable, "-m", "croody.bridge"], env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert missing in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_bridge_loads_no_django():
    code = "import sys, croody.bridge.cli; print([name for name in sys.modules if name.partition('.')[0] in ('django', 'ninja')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_much_goes_in_two_relays_at_once_each_with_other_robots_and_in_the_order_it_came(start_bridge, robot, api, until, broker):
    start_bridge()
    other = type(robot)(broker.port, "rover-2", "secret of rover-2")
    try:
        api.delay_s = 0.5
        for n in range(3000):
            robot.client.publish(f"{UP}/telemetry", json.dumps({"data": {"n": n}}), qos=1)
            other.client.publish("croody/v1/rover-2/up/telemetry", json.dumps({"data": {"n": n}}), qos=1)
        until(lambda: sum(len(sent.plain) for sent in api.relays) == 6000)
    finally:
        other.close()
    for robot_id in ("rover-1", "rover-2"):
        came = [json.loads(bytes(item.body))["data"]["n"] for sent in api.relays for item in sent.plain if item.robot_id == robot_id]
        assert came == list(range(3000))
    assert {sent.sender.run for sent in api.relays} == {api.relays[0].sender.run}
    assert api.most_at_once == 2


@pytest.mark.parametrize("broker", ["mosquitto", "amqtt"], indirect=True)
def test_who_was_refused_is_told_to_the_api_and_kept_while_it_is_away(start_bridge, broker, api, until):
    start_bridge()
    api.status = 503
    guess(broker.port, "first")
    time.sleep(3)
    assert not any(one.kind is Kind.WRONG_SECRET for report in api.reports for one in report.noticed)
    api.status = 200
    guess(broker.port, "second")
    until(lambda: sum(one.times for report in api.reports for one in report.noticed if one.kind is Kind.WRONG_SECRET) == 2)


def guess(port: int, secret: str) -> None:
    refused = threading.Event()
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "rover-1", reconnect_on_failure=False)
    client.username_pw_set("rover-1", secret)
    client.on_connect = lambda *_: refused.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    assert refused.wait(10)
    client.loop_stop()
