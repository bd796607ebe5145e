"""The configuration that `croody-broker mosquitto-conf` prints, and that Mosquitto runs with it."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from croody_broker.mosquitto import MosquittoSettings, render_conf
from croody_contract.limits import MAX_PUBLISH_BYTES, MIB
from croody_contract.mosquitto import share_group
from tests.broker.house import ALICE, BRIDGE, PROGRAM, answers, free_ports, running, secret_of, wait_until
from tests.patience import A_BUSY_SECOND_S, PATIENCE_S

needs_mosquitto = pytest.mark.skipif(
    shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin") is None, reason="Mosquitto is not installed: apt install mosquitto"
)
ALICE_UP = f"croody/v1/{ALICE}/up/telemetry"


def settings(**changes: object) -> MosquittoSettings:
    known = {"bind": "127.0.0.1:1883", "bridge_bind": "127.0.0.1:1884", "passwd": Path("/p/passwd"), "acl": Path("/p/acl")}
    return MosquittoSettings(**{**known, "bridge_passwd": Path("/p/passwd.bridge"), **changes})  # type: ignore[arg-type]


def listeners(conf: str) -> dict[str, list[str]]:
    """Listener's address -> its lines."""
    found: dict[str, list[str]] = {}
    for block in conf.split("\nlistener ")[1:]:
        first, *lines = block.splitlines()
        found[first] = [line for line in lines if line and not line.startswith("#")]
    return found


def test_every_listener_asks_for_a_password_and_only_bridges_choose_their_client_id() -> None:
    found = listeners(render_conf(settings(websocket_bind="0.0.0.0:9001")))
    assert set(found) == {"1883 127.0.0.1", "1884 127.0.0.1", "9001 0.0.0.0"}
    for address, lines in found.items():
        is_bridge = address.startswith("1884")
        assert "allow_anonymous false" in lines
        assert "acl_file /p/acl" in lines
        assert ("password_file /p/passwd.bridge" in lines) is is_bridge
        assert ("use_username_as_clientid true" in lines) is not is_bridge


def test_nothing_is_kept_or_retained_and_every_limit_is_explicit() -> None:
    lines = render_conf(settings()).splitlines()
    for line in ("per_listener_settings true", "persistence false", "retain_available false", "set_tcp_nodelay true"):
        assert line in lines
    values = dict(line.split(" ", 1) for line in lines if " " in line and not line.startswith("#"))
    assert int(values["max_packet_size"]) > MAX_PUBLISH_BYTES
    assert int(values["max_queued_messages"]) >= 18 * 8_000, "an API that stalls for 18 s at 8,000 readings a second"
    assert int(values["max_queued_bytes"]) > 0
    assert int(values["max_inflight_messages"]) > 0
    assert int(values["max_inflight_bytes"]) > 0
    assert "memory_limit" not in values, "at it Mosquitto disconnects the bridge, too, and the queue is never emptied"


@pytest.mark.parametrize(("backlog", "messages"), [(MIB, 400_000), (128 * MIB, 400_000), (512 * MIB, 1_597_830)])
def test_a_larger_backlog_has_room_for_more_messages_too_or_small_ones_would_not_find_it(backlog: int, messages: int) -> None:
    assert f"max_queued_messages {messages}\nmax_queued_bytes {backlog}\n" in render_conf(settings(max_backlog_bytes=backlog))


@pytest.mark.parametrize(
    "changes",
    [
        {"bind": "1883"},
        {"bridge_bind": "host:x"},
        # Mosquitto would listen on every address, and somebody believe that it does not.
        {"websocket_bind": "127.0.0.1:8083"},
        {"passwd": Path("/p/a\nallow_anonymous true")},
    ],
)
def test_what_a_line_cannot_hold_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"address|path"):
        render_conf(settings(**changes))


def test_the_command_prints_the_configuration() -> None:
    binds = ["--bind", "127.0.0.1:1883", "--bridge-bind", "127.0.0.1:1884"]
    files = ["--passwd", "/p/passwd", "--acl", "/p/acl"]
    done = subprocess.run([PROGRAM, "mosquitto-conf", *binds, *files], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout == render_conf(settings())


@needs_mosquitto
def test_the_printed_configuration_starts_mosquitto_without_our_help(tmp_path: Path) -> None:
    [port, bridge_port] = free_ports(2)
    for name in ("passwd", "passwd.bridge", "acl"):
        (tmp_path / name).touch()
    files = ["--passwd", str(tmp_path / "passwd"), "--acl", str(tmp_path / "acl")]
    binds = ["--bind", f"127.0.0.1:{port}", "--bridge-bind", f"127.0.0.1:{bridge_port}"]
    done = subprocess.run([PROGRAM, "mosquitto-conf", *binds, *files, "--user", "root"], capture_output=True, timeout=20, check=True)
    (tmp_path / "conf").write_bytes(done.stdout)
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin") or ""
    with subprocess.Popen([program, "-c", str(tmp_path / "conf")], stderr=subprocess.PIPE) as process:
        wait_until(lambda: (answers(port) and answers(bridge_port)) or process.poll() is not None)
        running_still = process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert running_still, process.stderr.read() if process.stderr else ""
        process.wait(PATIENCE_S)


@needs_mosquitto
def test_the_bridges_listener_knows_bridges_only(tmp_path: Path) -> None:
    with running("mosquitto", tmp_path, free_ports(2)) as house:
        house.port, robots = house.bridge_port, house.port
        assert house.client(ALICE).refused()
        house.port = robots
        house.client(ALICE).up()


@needs_mosquitto
def test_two_bridges_share_the_work_and_one_takes_over_when_the_other_dies(tmp_path: Path) -> None:
    with running("mosquitto", tmp_path, free_ports(2)) as house:
        bridges = [house.client(BRIDGE, f"{BRIDGE}:{name}").up() for name in ("one", "two")]
        for each in bridges:
            each.subscribe(f"$share/{share_group(secret_of(BRIDGE))}/croody/v1/+/up/#")
        alice = house.client(ALICE).up()
        for number in range(20):
            alice.publish(ALICE_UP, str(number))
        assert wait_until(lambda: [each.messages.qsize() for each in bridges] == [10, 10])
        bridges[0].cut()
        assert wait_until(lambda: f"{BRIDGE}:one closed its connection" in house.log())
        for number in range(10):
            alice.publish(ALICE_UP, str(number))
        assert wait_until(lambda: bridges[1].messages.qsize() == 20)


@needs_mosquitto
def test_a_guessable_group_would_let_a_robot_take_from_the_bridges(tmp_path: Path) -> None:
    # Why `share_group` exists. When this fails, Mosquitto checks subscriptions at last, and the name may be plain.
    with running("mosquitto", tmp_path, free_ports(2)) as house:
        bridge = house.client(BRIDGE, f"{BRIDGE}:one").up()
        bridge.subscribe("$share/bridge/croody/v1/+/up/#")
        carlos = house.client("rover-carlos").up()
        assert carlos.subscribe("$share/bridge/croody/v1/+/up/#") == [1]
        alice = house.client(ALICE).up()
        for number in range(20):
            alice.publish(ALICE_UP, str(number))
        assert wait_until(lambda: bridge.messages.qsize() == 10)
        assert carlos.messages.qsize() == 0


@needs_mosquitto
def test_missing_files_let_nobody_in_until_they_appear(tmp_path: Path) -> None:
    with running("mosquitto", tmp_path, free_ports(2), files=False) as house:
        assert house.client(ALICE).refused()
        house.write_files()
        assert wait_until(lambda: house.client(ALICE).comes_in(), A_BUSY_SECOND_S)


@needs_mosquitto
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_the_process_is_mosquitto_itself_and_whoever_watched_its_files_ends_with_it(tmp_path: Path, number: int) -> None:
    with running("mosquitto", tmp_path, free_ports(2)) as house:
        house.client(ALICE).up()
        pid = house.process.pid
        assert Path(f"/proc/{pid}/comm").read_text().strip() == "mosquitto"
        [watcher] = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        start = time.monotonic()
        house.process.send_signal(number)
        assert house.process.wait(PATIENCE_S) == (-number if number == signal.SIGKILL else 0)
        assert time.monotonic() - start < A_BUSY_SECOND_S
        assert house.clients[0].gone.wait(PATIENCE_S)
        assert wait_until(lambda: not Path(f"/proc/{watcher}").exists() or "Z" in Path(f"/proc/{watcher}/stat").read_text())


@needs_mosquitto
def test_a_missing_mosquitto_is_one_clear_sentence(tmp_path: Path) -> None:
    arguments = [
        "--bind",
        "127.0.0.1:1",
        "--bridge-bind",
        "127.0.0.1:2",
        "--passwd",
        str(tmp_path / "passwd"),
        "--acl",
        str(tmp_path / "acl"),
    ]
    code = "import shutil, sys; shutil.which = lambda *_, **__: None; from croody_broker.cli import main; main(sys.argv[1:])"
    done = subprocess.run([sys.executable, "-c", code, "mosquitto", *arguments], capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    assert "apt install mosquitto" in done.stderr
