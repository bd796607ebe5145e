"""The command as a person runs it: started, asked, told to stop, started twice, started wrong."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from croody_contract.messages import Reading
from tests.edge_agent.doubles import ROBOT, SECRET, Broker, Cloud, wait_until
from tests.patience import A_BUSY_SECOND_S, PATIENCE_S

PROGRAM = str(Path(sys.executable).with_name("croody-edge"))


def environment(folder: Path, port: int, **more: str) -> dict[str, str]:
    return {
        **{name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
        "LANG": "C.UTF-8",
        "CROODY_BROKER_URL": f"mqtt://127.0.0.1:{port}",
        "ROBOT_ID": ROBOT,
        "ROBOT_SECRET": SECRET,
        "CROODY_EDGE_DIR": str(folder),
        "CROODY_INTERVAL_S": "0.05",
        **more,
    }


def ask(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PROGRAM, *arguments], env=variables, capture_output=True, text=True, timeout=30, check=False)


def test_it_runs_until_it_is_told_to_stop_and_leaves_nothing_behind(tmp_path: Path, broker: Broker, cloud: Cloud) -> None:
    env = environment(tmp_path / "edge", broker.port)
    process = subprocess.Popen([PROGRAM, "run"], env=env, stderr=subprocess.PIPE, text=True)
    assert wait_until(lambda: len(cloud.ledger.of(Reading)) > 10)
    state = json.loads(ask("status", "--json", **env).stdout)
    assert (state["robot_id"], state["dead"], state["set_aside"], len(state["streams"])) == (ROBOT, 0, [], 1)
    second = ask("run", **env)
    assert second.returncode == 75
    assert f"in use by another agent (process {process.pid})" in second.stderr
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, errors
    assert time.monotonic() - began < 15
    assert "Traceback" not in errors
    assert json.loads(ask("status", "--json", **env).stdout)["pending"] == 0
    assert wait_until(lambda: cloud.presence[-1].state == "offline")
    assert cloud.ledger.missing() == {}


def test_without_a_broker_it_keeps_reading_and_stops_at_once(tmp_path: Path) -> None:
    env = environment(tmp_path / "edge", 9, CROODY_SOURCE="replay", CROODY_REPLAY_SPEED="50")
    process = subprocess.Popen([PROGRAM, "run"], env=env, stderr=subprocess.DEVNULL)
    assert wait_until(lambda: (tmp_path / "edge" / "outbox.db").exists())
    assert wait_until(lambda: json.loads(ask("status", "--json", **env).stdout or '{"pending": 0}')["pending"] > 20)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_S) == 0
    assert time.monotonic() - began < A_BUSY_SECOND_S


def test_a_health_check_and_status_tell_whether_it_is_connected_and_why_not(tmp_path: Path, broker: Broker, cloud: Cloud) -> None:
    beat = tmp_path / "heartbeat"
    env = environment(tmp_path / "edge", broker.port, CROODY_HEARTBEAT=str(beat))

    def says(word: str) -> bool:
        return beat.exists() and beat.read_text().startswith(word)

    process = subprocess.Popen([PROGRAM, "run"], env=env, stderr=subprocess.DEVNULL)
    try:
        assert wait_until(lambda: says("connected"))
        assert json.loads(ask("status", "--json", **env).stdout)["link"] == "connected"
        broker.kill()
        assert wait_until(lambda: says("offline"))
        assert wait_until(lambda: "nobody listens" in ask("status", **env | {"LANG": "es"}).stdout)
        assert "enlace: sin conexión: " in ask("status", **env | {"LANG": "es"}).stdout
        before = beat.stat().st_mtime
        assert wait_until(lambda: beat.stat().st_mtime > before), "it beats also while nothing changes"
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
    os.utime(beat, (time.time() - 60,) * 2)
    assert json.loads(ask("status", "--json", **env).stdout)["link"] == "silent"


def test_an_authority_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("hello")
    env = environment(tmp_path / "edge", 9, CROODY_CA_FILE=str(tmp_path / "ca.pem")) | {"CROODY_BROKER_URL": "mqtts://127.0.0.1:9"}
    done = ask("run", **env)
    assert done.returncode == 78
    assert "CROODY_CA_FILE" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_wrong_setting_is_one_line_and_a_status_of_its_own(tmp_path: Path) -> None:
    for variables, said in (
        ({"ROBOT_ID": ""}, "ROBOT_ID is missing"),
        ({"CROODY_SOURCE": "crystal-ball"}, "it must be one of "),
    ):
        done = ask("run", **environment(tmp_path / "edge", 9, **variables))
        assert done.returncode == 78
        assert done.stderr.startswith("croody-edge: ")
        assert said in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_status_without_an_outbox_says_so(tmp_path: Path) -> None:
    done = ask("status", "--dir", str(tmp_path), LANG="es_ES.UTF-8")
    assert done.returncode == 1
    assert "todavía no hay cola de salida" in done.stderr


@pytest.mark.parametrize(
    ("lang", "words"), [("es_CO.UTF-8", ["uso:", "órdenes", "muestra esta ayuda"]), ("en_GB.UTF-8", ["usage:", "commands"])]
)
def test_help_speaks_the_users_language(lang: str, words: list[str]) -> None:
    for arguments in (["--help"], ["run", "--help"], ["status", "--help"]):
        done = ask(*arguments, LANG=lang, PYTHONUTF8="1")
        assert done.returncode == 0
        assert words[0] in done.stdout
    top = ask("--help", LANG=lang, PYTHONUTF8="1").stdout
    assert all(word in top for word in words)
