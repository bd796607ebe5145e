"""Publishes batches as our agents do and counts what comes back acknowledged: stored, end to end.

Argument: `port`, `seconds`, `clients` ([robot_id, secret] each), `batch` (records), `window` (unacknowledged batches a robot).
"""

import json
import secrets
import sys
import threading
import time

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from croody_contract import ranges
from croody_contract.batch import Head, pack
from croody_contract.messages import Ack
from croody_contract.topics import UpBatch, build, down_filter
from tools.bench.readings import encoded


class Robot:
    """One robot: keeps `window` batches on their way."""

    def __init__(self, port: int, robot_id: str, secret: str, body: bytes, batch: int) -> None:
        self.robot_id, self.body, self.batch = robot_id, body, batch
        self.stream, self.next = secrets.token_hex(8), 1
        self.stored = 0
        self.running = True
        self.ready = threading.Event()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=robot_id, protocol=mqtt.MQTTv311)
        self.client.username_pw_set(robot_id, secret)
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = lambda *_: self.ready.set()
        self.client.on_message = self._on_message
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def send(self) -> None:
        """One more batch."""
        first, self.next = self.next, self.next + self.batch
        self.client.publish(build(UpBatch(self.robot_id, self.stream, first, first + self.batch - 1)), self.body, qos=1)

    def _on_connect(self, client: mqtt.Client, *_: object) -> None:
        client.subscribe(down_filter(self.robot_id), qos=0)

    def _on_message(self, client: mqtt.Client, userdata: object, message: mqtt.MQTTMessage) -> None:
        if not message.topic.endswith("/down/ack"):
            return
        ack = msgspec.json.decode(message.payload, type=Ack)
        count = ranges.count(tuple(ack.stored))
        self.stored += count
        for _ in range(count // self.batch if self.running else 0):
            self.send()


def main() -> None:
    """Run for `seconds`; print stored records a second."""
    wanted = json.loads(sys.argv[1])
    body = pack(Head(), encoded(wanted["batch"], 1))
    robots = [Robot(wanted["port"], robot_id, secret, body, wanted["batch"]) for robot_id, secret in wanted["clients"]]
    for robot in robots:
        if not robot.ready.wait(15):
            sys.exit(f"{robot.robot_id}: not connected within 15 s")
    started = time.perf_counter()
    for robot in robots:
        for _ in range(wanted["window"]):
            robot.send()
    time.sleep(wanted["seconds"])
    stored, took = sum(robot.stored for robot in robots), time.perf_counter() - started
    for robot in robots:
        robot.running = False
    # What is under way is still stored, and must not run into the next measurement.
    time.sleep(1)
    for robot in robots:
        robot.client.disconnect()
        robot.client.loop_stop()
    print(json.dumps({"rate": stored / took, "bytes_a_record": len(body) / wanted["batch"]}))


if __name__ == "__main__":
    main()
