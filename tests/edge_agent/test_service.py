"""Below systemd: what it is told, on a socket of the test's own, and what it is not told when nothing moves."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from croody_edge.cli import within
from croody_edge.installed import with_settings
from croody_edge.service import Service
from tests.edge_agent.doubles import Broker, wait_until
from tests.edge_agent.link.lines import Cable
from tests.edge_agent.test_edge_cli import PROGRAM, environment


class Systemd:
    """The other end of sd_notify."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(path)
        self._socket.setblocking(False)
        self.heard: list[str] = []

    def count(self, word: str) -> int:
        while True:
            try:
                self.heard.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return sum(each == word for each in self.heard)

    def status(self) -> str:
        self.count("")
        return next((each for each in reversed(self.heard) if each.startswith("STATUS=")), "")

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def systemd() -> Iterator[Systemd]:
    made = Systemd(f"\0croody-test-{os.getpid()}")
    yield made
    made.close()


def address() -> str:
    return f"@croody-test-{os.getpid()}"


def test_it_is_ready_without_a_broker_lives_by_its_round_trips_and_stops_with_a_word(
    tmp_path: Path, broker: Broker, systemd: Systemd
) -> None:
    cable = Cable(broker.address)
    env = environment(tmp_path, cable.address.port, NOTIFY_SOCKET=address(), WATCHDOG_USEC="180000000", CROODY_INTERVAL_S="60")
    process = subprocess.Popen([PROGRAM, "run"], env=env | {"CROODY_KEEPALIVE_S": "2"}, stderr=subprocess.DEVNULL)
    try:
        assert wait_until(lambda: systemd.count("READY=1"))
        assert wait_until(lambda: systemd.status() == "STATUS=connected")
        before = systemd.count("WATCHDOG=1")
        assert wait_until(lambda: systemd.count("WATCHDOG=1") > before + 2, 20), "each answer of the broker is a sign of life"
        broker.kill()
        assert wait_until(lambda: "nobody listens" in systemd.status() or "cut it off" in systemd.status() or "closed" in systemd.status())
        before = systemd.count("WATCHDOG=1")
        assert wait_until(lambda: systemd.count("WATCHDOG=1") > before + 2, 40), "without a network it lives by its tries"
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        cable.close()
    assert systemd.count("STOPPING=1") == 1


def test_a_way_out_that_stands_still_is_no_sign_of_life(systemd: Systemd) -> None:
    service = Service({"NOTIFY_SOCKET": address(), "WATCHDOG_USEC": "180000000"})
    for second in range(10, 20):
        service.turn("connected", 5.0, float(second))
    assert systemd.count("WATCHDOG=1") == 1, "the main loop turns, and that is not enough"
    service.turn("connected", 19.5, 20.0)
    assert systemd.count("WATCHDOG=1") == 2
    assert systemd.count("STATUS=connected") == 1


def test_only_the_process_that_is_meant_tells_and_nobody_where_there_is_no_systemd(systemd: Systemd) -> None:
    other = Service({"NOTIFY_SOCKET": address(), "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"})
    other.turn("connected", 1.0, 2.0)
    Service({}).ready()
    Service({"NOTIFY_SOCKET": "/nowhere/at/all"}).ready()
    assert systemd.count("WATCHDOG=1") == 0
    assert within(20, 180.0) == 20
    assert within(3600, 180.0) == 60


def test_the_journal_gets_a_priority_instead_of_a_time(tmp_path: Path) -> None:
    log = tmp_path / "journal"
    with log.open("wb") as file:
        told = os.fstat(file.fileno())
        env = environment(tmp_path / "edge", 9, JOURNAL_STREAM=f"{told.st_dev}:{told.st_ino}")
        process = subprocess.Popen([PROGRAM, "run"], env=env, stderr=file)
        try:
            assert wait_until(lambda: b"cannot reach" in log.read_bytes())
        finally:
            process.terminate()
            process.wait(15)
    assert all(line.startswith("<") for line in log.read_text().splitlines())
    assert "<4>croody.link link rover-alice: cannot reach" in log.read_text()


def test_the_package_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "croody_edge", "--help"], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, "croody-edge" in done.stdout) == (0, True)


def test_a_person_who_calls_a_command_has_the_settings_of_the_service(tmp_path: Path) -> None:
    file = tmp_path / "croody-edge.env"
    file.write_text("# mine\nROBOT_ID=rover-bob\n ROBOT_SECRET = no\nCROODY_EDGE_DIR=\"/a b\"\nCROODY_QOS='0'\nnonsense\nLANG=es\n")
    read = with_settings({"CROODY_SETTINGS": str(file), "LANG": "en"})
    assert (read["ROBOT_ID"], read["CROODY_EDGE_DIR"], read["CROODY_QOS"], read["LANG"]) == ("rover-bob", "/a b", "0", "en")
    assert "ROBOT_SECRET " not in read
    assert with_settings({"CROODY_SETTINGS": str(tmp_path)}) == {"CROODY_SETTINGS": str(tmp_path)}
    assert with_settings({}) == {}
