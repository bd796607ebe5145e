"""Turns of many agents in one thread, and the small parts of `croody-sim` that need no process."""

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import pytest

from croody_contract.batch import payload_hash
from croody_edge.checkout import with_ports
from croody_edge.settings import from_environment
from croody_edge.sim.credentials import Credential, NoCredentials, choose, from_file, keep
from croody_edge.sim.fleet import Fleet
from croody_edge.sim.options import read
from croody_edge.sim.witness import Notes, Witness
from croody_edge.variables import BadSetting
from tests.patience import PATIENCE_S


@dataclass
class Member:
    """Wants a turn every `every_s`, and notes when it got one."""

    every_s: float
    left: int = 0
    news: bool = False
    turns: list[float] = field(default_factory=list)

    def tick(self, now: float) -> float:
        self.news = False
        self.left = max(0, self.left - 1)
        self.turns.append(time.monotonic())
        return self.every_s

    def pending(self) -> int:
        return self.left


def fleet(*members: Member) -> tuple[Fleet, Event]:
    wake = Event()
    made = Fleet(wake)
    for member in members:
        made.add(member)
    return made, wake


def test_every_member_gets_its_turns_at_its_own_pace() -> None:
    quick, slow = Member(0.02), Member(0.2)
    made, _ = fleet(quick, slow)
    made.run(Event(), until=time.monotonic() + 0.5)
    assert 2 * len(slow.turns) < len(quick.turns) <= 26
    assert 1 <= len(slow.turns) <= 3


def test_a_member_with_news_is_not_kept_waiting() -> None:
    member = Member(10.0)
    made, wake = fleet(member)
    rang: list[float] = []

    def ring() -> None:
        member.news = True
        rang.append(time.monotonic())
        wake.set()

    timer = threading.Timer(0.1, ring)
    timer.start()
    made.run(Event(), until=time.monotonic() + 0.4)
    timer.join()
    assert len(member.turns) == 2
    assert member.turns[1] - rang[0] < 0.25


def test_an_eager_member_does_not_make_the_fleet_spin() -> None:
    member = Member(0.0)
    made, _ = fleet(member)
    made.run(Event(), until=time.monotonic() + 0.2)
    assert len(member.turns) <= 101


def test_the_fleet_ends_when_told_when_its_time_is_over_and_when_all_is_done() -> None:
    made, wake = fleet(Member(10.0))
    stop = Event()
    timer = threading.Timer(0.1, lambda: (stop.set(), wake.set()))
    timer.start()
    began = time.monotonic()
    made.run(stop)
    timer.join()
    assert time.monotonic() - began < 8
    draining = Member(0.01, left=5)
    made, _ = fleet(draining)
    until = time.monotonic() + PATIENCE_S
    made.run(Event(), until=until, done=lambda: made.pending() == 0)
    assert draining.left == 0
    assert time.monotonic() < until


def test_a_fleet_without_members_waits_without_turning() -> None:
    made, _ = fleet()
    began = time.process_time()
    made.run(Event(), until=time.monotonic() + 0.3)
    assert time.process_time() - began < 0.1


def test_a_witness_adds_to_what_is_there_and_hashes_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "seen"
    with Witness(path) as plain:
        Notes(plain, Event(), Event()).of("rover-alice")("stream-one", 1, b"{}")
        assert path.read_text(encoding="utf-8") == "rover-alice stream-one 1\n", "the line is there when the call returns"
    with Witness(path, hashes=True) as hashing:
        Notes(hashing, Event(), Event()).of("rover-bob")("stream-two", 7, b"{}")
    assert path.read_text(encoding="utf-8").splitlines()[1] == f"rover-bob stream-two 7 {payload_hash(b'{}')}"


def test_credentials_are_kept_private_and_read_back_with_the_named_robot_in_front(tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    robots = [Credential("rover-alice", "a" * 40), Credential("rover-bob", "b" * 40)]
    keep(path, robots)
    assert from_file(path) == robots
    assert choose(robots, None, "rover-bob", path) == robots[::-1]
    assert choose(robots, 1, "robot-clases", path) == robots[:1]
    assert "a" * 40 not in repr(robots), "a secret does not come into a log"
    with pytest.raises(NoCredentials, match="has 0 robots and 1 are asked for"):
        choose([], None, "x", path)


def test_what_was_told_on_the_command_line_wins_over_the_environment() -> None:
    told = read(["--tcp-port", "7", "--broker", "mqtt://127.0.0.1:5"], {"ROBOT_PORT": "8", "CROODY_BROKER_URL": "mqtt://10.0.0.1"})
    assert (told.tcp_port, told.broker, told.api) == (7, "mqtt://127.0.0.1:5", "http://127.0.0.1:9000")
    heard = read([], {"ROBOT_PORT": "8", "CROODY_BROKER_URL": "mqtt://10.0.0.1", "TELEMETRY_PORT": "9001", "ROBOT_ID": "rover-bob"})
    assert (heard.tcp_port, heard.broker, heard.api, heard.first) == (8, "mqtt://10.0.0.1", "http://10.0.0.1:9001", "rover-bob")
    assert read([], {}).first == "robot-clases"


def test_the_admin_password_may_come_from_a_file_and_has_no_default(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("correct horse\n", encoding="utf-8")
    assert read([], {"ADMIN_PASSWORD_FILE": str(tmp_path / "password")}).admin_password == "correct horse"
    assert read([], {}).admin_password is None
    assert "correct" not in repr(read([], {"ADMIN_PASSWORD": "correct horse"}))
    with pytest.raises(BadSetting, match="both set"):
        read([], {"ADMIN_PASSWORD_FILE": "x", "ADMIN_PASSWORD": "y"})
    with pytest.raises(BadSetting, match="cannot be read"):
        read([], {"ADMIN_PASSWORD_FILE": str(tmp_path / "none")})
    with pytest.raises(BadSetting, match="ROBOT_PORT"):
        read([], {"ROBOT_PORT": "http"})


@pytest.mark.parametrize("given", [{"CROODY_BROKER_URL": "mqtt://far:1"}, {"MQTT_PORT": "7"}, {"TELEMETRY_INGEST_URL": "http://far"}])
def test_without_an_address_the_ports_of_the_clones_own_system_are_taken(tmp_path: Path, given: dict[str, str]) -> None:
    file = tmp_path / "env"
    file.write_text("SECRET_KEY_FILE=/x\nMQTT_PORT=1999\nTELEMETRY_PORT=9777\nROBOT_PORT=9099\n", encoding="utf-8")

    chosen = read([], with_ports({}, file))

    assert (chosen.broker, chosen.api, chosen.tcp_port) == ("mqtt://127.0.0.1:1999", "http://127.0.0.1:9777", 9090)
    assert from_environment(with_ports({"ROBOT_ID": "rover-alice", "ROBOT_SECRET": "s"}, file)).brokers[0].port == 1999
    assert with_ports(given, file) == given
    assert with_ports({}, tmp_path / "none") == {}
