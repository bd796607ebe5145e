"""`croody-edge doctor`: each thing that can be wrong is made wrong for real, and the doctor names it, with its remedy."""

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from errno import ENOSPC
from pathlib import Path
from typing import Any

import pytest

from croody_contract import topics
from croody_edge.doctor import board, parts
from croody_edge.link.address import BrokerAddress
from croody_edge.screen import card
from croody_edge.screen.learned import files
from tests.broker.house import ALICE, BRIDGE, House, free_ports, running, secret_of, wait_until
from tests.edge_agent.doctor.authority import Authority
from tests.edge_agent.link.lines import TlsDoor
from tests.edge_agent.screen.learned import pump

PROGRAM = str(Path(sys.executable).with_name("croody-edge"))
DAY = timedelta(days=1)


@pytest.fixture(scope="module", params=["amqtt", "mosquitto"])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A broker as `croody-broker` runs it, on both engines."""
    with running(request.param, tmp_path_factory.mktemp(request.param), free_ports(2)) as made:
        yield made


@pytest.fixture(scope="module")
def guard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with running("amqtt", tmp_path_factory.mktemp("guard"), free_ports(1)) as made:
        yield made


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "The site's authority")


def environment(folder: Path, broker: str, **more: str) -> dict[str, str]:
    return {
        **{name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
        "LANG": "C.UTF-8",
        "CROODY_BROKER_URL": broker,
        "ROBOT_ID": ALICE,
        "ROBOT_SECRET": secret_of(ALICE),
        "CROODY_EDGE_DIR": str(folder),
        "CROODY_INTERVAL_S": "0.2",
        **more,
    }


def plain(port: int) -> str:
    return f"mqtt://127.0.0.1:{port}"


class Answer:
    """What the doctor said."""

    def __init__(self, env: dict[str, str], *options: str) -> None:
        done = subprocess.run([PROGRAM, "doctor", "--json", *options], env=env, capture_output=True, text=True, timeout=90, check=False)
        assert "Traceback" not in done.stderr, done.stderr
        said: dict[str, Any] = json.loads(done.stdout)
        self.status, self.well = done.returncode, said["ok"]
        self.findings: list[dict[str, str]] = said["findings"]
        assert self.status == (0 if self.well else 1)

    def of(self, check: str) -> dict[str, str]:
        return next(finding for finding in self.findings if finding["check"] == check)

    def wrong(self) -> list[str]:
        return [finding["check"] for finding in self.findings if finding["state"] == "wrong"]


def outbox_with_readings(folder: Path) -> None:
    """What an agent without a broker leaves behind."""
    env = environment(folder, plain(9), CROODY_INTERVAL_S="0.01")
    process = subprocess.Popen([PROGRAM, "run"], env=env, stderr=subprocess.DEVNULL)

    def waiting() -> bool:
        done = subprocess.run([PROGRAM, "status", "--json"], env=env, capture_output=True, text=True, check=False)
        return done.returncode == 0 and json.loads(done.stdout)["pending"] > 50

    try:
        assert wait_until(waiting, 30)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)


def test_where_all_is_well_every_check_says_so_and_nothing_stays_at_the_broker(tmp_path: Path, house: House) -> None:
    bridge = house.bridge("doctor")
    answer = Answer(environment(tmp_path / "edge", plain(house.port)))

    assert answer.wrong() == []
    assert [finding["check"] for finding in answer.findings if finding["state"] == "ok" and finding["check"] != "disk"] == [
        "settings", "agent", "clock", "outbox", "model", "source", "name", "tcp", "tls", "login", "rights",
    ]  # fmt: skip
    unanswered = topics.build(topics.UpAnswer(ALICE, topics.NO_OUTGOING_ID))
    assert set(bridge.topics()) == {unanswered}, "no presence, no reading: an answer to nobody"
    assert not (tmp_path / "edge").exists()


def test_it_speaks_both_languages_in_one_line_a_check(tmp_path: Path, guard: House) -> None:
    env = environment(tmp_path, plain(guard.port))
    lines = {
        lang: subprocess.run([PROGRAM, "doctor"], env=env | {"LANG": lang}, capture_output=True, text=True, check=False).stdout.splitlines()
        for lang in ("es_CO.UTF-8", "C.UTF-8")
    }
    assert (lines["es_CO.UTF-8"][-1], lines["C.UTF-8"][-1]) == ("todo bien", "all is well")
    assert len(lines["es_CO.UTF-8"]) == len(lines["C.UTF-8"]) == len(Answer(env).findings) + 1
    assert any(line.startswith("bien     permisos ") for line in lines["es_CO.UTF-8"])


def test_a_running_agent_is_asked_and_not_thrown_out(tmp_path: Path, house: House) -> None:
    env = environment(tmp_path, plain(house.port))
    log = tmp_path / "log"
    with log.open("wb") as file:
        process = subprocess.Popen([PROGRAM, "run"], env=env, stderr=file)
    try:
        assert wait_until(lambda: b"connected to" in log.read_bytes(), 15)
        assert wait_until(lambda: "the agent is connected" in Answer(env).of("login")["said"], 15)
        answer = Answer(env)
        assert answer.wrong() == []
        assert f"process {process.pid}" in answer.of("agent")["said"]
        assert "the agent read" in answer.of("source")["said"]
        assert answer.of("rights")["state"] == "skipped", "no cloud has confirmed anything"
        assert b"lost" not in log.read_bytes()
        told = Answer(env, "--log-in")
        assert (told.of("login")["state"], told.of("rights")["state"]) == ("ok", "ok")
        assert (b"lost" in log.read_bytes()) <= (house.engine == "mosquitto"), "on amqtt both live side by side"
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    assert not (tmp_path / "agent.sock").exists()


def test_a_wrong_secret(tmp_path: Path, house: House) -> None:
    answer = Answer(environment(tmp_path, plain(house.port), ROBOT_SECRET="not-it"))
    assert answer.wrong() == ["login"]
    assert "croody robot rotate rover-alice" in answer.of("login")["said"]


def test_a_topic_that_is_denied(tmp_path: Path, house: House) -> None:
    house.write_files(acl=f"user {BRIDGE}\ntopic read croody/v1/+/up/#\n\npattern read croody/v1/%u/down/#\n")
    try:
        env = environment(tmp_path, plain(house.port))
        assert wait_until(lambda: Answer(env).wrong() == ["rights"], 60)
        assert f"may not publish to croody/v1/{ALICE}/up/" in Answer(env).of("rights")["said"]
    finally:
        house.write_files()
        assert wait_until(lambda: Answer(env).wrong() == [], 60)


def test_a_closed_port_a_silent_one_and_a_name_that_nobody_knows(tmp_path: Path) -> None:
    (free,) = free_ports(1)
    answer = Answer(environment(tmp_path, plain(free)))
    assert answer.wrong() == ["tcp"]
    assert f"nobody listens at 127.0.0.1:{free}" in answer.of("tcp")["said"]

    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        answer = Answer(environment(tmp_path, plain(port)))
        assert answer.wrong() == ["login"]
        assert "no CONNACK" in answer.of("login")["said"]
        answer = Answer(environment(tmp_path, f"mqtts://127.0.0.1:{port}"))
        assert answer.wrong() == ["tls"]
        assert "no answer from" in answer.of("tls")["said"]

    answer = Answer(environment(tmp_path, "mqtts://broker.invalid"))
    assert answer.wrong() == ["name"]
    assert "nobody knows the name broker.invalid" in answer.of("name")["said"]


def test_an_authority_of_the_sites_own_and_another_one(tmp_path: Path, guard: House, authority: Authority) -> None:
    door = TlsDoor(BrokerAddress("127.0.0.1", guard.port), authority.certificate())
    address = f"mqtts://127.0.0.1:{door.address.port}"
    try:
        answer = Answer(environment(tmp_path, address, CROODY_CA_FILE=str(authority.file)))
        assert answer.wrong() == []
        assert "signed by The site's authority, good for 89 days" in answer.of("tls")["said"]
        other = Authority(tmp_path / "other", "Somebody else")
        answer = Answer(environment(tmp_path, address, CROODY_CA_FILE=str(other.file)))
        assert answer.wrong() == ["tls"]
        assert "did not sign it" in answer.of("tls")["said"]
        assert "name the site's authority" in Answer(environment(tmp_path, address)).of("tls")["said"]
    finally:
        door.close()


@pytest.mark.parametrize(
    ("begins", "ends", "said"),
    [(DAY, 90 * DAY, "later than this board's clock"), (-90 * DAY, -DAY, "renew the one or set the other"), (-DAY, 5 * DAY, "4 days only")],
)
def test_a_clock_that_is_wrong_shows_in_the_certificate(
    tmp_path: Path, guard: House, authority: Authority, begins: timedelta, ends: timedelta, said: str
) -> None:
    door = TlsDoor(BrokerAddress("127.0.0.1", guard.port), authority.certificate(begins, ends))
    try:
        answer = Answer(environment(tmp_path, f"mqtts://127.0.0.1:{door.address.port}", CROODY_CA_FILE=str(authority.file)))
        assert answer.wrong() == ([] if "only" in said else ["tls"])
        assert said in answer.of("tls")["said"]
    finally:
        door.close()


def test_a_clock_from_before_this_program_and_one_that_went_back(tmp_path: Path) -> None:
    assert "set its clock" in board.clock(tmp_path, 300.0).said
    (tmp_path / "outbox.db").touch()
    written = (tmp_path / "outbox.db").stat().st_mtime
    assert board.clock(tmp_path, written + 1).state == "ok"
    told = board.clock(tmp_path, written - 3600)
    assert (told.state, "the clock is behind" in told.said) == ("wrong", True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "card"
    folder.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", folder], check=False).returncode:
        pytest.skip("needs root and a kernel that lets it mount a tmpfs")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(path: Path) -> int | None:
    """Write until the disk says no. Returns what it says."""
    number = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(number, b"x" * 4096)
    except OSError as error:
        return error.errno
    finally:
        os.close(number)


def test_a_disk_that_fills_up_and_one_that_is_read_only(small_disk: Path) -> None:
    limit = 10 << 20

    def room() -> tuple[str, str]:
        found = next(iter(board.disk(small_disk, limit, Path("/nowhere"))))
        return found.state, found.said

    assert room()[0] == "ok"
    (small_disk / "ballast").write_bytes(b"x" * (10 << 20))
    assert room()[0] == "wrong"
    assert "of 20 MiB free: free some space" in room()[1]
    assert fill(small_disk / "more") == ENOSPC
    assert "the disk is full" in room()[1]
    (small_disk / "more").unlink()
    (small_disk / "ballast").unlink()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    assert room()[0] == "wrong"
    assert "read-only" in room()[1]
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    assert room()[0] == "ok"


def test_a_card_that_says_how_worn_it_is(tmp_path: Path) -> None:
    life = tmp_path / "block" / "mmcblk0" / "device" / "life_time"
    life.parent.mkdir(parents=True)
    life.write_text("0x02 0x03\n")
    assert [finding.state for finding in board.disk(tmp_path, 1 << 20, tmp_path / "block")][1:] == ["ok"]
    life.write_text("0x0a 0x0b\n")
    worn = list(board.disk(tmp_path, 1 << 20, tmp_path / "block"))[1]
    assert (worn.state, "replace it before it fails" in worn.said) == ("wrong", True)


def test_an_outbox_with_a_flipped_bit_a_broken_page_and_no_head(tmp_path: Path, guard: House) -> None:
    outbox_with_readings(tmp_path)
    env = environment(tmp_path, plain(guard.port))
    assert Answer(env).wrong() == []
    assert "registros esperan" in Answer(env | {"LANG": "es"}).of("outbox")["said"]
    sound = tmp_path / "sound.db"
    shutil.copy(tmp_path / "outbox.db", sound)

    with sqlite3.connect(tmp_path / "outbox.db") as db:
        db.execute("UPDATE record SET body=replace(body, 'reading', 'readinG') WHERE key=(SELECT max(key) FROM record)")
    db.close()
    assert Answer(env).wrong() == ["outbox"]
    assert "is not what was written" in Answer(env).of("outbox")["said"]

    for start, length in ((8192, 4096), (0, 100)):
        shutil.copy(sound, tmp_path / "outbox.db")
        with (tmp_path / "outbox.db").open("r+b") as file:
            file.seek(start)
            file.write(b"\xff" * length)
        answer = Answer(env)
        assert answer.wrong() == ["outbox"]
        assert "start the agent" in answer.of("outbox")["said"]


def test_an_outbox_of_another_robot_and_one_that_is_nearly_full(tmp_path: Path, guard: House) -> None:
    outbox_with_readings(tmp_path)
    answer = Answer(environment(tmp_path, plain(guard.port), ROBOT_ID="rover-bob", ROBOT_SECRET=secret_of("rover-bob")))
    assert answer.wrong() == ["outbox"]
    assert "belongs to rover-alice" in answer.of("outbox")["said"]
    with sqlite3.connect(tmp_path / "outbox.db") as db:
        db.execute("CREATE TABLE ballast AS SELECT zeroblob(1000000) AS b")
    db.close()
    answer = Answer(environment(tmp_path, plain(guard.port), CROODY_OUTBOX_LIMIT_BYTES=str(1 << 20)))
    assert answer.wrong() == ["outbox"]
    assert "readings are thinned" in answer.of("outbox")["said"]


def test_what_was_learned_is_said_with_its_age_and_a_damaged_one_is_wrong(tmp_path: Path) -> None:
    made = pump.profile()
    assert list(parts.profile(tmp_path, made.made_at.timestamp())) == []
    files.keep(tmp_path, made)
    now = made.made_at.timestamp()
    (young,) = parts.profile(tmp_path, now + 5 * 86_400)
    (old,) = parts.profile(tmp_path, now + 100 * 86_400)
    assert (young.state, young.said) == ("ok", f"{made.name()}: what is ordinary for 5 metrics, learned 5 days ago")
    assert "learned 100 days ago; older than 90 days" in old.said
    (tmp_path / files.PROFILE).write_bytes(b"{")
    (bad,) = parts.profile(tmp_path, now)
    assert bad.state == "wrong"
    assert "--relearn" in bad.said


def test_a_model_that_is_damaged_and_one_whose_card_is(tmp_path: Path) -> None:
    for file in card.MODELS.iterdir():
        shutil.copy(file, tmp_path)
    model, described = tmp_path / "sensors.tflite", tmp_path / "sensors.json"
    assert parts.model(described).state == "ok"
    data = bytearray(model.read_bytes())
    data[len(data) // 2] ^= 1
    model.write_bytes(data)
    assert "its card says" in parts.model(described).said
    model.unlink()
    assert "install croody-edge again" in parts.model(described).said
    described.write_text("{}")
    assert parts.model(described).state == "wrong"


def test_settings_and_sources_that_cannot_be(tmp_path: Path, guard: House) -> None:
    answer = Answer(environment(tmp_path, plain(guard.port), CROODY_QOS="7"))
    assert answer.wrong() == ["settings"]
    assert answer.of("disk")["state"] == answer.of("model")["state"] == "ok", "what can be looked at is"
    missing = Answer(environment(tmp_path, plain(guard.port), CROODY_SOURCE="replay", CROODY_REPLAY_FILE=str(tmp_path / "none.csv")))
    assert missing.wrong() == ["source"]
    assert Answer(environment(tmp_path, plain(guard.port), CROODY_SOURCE="crystal-ball")).wrong() == ["source"]


def test_of_several_sources_each_has_a_line(tmp_path: Path, guard: House) -> None:
    file = tmp_path / "sources.toml"
    file.write_text(
        f'[source.host]\n\n[source.arm]\nkind = "replay"\nfile = "{tmp_path}/none.csv"\n\n[source.ball]\nkind = "crystal-ball"\n'
    )
    answer = Answer(environment(tmp_path, plain(guard.port)))
    told = {finding["said"].partition(":")[0]: finding["state"] for finding in answer.findings if finding["check"] == "source"}
    assert len(told) == 3
    assert (told["host"], told["arm"]) == ("ok", "wrong")
    assert answer.wrong() == ["source", "source"]
    assert answer.of("settings")["said"].endswith(f"the sources of {file}")


def test_it_takes_no_line_from_the_agent_that_comes_after_it(tmp_path: Path, guard: House) -> None:
    (tmp_path / "in.jsonl").write_text('{"temp_c": 20.5}\n')
    (tmp_path / "sources.toml").write_text(f'[source.in]\nkind = "files"\npath = "{tmp_path}/in.jsonl"\n')
    for _ in range(2):
        assert "has something to say" in Answer(environment(tmp_path, plain(guard.port))).of("source")["said"]
    assert not (tmp_path / "in.read.json").exists()
    (tmp_path / "in.jsonl").write_text("")
    assert "nothing new" in Answer(environment(tmp_path, plain(guard.port))).of("source")["said"]
