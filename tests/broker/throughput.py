"""Messages per second at QoS 1, some publishers and one subscriber: the guard, bare amqtt and Mosquitto in the same run.

    python tests/broker/throughput.py [MESSAGES [PUBLISHERS]]

Not collected by pytest: a figure belongs to the machine and the hour it was taken on.
"""

import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as mqtt

from croody_contract import mosquitto

SECRET = "s" * 43
PAYLOAD = b"x" * 300
BARE = """
import asyncio, sys
from amqtt.broker import Broker
async def main():
    broker = Broker({"listeners": {"default": {"type": "tcp", "bind": "127.0.0.1:" + sys.argv[1]}},
                     "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}})
    await broker.start()
    await asyncio.sleep(3600)
asyncio.run(main())
"""


@contextmanager
def running(command: list[str]) -> Iterator[None]:
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        time.sleep(1.5)
        try:
            yield
        finally:
            process.terminate()
            process.wait(5)


def client(name: str, port: int) -> mqtt.Client:
    made = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv311)
    made.username_pw_set(name, SECRET)
    made.max_inflight_messages_set(20)
    ready = threading.Event()
    made.on_connect = lambda *_: ready.set()
    made.connect("127.0.0.1", port)
    made.loop_start()
    if not ready.wait(5):
        raise SystemExit(f"{name}: no CONNACK")
    return made


def measure(port: int, bridge_port: int, messages: int, publishers: list[str]) -> float:
    """Messages a second from the first publish to the last delivery; NaN when some never came."""
    listener = subprocess.Popen([sys.executable, __file__, "--listen", str(bridge_port), str(messages)], stdout=subprocess.PIPE, text=True)
    assert listener.stdout is not None
    assert listener.stdout.readline() == "ready\n"
    clients = [client(name, port) for name in publishers]
    start = time.perf_counter()
    for number in range(messages // len(clients)):
        for each, name in zip(clients, publishers, strict=True):
            each.publish(f"croody/v1/{name}/up/batch/streamstream/{number + 1}-{number + 1}", PAYLOAD, 1)
    received = int(listener.stdout.readline())
    took = time.perf_counter() - start
    for each in clients:
        each.disconnect()
        each.loop_stop()
    listener.wait(5)
    return messages / took if received == messages else float("nan")


def listen(port: int, messages: int) -> None:
    received = 0
    done = threading.Event()

    def count(*_: object) -> None:
        nonlocal received
        received += 1
        if received == messages:
            done.set()

    bridge = client("bridge", port)
    bridge.on_message = count
    bridge.on_subscribe = lambda *_: print("ready", flush=True)
    bridge.subscribe("croody/v1/+/up/#", 1)
    done.wait(60)
    print(received, flush=True)
    bridge.disconnect()


def main() -> None:
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    publishers = [f"robot-{number}" for number in range(int(sys.argv[2]) if len(sys.argv) > 2 else 10)]
    with tempfile.TemporaryDirectory() as folder:
        robots = {name: mosquitto.hash_secret(SECRET) for name in publishers}
        for name, text in mosquitto.render_files(robots, mosquitto.hash_secret(SECRET)).items():
            Path(folder, name).write_text(text)
        files = ["--passwd", f"{folder}/passwd", "--acl", f"{folder}/acl"]
        program = str(Path(sys.executable).with_name("croody-broker"))
        rounds: dict[str, tuple[list[str], int, int]] = {
            "bare amqtt": ([sys.executable, "-c", BARE, "28831"], 28831, 28831),
            "with the guard": ([program, "--bind", "127.0.0.1:28832", *files], 28832, 28832),
        }
        if shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin"):
            command = [program, "mosquitto", "--bind", "127.0.0.1:28833", "--bridge-bind", "127.0.0.1:28834", *files]
            rounds["Mosquitto"] = (command, 28833, 28834)
        for name, (command, port, bridge_port) in rounds.items():
            with running(command):
                print(f"{name:16} {measure(port, bridge_port, messages, publishers):8.0f} messages/s", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--listen"]:
        listen(int(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
