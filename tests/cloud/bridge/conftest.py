"""A real broker, the real bridge as a process, and a telemetry API that does as it is told."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import paho.mqtt.client as mqtt
import pytest

from croody_contract import messages, mosquitto, relay, security
from tests.patience import PATIENCE_S
from tools.stack import Process, Spec, script
from tools.stack.health import mqtt as answers

BRIDGE_PASSWORD = "the bridge's password, long enough"
TOKEN = "t" * 40


class FakeApi:
    """Books every record as stored, unless `status` says otherwise; hands out `due` once."""

    def __init__(self, port: int = 0) -> None:
        self.status: int | None = 200
        self.delay_s = 0.0
        self.relays: list[relay.Relay] = []
        self.connections: set[Any] = set()
        self.tokens: set[str | None] = set()
        self.due: list[relay.DueItem] = []
        self.asked = 0
        #: When it was asked last, on the monotonic clock.
        self.asked_at = 0.0
        self.reports: list[security.Report] = []
        #: Relays that are being answered now, and how many these were at most.
        self.at_once: list[int] = []
        self.most_at_once = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.connections.add(self.client_address)
                outer.tokens.add(self.headers["X-API-Key"])
                status, answer = outer.answer(self.path, body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def port(self) -> int:
        return self.server.server_address[1]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def answer(self, path: str, body: bytes) -> tuple[int, bytes]:
        if path.endswith("/outgoing"):
            self.asked += 1
            self.asked_at = time.monotonic()
            rows, self.due = self.due, []
            return 200, msgspec.json.encode(relay.Due(rows))
        if path.endswith("/security"):
            self.reports += security.decode_reports(body) if self.status == 200 else []
            return self.status or 500, b""
        self.at_once.append(1)
        self.most_at_once = max(self.most_at_once, len(self.at_once))
        time.sleep(self.delay_s)
        self.at_once.pop()
        if self.status != 200:
            return self.status or 500, b'{"detail":"told so"}'
        sent = relay.decode_relay(body)
        self.relays.append(sent)
        acks = [
            relay.RobotAck(item.robot_id, messages.Ack(item.stream, [(item.first, item.first + len(item.records) - 1)]))
            for item in sent.batches
        ]
        return 200, msgspec.json.encode(relay.Relayed(acks))

    def seqs(self) -> list[int]:
        return [item.first + n for sent in self.relays for item in sent.batches for n in range(len(item.records))]


class Robot:
    """A robot's MQTT side: publishes, and keeps what came down."""

    def __init__(self, port: int, robot_id: str, secret: str) -> None:
        self.down: list[tuple[str, dict[str, Any]]] = []
        self._ready = threading.Event()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, robot_id)
        self.client.username_pw_set(robot_id, secret)
        self.client.on_connect = lambda client, *rest: client.subscribe(f"croody/v1/{robot_id}/down/#")
        self.client.on_subscribe = lambda *rest: self._ready.set()
        self.client.on_message = lambda client, data, message: self.down.append((message.topic, json.loads(message.payload)))
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self._ready.wait(PATIENCE_S)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def until() -> Callable[..., None]:
    def wait(holds: Callable[[], object], within_s: float = PATIENCE_S) -> None:
        deadline = time.monotonic() + within_s
        while not holds():
            assert time.monotonic() < deadline, "did not come true in time"
            time.sleep(0.02)

    return wait


@pytest.fixture
def api() -> Iterator[FakeApi]:
    fake = FakeApi()
    yield fake
    fake.close()


@pytest.fixture
def broker(tmp_path: Path, free_ports: Callable[[int], list[int]], request: pytest.FixtureRequest) -> Iterator[Process]:
    """Mosquitto, or what `@pytest.mark.parametrize("broker", [...], indirect=True)` says."""
    engine, *more = getattr(request, "param", "mosquitto").split()
    hashes = {robot: mosquitto.hash_secret(f"secret of {robot}") for robot in ("rover-1", "rover-2")}
    for name, text in mosquitto.render_files(hashes, mosquitto.hash_secret(BRIDGE_PASSWORD)).items():
        (tmp_path / name).write_text(text)
    port, bridge_port = free_ports(2)
    argv = [script("croody-broker"), "mosquitto", "--bind", f"127.0.0.1:{port}", "--bridge-bind", f"127.0.0.1:{bridge_port}"]
    if engine == "amqtt":
        argv, bridge_port = [script("croody-broker"), "--bind", f"127.0.0.1:{port}"], port
    files = ["--passwd", str(tmp_path / "passwd"), "--acl", str(tmp_path / "acl")]
    process = Process(Spec("broker", [*argv, *files, *more], ready=answers(port)), tmp_path)
    process.port, process.bridge_port = port, bridge_port  # type: ignore[attr-defined]
    process.start()
    assert process.wait_ready(time.monotonic() + PATIENCE_S)
    yield process
    process.stop()


@pytest.fixture
def robot(broker: Process) -> Iterator[Robot]:
    robot = Robot(broker.port, "rover-1", "secret of rover-1")  # type: ignore[attr-defined]
    yield robot
    robot.close()


@pytest.fixture
def start_bridge(
    broker: Process, api: FakeApi, tmp_path: Path, until: Callable[..., None]
) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    running: list[subprocess.Popen[str]] = []

    def start(name: str = "", **environ: str) -> subprocess.Popen[str]:
        heartbeat = tmp_path / f"heartbeat{name}"
        heartbeat.unlink(missing_ok=True)
        wanted = {
            **os.environ,
            "CROODY_BROKER_URL": f"mqtt://127.0.0.1:{broker.bridge_port}",  # type: ignore[attr-defined]
            "CROODY_TELEMETRY_URL": f"http://127.0.0.1:{api.port}",
            "BRIDGE_MQTT_PASSWORD": BRIDGE_PASSWORD,
            "BRIDGE_TOKEN": TOKEN,
            "BRIDGE_NAME": name,
            "BRIDGE_HEARTBEAT": str(heartbeat),
            **environ,
        }
        log = (tmp_path / f"bridge{name}.log").open("a")
        process = subprocess.Popen([sys.executable, "-m", "croody.bridge"], env=wanted, stderr=log, text=True)
        log.close()
        running.append(process)
        until(lambda: heartbeat.exists() and heartbeat.read_text().startswith("listening"))
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()
