"""A stock MQTT client (paho, QoS 1, reconnecting) that publishes plain readings and writes down which were acknowledged.

Argument, as JSON: `port`, `robot_id`, `secret`, `rate` (a second), `seconds`, `tag` (in every reading), `witness` (a file). A line of the
witness is `S n` before a reading is published, `A n` when its PUBACK came, `R n` when the connection was lost while it was open.
Ends with 0 once everything is acknowledged.
"""

import json
import sys
import threading
import time
from typing import Any, TextIO

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from croody_contract.topics import UpTelemetry, build


class Client:
    """Knows which readings are open."""

    def __init__(self, wanted: dict[str, Any], witness: TextIO) -> None:
        self._witness = witness
        self._lock = threading.Lock()
        self._open: dict[int, int] = {}
        self._early: set[int] = set()
        self._topic = build(UpTelemetry(wanted["robot_id"]))
        self._tag = wanted["tag"]
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, wanted["robot_id"])
        self._client.username_pw_set(wanted["robot_id"], wanted["secret"])
        self._client.reconnect_delay_set(1, 1)
        self._client.max_queued_messages_set(0)
        self._client.on_publish = lambda client, data, mid, reason, properties: self._acknowledged(mid)
        self._client.on_disconnect = lambda *rest: self._lost()
        self._client.connect("127.0.0.1", wanted["port"])
        self._client.loop_start()

    def publish(self, number: int) -> None:
        """One reading, in paho's hands from now on."""
        self._write("S", number)
        info = self._client.publish(self._topic, json.dumps({"data": {"n": number, "tag": self._tag}}), qos=1)
        with self._lock:
            if info.mid in self._early:
                self._early.discard(info.mid)
                self._write("A", number)
            else:
                self._open[info.mid] = number

    def left(self) -> int:
        """How many are open."""
        with self._lock:
            return len(self._open)

    def _acknowledged(self, mid: int) -> None:
        with self._lock:
            number = self._open.pop(mid, None)
            if number is None:
                self._early.add(mid)
            else:
                self._write("A", number)

    def _lost(self) -> None:
        with self._lock:
            for number in self._open.values():
                self._write("R", number)

    def _write(self, what: str, number: int) -> None:
        self._witness.write(f"{what} {number}\n")


def main() -> None:
    """Publish, then wait."""
    wanted = json.loads(sys.argv[1])
    with open(wanted["witness"], "w", encoding="utf-8", buffering=1) as witness:
        client = Client(wanted, witness)
        began, number = time.monotonic(), 0
        while (passed := time.monotonic() - began) < wanted["seconds"]:
            while number < wanted["rate"] * passed:
                client.publish(number)
                number += 1
            time.sleep(0.005)
        while client.left():
            time.sleep(0.05)


if __name__ == "__main__":
    main()
