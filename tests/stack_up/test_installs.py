"""What is really installed from the index: `make up` from nothing on each Python, interrupted once; the edge alone."""

import json
import queue
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest

from croody_contract import mosquitto, topics
from tests.patience import A_BUSY_SECOND_S
from tests.stack_up.newcomer import environ, other_python
from tests.stack_up.system import System, wait_until
from tools.stack import ROOT, Ports, Process, Spec, script, source_path
from tools.stack.health import mqtt as speaks_mqtt

pytestmark = [pytest.mark.slow, pytest.mark.stack]


@pytest.mark.long
@pytest.mark.timeout(400)
@pytest.mark.parametrize("version", ["3.11", "3.13"])
def test_a_newcomer_who_loses_patience_once_still_gets_five_robots(tmp_path: Path, version: str) -> None:
    python = other_python(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    system = System(tmp_path / "croody", CROODY_VENV="", PYTHON=python)
    try:
        interrupt_set_up(system)
        assert not (system.clone / ".venv" / "croody-stamp").exists()
        system.up(within_s=300)
        assert (system.clone / ".venv" / "croody-stamp").exists()
        made = subprocess.run([system.clone / ".venv" / "bin" / "python", "-V"], capture_output=True, text=True, check=True)
        assert made.stdout.startswith(f"Python {version}.")
        wait_until(lambda: len(system.get("/api/telemetry/live")[1]["robots"]) == 5, 30, "five robots do not report")
        scored = wait_until(lambda: screened(system), 90, "the model on this Python scores nothing")
        assert 0 <= scored <= 1
        assert system.end() < 2 * A_BUSY_SECOND_S
        assert system.up() < 10
        assert system.end() < 2 * A_BUSY_SECOND_S
    finally:
        system.close()


def interrupt_set_up(system: System) -> None:
    """Type `make up`, and Ctrl-C while packages are on their way."""
    system.type_up()
    wait_until(lambda: "downloading" in system.said, 60, "no progress is shown")
    time.sleep(1)
    system.end(signal.SIGINT, whole_group=True)
    assert "goes on from here" in system.said
    assert "Traceback" not in system.said


def screened(system: System) -> float | None:
    status, row = system.get("/api/telemetry/last?robot_id=robot-clases")
    score: float | None = row["data"].get("screen_score") if status == 200 else None
    return score


@pytest.mark.timeout(200)
def test_the_edge_alone_publishes_and_carries_no_django(tmp_path: Path) -> None:
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    requirements = ["-r", str(ROOT / "requirements" / "edge.txt")]
    subprocess.run([*pip, "--require-hashes", *requirements], check=True, env=environ())
    # A build needs a backend; built here and installed as wheels, it stays out of the robot's environment.
    wheels = tmp_path / "wheels"
    for name in ("contract", "edge_agent"):
        source = tmp_path / name
        shutil.copytree(ROOT / name, source, ignore=shutil.ignore_patterns("training", "__pycache__", "tests"))
        build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
        subprocess.run([*build, "-w", str(wheels), str(source)], check=True, env=environ())
    subprocess.run([*pip, "--no-deps", "--no-index", *map(str, wheels.iterdir())], check=True, env=environ())
    listed = subprocess.run([*pip[:3], "list", "--format=json"], capture_output=True, text=True, check=True, env=environ())
    names = {entry["name"].lower() for entry in json.loads(listed.stdout)}
    assert {"croody-edge", "croody-contract", "paho-mqtt", "msgspec"} <= names
    assert not names & {"django", "croody", "croody-broker", "amqtt", "gunicorn", "psycopg", "lightgbm"}

    port = Ports.free().mqtt
    secret = "s3cret-of-the-robot"
    folder = tmp_path / "broker"
    folder.mkdir()
    files = mosquitto.render_files({"lonely-robot": mosquitto.hash_secret(secret)}, mosquitto.hash_secret("bridge-secret"))
    for name, text in files.items():
        (folder / name).write_text(text)
    arguments = ["--bind", f"127.0.0.1:{port}", "--passwd", str(folder / "passwd"), "--acl", str(folder / "acl")]
    broker = Process(Spec("broker", [script("croody-broker"), *arguments], {"PYTHONPATH": source_path()}, speaks_mqtt(port)), folder)
    broker.start()
    heard: queue.Queue[str] = queue.Queue()
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="bridge")
    client.username_pw_set("bridge", "bridge-secret")
    client.on_message = lambda _client, _data, message: heard.put(message.topic)
    try:
        assert broker.wait_ready(time.monotonic() + 20), broker.log_tail()
        client.connect("127.0.0.1", port)
        client.subscribe(topics.UP_FILTER)
        client.loop_start()
        told = {"CROODY_BROKER_URL": f"mqtt://127.0.0.1:{port}", "ROBOT_ID": "lonely-robot", "ROBOT_SECRET": secret}
        agent = subprocess.Popen(
            [str(tmp_path / "venv" / "bin" / "croody-edge"), "run"],
            env=environ(**told, CROODY_SOURCE="host", CROODY_EDGE_DIR=str(tmp_path / "edge"), CROODY_INTERVAL_S="0.2"),
            cwd=tmp_path,
        )
        try:
            deadline = time.monotonic() + 20
            topic = heard.get(timeout=20)
            while not isinstance(parsed := topics.parse(topic), topics.UpBatch):
                topic = heard.get(timeout=max(0.1, deadline - time.monotonic()))
            assert parsed.robot_id == "lonely-robot"
        finally:
            agent.terminate()
            assert agent.wait(10) == 0
    finally:
        client.loop_stop()
        client.disconnect()
        broker.stop()
