"""`make up` in a clean clone, spoken to as a user would. One system for all of them; they leave it as they found it."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.patience import A_BUSY_SECOND_S, PATIENCE_S
from tests.stack_up.system import ROLES, System, http, wait_until
from tools.stack import leftovers

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    running = System(tmp_path_factory.mktemp("up") / "croody")
    running.up()
    yield running
    running.close()


def said_by_robot(system: System, *lines: str) -> list[str]:
    with socket.create_connection(("127.0.0.1", system.ports.robot), timeout=PATIENCE_S) as connection:
        connection.sendall("".join(f"{line}\n" for line in lines).encode())
        reader = connection.makefile()
        return [reader.readline().strip() for _ in lines]


def moved(system: System, robot_id: str) -> bool:
    """Whether a robot has been at two places."""
    status, body = system.get(f"/api/telemetry/query?robot_id={robot_id}&limit=100")
    return status == 200 and len({(row["data"].get("x_m"), row["data"].get("y_m")) for row in body}) > 1


def test_every_process_has_its_pid_file_and_its_log(system: System) -> None:
    for name in ROLES:
        pid = system.pid(name)
        assert pid is not None, name
        assert pid in leftovers.find(system.run), name
        assert (system.run / f"{name}.log").exists()


def test_nothing_was_written_beside_the_clones_own_folders(system: System) -> None:
    done = subprocess.run(["git", "status", "--porcelain"], cwd=system.clone, capture_output=True, text=True, check=True)
    assert done.stdout == ""


def test_five_robots_report_and_the_three_virtual_ones_move(system: System) -> None:
    wanted = {"robot-clases", "amr-02", "amr-03", "replay-ur3"}
    wait_until(lambda: wanted <= {robot["robot_id"] for robot in system.get("/api/telemetry/live")[1]["robots"]}, 20, "robots are missing")
    robots = {robot["robot_id"] for robot in system.get("/api/telemetry/live")[1]["robots"]}
    assert any(robot_id.startswith("host-") for robot_id in robots)
    for robot_id in ("robot-clases", "amr-02", "amr-03"):
        wait_until(lambda robot_id=robot_id: moved(system, robot_id), 60, f"{robot_id} does not move")


def test_each_role_says_that_it_is_well(system: System) -> None:
    assert system.get("/healthz") == (200, {"status": "ok"})
    assert system.get("/api/telemetry/healthz") == (200, {"status": "ok"})
    assert system.get("/healthz", system.ports.ids)[0] == 200
    assert system.get("/healthz", system.ports.web)[0] == 200


@pytest.mark.skipif(shutil.which("mosquitto_pub") is None, reason="no mosquitto_pub here: apt-get install mosquitto-clients")
def test_a_stock_mqtt_client_is_heard_soon_after_its_robots_birth(system: System) -> None:
    robot_id, secret = system.croody("robot", "add", "stock-client", "--shared").split()
    began = time.monotonic()

    def publish() -> bool:
        where = ["-h", "127.0.0.1", "-p", str(system.ports.mqtt), "-i", robot_id, "-u", robot_id, "-P", secret]
        what = ["-q", "1", "-t", f"croody/v1/{robot_id}/up/telemetry", "-m", '{"data": {"temp_c": 21.5}}']
        return subprocess.run(["mosquitto_pub", *where, *what], capture_output=True, timeout=PATIENCE_S, check=False).returncode == 0

    wait_until(publish, A_BUSY_SECOND_S, "the broker does not let the new robot in")
    wait_until(lambda: system.get(f"/api/telemetry/last?robot_id={robot_id}")[0] == 200, A_BUSY_SECOND_S, "its reading does not arrive")
    assert time.monotonic() - began < A_BUSY_SECOND_S
    assert system.get(f"/api/telemetry/last?robot_id={robot_id}")[1]["data"] == {"temp_c": 21.5}
    # A stranger with the right name and the wrong secret is not let in.
    assert subprocess.run(
        ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(system.ports.mqtt), "-u", robot_id, "-P", "guess", "-t", "x", "-m", "x"],
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    ).returncode


def test_http_speaks_the_contract(system: System) -> None:
    robot_id, secret = system.croody("robot", "add", "over-http", "--shared").split()
    url = f"http://127.0.0.1:{system.ports.telemetry}/api/telemetry/ingest"
    body = {"robot_id": robot_id, "data": {"TEMP": 20.5, "LAT": 40.4, "LON": -3.7, "mode": "auto"}}
    status, row = http("POST", url, body, {"X-API-Key": secret})
    assert status in {200, 201}, row
    assert set(row) == {"id", "ts", "data", "robot_id", "position", "environment", "status"}
    assert (row["position"]["lat"], row["position"]["lng"]) == (40.4, -3.7)
    assert http("POST", url, body, {"X-API-Key": "wrong"})[0] == 401
    status, refused = http("POST", url, {**body, "data": {"TEMP": 20.5}, "position": {"lat": False, "lng": 0}}, {"X-API-Key": secret})
    assert status == 422
    assert "lat" in str(refused)
    assert system.get(f"/api/telemetry/last?robot_id={robot_id}")[1]["id"] == row["id"]
    assert system.get("/api/telemetry/last?robot_id=nobody-at-all")[0] == 404
    assert [r["id"] for r in system.get(f"/api/telemetry/query?robot_id={robot_id}&limit=5")[1]] == [row["id"]]
    [stream] = system.get(f"/api/telemetry/streams?robot_id={robot_id}")[1]
    assert (stream["stored"], stream["missing"], stream["dropped"]) == (1, [], [])


def test_detection_answers_a_row_with_one_feature(system: System) -> None:
    status, body = http("POST", f"http://127.0.0.1:{system.ports.ids}/api/ids/predict", {"rows": [{"src_bytes": 10}]})
    assert status == 200, body
    assert body["predictions"] in ([0], [1])
    assert "path" in body["model"]


def test_the_first_robot_speaks_its_tcp_protocol(system: System) -> None:
    login, data, move, unknown = said_by_robot(system, "LOGIN USER -", "GET_DATA TEMP", "MOVE UP", "DANCE")
    assert login == "LOGIN_SUCCESS USER"
    assert data.startswith("DATA ")
    assert "TEMP=" in data
    assert move == "ERROR No tienes permisos"
    assert unknown == "ERROR Invalid command"


def test_an_administrator_moves_the_robot_with_the_password_of_this_installation(system: System) -> None:
    password = (system.run / "secrets" / "ADMIN_PASSWORD").read_text().strip()
    [login] = said_by_robot(system, f"LOGIN ADMIN {password}")
    assert login == "LOGIN_SUCCESS ADMIN"
    answers = said_by_robot(system, f"LOGIN ADMIN {password}", "MOVE UP")
    assert answers[1] in {"MOVE_SUCCESS UP", "MOVE_FAIL UP OBSTACLE"}
    assert said_by_robot(system, "LOGIN ADMIN admin") == ["LOGIN_FAIL"]


def test_a_second_up_says_that_the_first_one_runs(system: System) -> None:
    done = subprocess.run(["make", "up"], cwd=system.clone, env=system.environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert f"process {system.supervisor()}" in done.stderr
    assert f":{system.ports.web}/" in done.stderr
    assert system.get("/healthz")[0] == 200


@pytest.mark.parametrize("name", ROLES)
def test_what_is_killed_comes_back(system: System, name: str) -> None:
    before = system.pid(name)
    assert before is not None
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: system.pid(name) not in {None, before}, PATIENCE_S, f"{name} did not come back")
    port = {"web": system.ports.web, "telemetry": system.ports.telemetry, "ids": system.ports.ids}.get(name)
    if port:
        wait_until(lambda: system.get("/healthz", port)[0] == 200, PATIENCE_S, f"{name} does not serve")
    elif name in {"broker", "sim"}:
        wait_until(lambda: accepts(system.ports.mqtt if name == "broker" else system.ports.robot), PATIENCE_S, f"{name} does not listen")


def test_readings_flow_again_after_all_that(system: System) -> None:
    since = system.get("/api/telemetry/last?robot_id=amr-02")[1]["id"]
    wait_until(lambda: system.get("/api/telemetry/last?robot_id=amr-02")[1].get("id", 0) > since, 30, "nothing new from amr-02")
    wait_until(
        lambda: all(not stream["missing"] for stream in system.get("/api/telemetry/streams?robot_id=amr-02")[1]),
        60,
        "something of amr-02 is missing",
    )


def test_ctrl_c_ends_it_all_and_it_starts_again(system: System) -> None:
    # A page that is open holds a stream; it must not hold the end.
    page = socket.create_connection(("127.0.0.1", system.ports.web), timeout=PATIENCE_S)
    page.sendall(b"GET /api/telemetry/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n")
    assert b"200" in page.recv(200)
    system.end(signal.SIGINT, whole_group=True)
    page.close()
    assert not list(system.run.glob("*.pid"))
    system.up()
    system.end()


def test_after_its_supervisor_was_killed_nothing_is_left_and_the_next_start_is_clean(system: System) -> None:
    system.up()
    stale = {name: system.pid(name) for name in ROLES}
    os.kill(system.supervisor(), signal.SIGKILL)
    wait_until(lambda: not leftovers.find(system.run), PATIENCE_S, "processes outlived their supervisor")
    assert system.pid("broker") == stale["broker"]
    system.up()
    assert system.pid("broker") not in {None, stale["broker"]}
    system.end()


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    other = System(tmp_path / "croody")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", other.ports.mqtt))
        listener.listen()
        done = subprocess.run(["make", "up"], cwd=other.clone, env=other.environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert f"Port {other.ports.mqtt} (MQTT) is in use by process {os.getpid()}" in done.stderr
    assert "make up MQTT_PORT=" in done.stderr
