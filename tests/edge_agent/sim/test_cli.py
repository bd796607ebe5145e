"""`croody-sim` as a process: against a real broker and a cloud that acknowledges, over HTTP, and against nobody."""

import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from croody_contract.messages import Reading
from tests.edge_agent.doubles import SECRET, Broker, Cloud, wait_until
from tests.patience import A_BUSY_SECOND_S

ROBOTS = ("rover-alice", "rover-bob", "rover-carlos")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "sim"
    folder.mkdir()
    (folder / "credentials").write_text("# three robots\n" + "".join(f"{name} {SECRET}\n" for name in ROBOTS), encoding="utf-8")
    return folder


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(home: Path) -> Iterator[Start]:
    made: list[subprocess.Popen[str]] = []

    def one(*arguments: object, **more: str) -> "subprocess.Popen[str]":
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("ROBOT_", "CROODY_", "LC_", "TELEMETRY_"))}
        environ |= {"LANG": "en_GB.UTF-8", "CROODY_ACK_TIMEOUT_S": "0.5", "CROODY_KEEPALIVE_S": "4", "PYTHONUNBUFFERED": "1", **more}
        program = Path(sys.executable).with_name("croody-sim")
        process = subprocess.Popen(
            [program, *map(str, arguments)], env=environ, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        made.append(process)
        return process

    yield one
    for process in made:
        if process.poll() is None:
            process.kill()
        process.communicate()


def finish(process: "subprocess.Popen[str]", within_s: float = 60.0) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=within_s)
    return process.returncode, out, err


def to(broker: Broker, home: Path, *more: object) -> list[object]:
    return [
        "--broker",
        f"mqtt://127.0.0.1:{broker.port}",
        "--credentials",
        home / "credentials",
        "--state",
        home / "state",
        "--no-tcp",
        *more,
    ]


def test_a_timed_run_ends_well_only_when_everything_witnessed_is_acknowledged(
    start: Start, broker: Broker, cloud: Cloud, home: Path
) -> None:
    code, out, err = finish(start(*to(broker, home, "--rate", 10, "--duration", 3, "--witness", "seen", "--witness-hashes")))
    assert (code, err) == (0, "")
    lines = [line.split() for line in (home / "seen").read_text(encoding="utf-8").splitlines()]
    assert {robot for robot, *_ in lines} == set(ROBOTS)
    assert len(lines) > 60
    for _, stream, seq, digest in lines:
        assert cloud.ledger.streams[stream].have[int(seq)] == digest
    assert f"all acknowledged: {len(lines)} records" in out
    everything = {(stream, seq) for stream, seq, _, _ in cloud.ledger.records}
    unseen = everything - {(stream, int(seq)) for _, stream, seq, _ in lines}
    assert unseen == {(stream, 1) for stream in cloud.ledger.streams}, "besides what was published, each stream has its birth"
    readings = cloud.ledger.of(Reading)
    assert all(isinstance(reading.data["x_m"], float) for reading in readings)


def test_without_hashes_a_witness_line_is_robot_stream_and_seq(start: Start, broker: Broker, cloud: Cloud, home: Path) -> None:
    assert finish(start(*to(broker, home, "--robots", 1, "--rate", 5, "--duration", 1, "--witness", "seen")))[0] == 0
    lines = [line.split(" ") for line in (home / "seen").read_text(encoding="utf-8").splitlines()]
    assert [int(seq) for _, _, seq in lines] == list(range(2, len(lines) + 2)), "the first record is the stream's birth"
    assert {len(line) for line in lines} == {3}


def test_what_nobody_acknowledged_is_counted_kept_and_delivered_by_the_next_run(
    start: Start, broker: Broker, cloud: Cloud, home: Path
) -> None:
    cloud.up = False
    code, _, err = finish(start(*to(broker, home, "--robots", 2, "--rate", 5, "--duration", 2, "--settle", 1, "--witness", "seen")))
    assert code == 1
    born = 2
    seen = len((home / "seen").read_text(encoding="utf-8").splitlines())
    assert f"{seen + born} records of 2 robots not acknowledged after 1 s" in err
    assert f"--state {home / 'state'}" in err
    cloud.up = True
    assert finish(start(*to(broker, home, "--robots", 2, "--duration", 1, "--witness", "seen")))[0] == 0
    for line in (home / "seen").read_text(encoding="utf-8").splitlines():
        _, stream, seq = line.split()
        assert cloud.ledger.has(stream, int(seq))


def test_without_a_duration_it_runs_until_sigterm_and_leaves_within_seconds(start: Start, broker: Broker, cloud: Cloud, home: Path) -> None:
    process = start(*to(broker, home))
    assert wait_until(lambda: len(cloud.ledger.of(Reading)) > 5)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    code, out, _ = finish(process)
    assert code == 0
    assert "stopped; all acknowledged" in out
    assert time.monotonic() - began < A_BUSY_SECOND_S


def test_sigterm_is_obeyed_at_once_with_a_broker_that_is_not_there(start: Start, home: Path, free_port: int) -> None:
    process = start(
        "--broker", f"mqtt://127.0.0.1:{free_port}", "--credentials", home / "credentials", "--state", home / "state", "--no-tcp"
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("3 robots to mqtt://")
    time.sleep(0.5)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    code, out, _ = finish(process)
    assert code == 0
    assert time.monotonic() - began < A_BUSY_SECOND_S
    assert "records stay in" in out


def test_the_named_robot_serves_tcp_and_what_moves_there_moves_in_what_is_published(
    start: Start, broker: Broker, cloud: Cloud, home: Path, another_port: int
) -> None:
    line = [argument for argument in to(broker, home, "--rate", 5) if argument != "--no-tcp"]
    start(*line, ROBOT_ID="rover-carlos", ROBOT_PORT=str(another_port), ADMIN_PASSWORD="a secret")
    assert wait_until(lambda: len(cloud.ledger.of(Reading)) > 3)
    with socket.create_connection(("127.0.0.1", another_port), 5) as client, client.makefile("rw") as talk:

        def say(line: str) -> str:
            talk.write(f"{line}\n")
            talk.flush()
            return talk.readline().strip()

        assert say("LOGIN ADMIN a secret") == "LOGIN_SUCCESS ADMIN"
        assert say("GET_DATA ROBOT").endswith("ROBOT=rover-carlos")
        moves = [say("MOVE LEFT")]
        while moves[-1] == "MOVE_SUCCESS LEFT":
            moves.append(say("MOVE LEFT"))
        assert moves[-1] == "MOVE_FAIL LEFT OBSTACLE"
        time.sleep(1.1)
        lng = float(say("GET_DATA LON").split("LON=")[1])

    def there() -> bool:
        latest = cloud.ledger.of(Reading)[-12:]
        return any(reading.position is not None and abs(reading.position.lng - lng) < 2e-7 for reading in latest)

    assert wait_until(there)


@pytest.fixture
def another_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def test_a_second_simulator_goes_on_when_the_tcp_port_is_taken_and_says_so_once(
    start: Start, broker: Broker, cloud: Cloud, home: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        line = [argument for argument in to(broker, home, "--duration", 2) if argument != "--no-tcp"]
        code, _, err = finish(start(*line, "--tcp-port", taken.getsockname()[1]))
    assert code == 0
    assert err.count("going on without the TCP protocol") == 1
    assert len(cloud.ledger.of(Reading)) >= 3


def test_a_witness_that_cannot_write_ends_the_run_with_its_reason(start: Start, broker: Broker, home: Path) -> None:
    code, _, err = finish(start(*to(broker, home, "--duration", 30, "--witness", "/dev/full")))
    assert code == 75
    assert "the witness /dev/full could not be written" in err
    assert "No space left" in err


@dataclass
class Api:
    """A little HTTP server that notes what it is told."""

    answer: Callable[[str, Any], tuple[int, Any]]
    asked: list[tuple[str, Any]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def api() -> Iterator[Api]:
    made = Api(lambda path, body: (404, {}))

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            made.asked.append((self.path, body))
            status, answer = made.answer(self.path, body)
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield made
        server.shutdown()
        thread.join()


def test_without_credentials_it_asks_the_demo_for_robots_of_its_own_and_keeps_them(
    start: Start, broker: Broker, cloud: Cloud, home: Path, api: Api
) -> None:
    api.answer = lambda path, body: (200, {"robots": [{"robot_id": name, "secret": SECRET} for name in ROBOTS[: body["count"]]]})
    line = [
        "--broker",
        f"mqtt://127.0.0.1:{broker.port}",
        "--api",
        api.url,
        "--state",
        home / "own",
        "--no-tcp",
        "--duration",
        1,
        "--prefix",
        "bob",
    ]
    for _ in range(2):
        assert finish(start(*line, "--robots", 2))[0] == 0
    assert api.asked == [("/api/telemetry/demo/robots", {"prefix": "bob", "count": 2, "kind": "rover"})], "the second run knows them"
    assert (home / "own" / "credentials").stat().st_mode & 0o777 == 0o600
    assert len(cloud.ledger.streams) == 4


@pytest.mark.parametrize(("status", "why"), [(403, "403"), (200, "robots")])
def test_an_enrolment_that_fails_says_why_and_what_to_do(start: Start, home: Path, api: Api, status: int, why: str) -> None:
    api.answer = lambda path, body: (status, {})
    code, _, err = finish(start("--broker", "mqtt://127.0.0.1:1", "--api", api.url, "--no-tcp"))
    assert code == 75
    assert why in err
    assert "give --credentials or --api" in err


def test_with_an_ingest_url_readings_go_over_http_by_the_contract(start: Start, home: Path, api: Api) -> None:
    api.answer = lambda path, body: (201, {"id": 1, **body})
    code, out, err = finish(
        start("--duration", 2, "--rate", 4, "--no-tcp", "--witness", "seen", TELEMETRY_INGEST_URL=f"{api.url}/api/telemetry/ingest")
    )
    assert (code, err) == (0, "")
    bodies = [body for path, body in api.asked if path == "/api/telemetry/ingest"]
    assert len(bodies) >= 7
    assert {body["robot_id"] for body in bodies} == {"robot-clases"}
    assert all({"ts", "data", "position", "environment", "status"} <= set(body) for body in bodies)
    assert len({body["ts"] for body in bodies}) == len(bodies)
    assert "all acknowledged" in out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--credentials", "none"), 75, "No such file"),
        (("--credentials", "bad"), 75, "bad, line 2: 'ID SECRET' is expected"),
        (("--credentials", "credentials", "--robots", "9"), 75, "has 3 robots and 9 are asked for"),
        (("--broker", "http://x"), 78, "--broker: 'http://x' is no address"),
        (("--rate", "0"), 78, "--rate is 0.0: it must be above 0"),
        (("--duration", "nan"), 78, "--duration is nan"),
        (("--scenario", "earthquake"), 78, "earthquake"),
        (("--speed", "3"), 78, "--speed"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(start: Start, home: Path, arguments: tuple[str, ...], code: int, words: str) -> None:
    (home / "bad").write_text(f"rover-alice {SECRET}\nrover-bob\n", encoding="utf-8")
    got, _, err = finish(start(*arguments, "--no-tcp"))
    assert (got, len(err.splitlines())) == (code, 1), err
    assert words in err


def test_help_speaks_the_language_of_the_user(start: Start) -> None:
    code, spanish, _ = finish(start("--help", LANG="es_CO.UTF-8"))
    assert code == 0
    assert "Robots virtuales" in spanish
    assert "lecturas por segundo" in spanish
    _, english, _ = finish(start("--help", LANG="C.UTF-8"))
    assert "Virtual robots" in english
    for option in ("--broker", "--robots", "--rate", "--duration", "--seed", "--witness", "--credentials", "--scenario", "--state"):
        assert option in spanish
        assert option in english


def limited(program: str, soft: int, hard: int) -> str:
    """Shell words that run a program under limits of open files."""
    return f"ulimit -Sn {soft} && ulimit -Hn {hard} && exec {program}"


@pytest.mark.parametrize(
    ("hard", "code", "words"), [(512, 0, "all acknowledged"), (100, 78, "3 robots need 123 open files, and 100 are allowed here")]
)
def test_a_fleet_raises_its_limit_of_open_files_or_says_that_it_may_not(
    home: Path, broker: Broker, cloud: Cloud, hard: int, code: int, words: str
) -> None:
    options = f"--broker {broker.address} --credentials credentials --no-tcp --duration 1"
    program = f"{Path(sys.executable).with_name('croody-sim')} {options}"
    environ = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "CROODY_SCREEN": "0"}
    done = subprocess.run(
        ["sh", "-c", limited(program, 24, hard)], cwd=home, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == code, done.stderr
    assert words in done.stdout + done.stderr
    assert "Too many open files" not in done.stderr
