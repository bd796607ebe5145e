"""What the guard promises beyond Mosquitto's habits: silent sockets, slow readers, memory, files, TLS, its own end."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from croody_broker.broker import GuardedBroker
from croody_broker.credentials import parse_passwd
from croody_broker.handler import MAX_UNACKED
from croody_broker.policy import Policy
from croody_broker.rates import Rates
from croody_broker.rules import parse_acl
from croody_broker.settings import Settings
from croody_contract import mosquitto
from tests.broker.house import (
    ALICE,
    BOB,
    BRIDGE,
    CARLOS,
    PROGRAM,
    House,
    closed_within,
    connect_packet,
    free_ports,
    packet,
    publish_packet,
    running,
    secret_of,
    text,
    wait_until,
)
from tests.patience import A_BUSY_SECOND_S, PATIENCE_S

ALICE_UP = f"croody/v1/{ALICE}/up/telemetry"
#: Acknowledged at once: batches have an acknowledgement of their own.
ALICE_BATCH = f"croody/v1/{ALICE}/up/batch/stream-of-alice/1-1"
MIB = 1024 * 1024


@contextlib.asynccontextmanager
async def in_process(folder: Path, user: str) -> AsyncIterator[tuple[GuardedBroker, int]]:
    """A guarded broker in this process, to look inside, with one account."""
    accounts, _ = parse_passwd(mosquitto.render_passwd({user: mosquitto.hash_secret(secret_of(user))}))
    rules, _ = parse_acl(mosquitto.render_acl())
    settings = Settings(bind="127.0.0.1:0", passwd=folder / "passwd", acl=folder / "acl")
    broker = GuardedBroker(settings, Policy(accounts, rules))
    await broker.start()
    try:
        yield broker, int(broker.addresses()[0][1].rpartition(":")[2])
    finally:
        await broker.shutdown()


@pytest.mark.parametrize("guard_house", [["--connect-timeout", "1"]], indirect=True)
@pytest.mark.parametrize("sent", [b"", b"\x10", b"\x10\x40\x00\x04MQTT"], ids=["nothing", "one byte", "half a CONNECT"])
def test_a_socket_that_sends_no_connect_is_closed(guard_house: House, sent: bytes) -> None:
    sock = guard_house.socket(sent)
    start = time.monotonic()
    assert closed_within(sock, 0.8 * Settings.connect_timeout_s)
    assert time.monotonic() - start > 0.9


@pytest.mark.parametrize("change", ["one byte too many", "one byte too few"])
def test_a_connect_whose_parts_do_not_add_up_is_not_let_in(guard: House, change: str) -> None:
    body = connect_packet(ALICE)[2:]
    sock = guard.socket(packet(0x10, body + b"x" if change == "one byte too many" else body[:-1]))
    sock.settimeout(PATIENCE_S)
    assert sock.recv(10) in (b"", b"\x20\x02\x00\x04")  # amqtt finds a missing password by itself


def test_silent_sockets_do_not_keep_others_out(guard: House) -> None:
    for _ in range(700):
        guard.socket()
    alice, bridge = guard.client(ALICE).up(), guard.bridge()
    alice.publish(ALICE_UP)
    assert bridge.next()[0] == ALICE_UP
    # Of those that wait, the oldest made room: memory and file handles stay bounded.
    assert closed_within(guard.sockets[0], 0.5 * Settings.connect_timeout_s)
    assert not closed_within(guard.sockets[-1], 0.1)


def test_a_newer_connection_with_ones_own_client_id_ends_the_older_and_the_will_comes_first(guard: House) -> None:
    bridge = guard.bridge()
    presence = f"croody/v1/{ALICE}/up/presence"
    older = guard.client(ALICE, will=(presence, b"offline", 1)).up()
    newer = guard.client(ALICE, will=(presence, b"offline", 1)).up()
    newer.publish(presence, b"online")
    assert older.gone.wait(PATIENCE_S)
    assert [bridge.next(), bridge.next()] == [(presence, b"offline"), (presence, b"online")]
    newer.subscribe(f"croody/v1/{ALICE}/down/#")
    time.sleep(1.2)  # longer than amqtt's own monitor waits before it forgets a session by its client id
    bridge.publish(f"croody/v1/{ALICE}/down/ack", b"to the newer")
    assert newer.next()[1] == b"to the newer"
    assert not newer.gone.is_set()


def test_several_clients_of_one_robot_live_side_by_side(guard: House) -> None:
    clients = [guard.client(ALICE, f"{ALICE}:{name}").up() for name in ("agent", "tools")]
    bridge = guard.bridge()
    for each in clients:
        each.publish(ALICE_UP)
        assert bridge.next()[0] == ALICE_UP
    assert not any(each.gone.is_set() for each in clients)


def test_one_account_cannot_take_all_connections(guard: House) -> None:
    carlos = [guard.client(CARLOS, f"{CARLOS}:{number}") for number in range(20)]
    assert wait_until(lambda: all(each.code is not None for each in carlos))
    assert sum(each.connected.is_set() for each in carlos) == 16
    guard.client(ALICE).up()


def test_one_client_cannot_subscribe_without_end(guard: House) -> None:
    carlos = guard.client(CARLOS).up()
    answers = [carlos.subscribe(f"croody/v1/{CARLOS}/down/{number}")[0] for number in range(70)]
    assert answers == [1] * 64 + [0x80] * 6
    carlos.paho.unsubscribe(f"croody/v1/{CARLOS}/down/0")
    assert carlos.subscribe(f"croody/v1/{CARLOS}/down/69") == [1]


def test_a_filter_longer_than_any_topic_is_refused(guard: House) -> None:
    assert guard.client(CARLOS).up().subscribe(f"croody/v1/{CARLOS}/down/{'x' * 1100}") == [0x80]


def test_overlapping_subscriptions_deliver_once_and_unsubscribing_ends_it(guard: House) -> None:
    alice, bridge = guard.client(ALICE).up(), guard.bridge()
    for topic_filter in (f"croody/v1/{ALICE}/down/#", f"croody/v1/{ALICE}/down/+", f"croody/v1/{ALICE}/down/ack"):
        alice.subscribe(topic_filter)
    bridge.publish(f"croody/v1/{ALICE}/down/ack", b"one")
    bridge.publish(f"croody/v1/{ALICE}/down/ack", b"two")
    assert [alice.next()[1], alice.next()[1]] == [b"one", b"two"]
    for topic_filter in (f"croody/v1/{ALICE}/down/#", f"croody/v1/{ALICE}/down/+"):
        alice.paho.unsubscribe(topic_filter)
    alice.subscribe(f"croody/v1/{ALICE}/down/ack")  # answered after the others are done
    bridge.publish(f"croody/v1/{ALICE}/down/outgoing", b"nobody listens")
    bridge.publish(f"croody/v1/{ALICE}/down/ack", b"three")
    assert alice.next()[1] == b"three"


@pytest.mark.parametrize(("published", "subscribed", "delivered"), [(0, 1, 0), (1, 0, 0), (1, 1, 1), (2, 2, 1)])
def test_a_message_is_delivered_at_the_lower_of_both_qos_and_never_retained(
    guard: House, published: int, subscribed: int, delivered: int
) -> None:
    bridge = guard.client(BRIDGE).up()
    bridge.subscribe("croody/v1/+/up/#", subscribed)
    # Not waited for: where the bridge asked for QoS 0, nobody answers for a plain reading.
    guard.client(ALICE).up().paho.publish(ALICE_UP, b"x", published)
    message = bridge.messages.get(timeout=PATIENCE_S)
    assert (message.qos, message.retain) == (delivered, False)


def test_a_repeated_qos_2_publish_is_delivered_once(guard: House) -> None:
    bridge = guard.bridge()
    sock = guard.socket(connect_packet(ALICE))
    assert sock.recv(4) == b"\x20\x02\x00\x00"
    for _ in range(3):
        sock.sendall(publish_packet(ALICE_UP, b"once", 7, 0x04))
        assert sock.recv(4) == b"\x50\x02\x00\x07"
    sock.sendall(b"\x62\x02\x00\x07")
    assert sock.recv(4) == b"\x70\x02\x00\x07"
    sock.sendall(publish_packet(ALICE_UP, b"again", 7, 0x04))
    assert [bridge.next()[1], bridge.next()[1]] == [b"once", b"again"]


@pytest.mark.parametrize("guard_house", [["--max-backlog", str(2 * MIB)]], indirect=True)
def test_a_subscriber_that_does_not_read_is_dropped_and_blocks_nobody(guard_house: House) -> None:
    bridge = guard_house.bridge("quick")
    lazy = guard_house.socket()
    lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    lazy.sendall(connect_packet(BRIDGE, f"{BRIDGE}:lazy") + packet(0x82, b"\x00\x01" + text("croody/v1/+/up/#") + b"\x01"))
    time.sleep(0.3)
    before = guard_house.rss_bytes()
    alice = guard_house.client(ALICE).up()
    slowest = 0.0
    for _ in range(300):
        start = time.monotonic()
        alice.publish(ALICE_BATCH, b"x" * 100_000)
        slowest = max(slowest, time.monotonic() - start)
    assert wait_until(lambda: bridge.messages.qsize() == 300)
    assert slowest < A_BUSY_SECOND_S
    assert "bridge:lazy: gone: too slow" in guard_house.log()
    assert guard_house.rss_bytes() - before < 12 * MIB
    assert "bridge:quick: gone" not in guard_house.log()


async def test_a_subscriber_that_acknowledges_nothing_is_dropped(tmp_path: Path) -> None:
    async with in_process(tmp_path, BRIDGE) as (broker, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(connect_packet(BRIDGE) + packet(0x82, b"\x00\x01" + text("croody/v1/+/up/#") + b"\x01"))
        assert await reader.readexactly(4 + 5) == b"\x20\x02\x00\x00" + b"\x90\x03\x00\x01\x01"
        [(_, handler)] = broker.guarded()
        pressed = [broker.route(ALICE_UP, b"", 1) for _ in range(MAX_UNACKED)]
        assert pressed.index(True) == MAX_UNACKED // 2
        assert handler.ended is None
        broker.route(ALICE_UP, b"", 1)
        assert handler.ended == f"acknowledges nothing: {MAX_UNACKED} messages are open"
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_a_client_that_never_reads_its_answers_is_not_read_either(tmp_path: Path) -> None:
    async with in_process(tmp_path, CARLOS) as (broker, port):
        for listener in broker._servers["default"].instance.sockets:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(sock, ("127.0.0.1", port))
            sending = asyncio.create_task(loop.sock_sendall(sock, connect_packet(CARLOS) + b"\xc0\x00" * 4_000_000))
            largest, end = 0, loop.time() + 10
            while loop.time() < end and largest < 100_000:
                await asyncio.sleep(0.1)
                before = largest
                largest = max([largest, *(handler.link.backlog() for _, handler in broker.guarded())])
                if largest == before > 0:
                    break
            sending.cancel()
            assert 0 < largest < 100_000


@pytest.mark.parametrize("size", [30, 200_000])
def test_one_robot_that_floods_costs_nobody_else_a_message_or_the_bridge_its_connection(guard_house: House, size: int) -> None:
    bridge, alice = guard_house.bridge(), guard_house.client(ALICE).up()
    over = threading.Event()
    flood = publish_packet(f"croody/v1/{CARLOS}/up/x", b"x" * size, flags=0) * max(1, 60_000 // size)

    def send(sock: socket.socket) -> None:
        sock.settimeout(0.2)
        while not over.is_set():
            with contextlib.suppress(TimeoutError):
                sock.sendall(flood)

    floods = [guard_house.socket(connect_packet(CARLOS, f"{CARLOS}:{number}")) for number in range(16)]
    threads = [threading.Thread(target=send, args=(sock,)) for sock in floods]
    for each in threads:
        each.start()
    slowest = 0.0
    for number in range(40):
        start = time.monotonic()
        alice.publish(ALICE_UP, str(number))
        slowest = max(slowest, time.monotonic() - start)
        time.sleep(0.05)
    over.set()
    for each in threads:
        each.join()
    for each in floods:
        each.close()
    got: list[bytes] = []
    assert wait_until(lambda: got.extend(p for t, p in bridge.drain() if t == ALICE_UP) or len(got) == 40, 60)
    assert got == [str(number).encode() for number in range(40)]
    assert slowest < A_BUSY_SECOND_S
    assert not bridge.gone.is_set()


def test_a_slow_link_may_take_longer_than_its_keepalive_for_one_large_packet(guard: House) -> None:
    bridge = guard.bridge()
    sock = guard.socket(connect_packet(ALICE, keepalive=1))
    whole = publish_packet(ALICE_UP, b"x" * 60_000)
    for start in range(0, len(whole), 8192):
        sock.sendall(whole[start : start + 8192])
        time.sleep(0.4)
    assert len(bridge.next()[1]) == 60_000


def test_a_sender_that_drips_bytes_is_not_alive(guard: House) -> None:
    sock = guard.socket(connect_packet(CARLOS, keepalive=1))
    assert sock.recv(4) == b"\x20\x02\x00\x00"
    start = time.monotonic()
    with pytest.raises(OSError):  # noqa: PT012  # which send finds out first is not ours to say
        for byte in publish_packet(f"croody/v1/{CARLOS}/up/telemetry", b"x" * 1000):
            sock.sendall(bytes([byte]))
            time.sleep(0.05)
    # The packet would take 50 s.
    assert time.monotonic() - start < 20


def test_missing_files_let_nobody_in_are_named_once_and_are_read_when_they_appear(tmp_path: Path) -> None:
    with running("amqtt", tmp_path, free_ports(1), files=False) as house:
        assert house.client(ALICE).refused()
        assert wait_until(lambda: "acl: No such file" in house.log())
        time.sleep(1.0)
        assert house.log().count("passwd: No such file or directory: every connect is refused") == 1
        assert house.log().count("acl: No such file or directory: every topic is denied") == 1
        house.write_files()
        assert wait_until(lambda: house.client(ALICE).comes_in(), A_BUSY_SECOND_S)
        (tmp_path / "passwd").unlink()
        assert wait_until(lambda: house.clients[-1].gone.is_set(), A_BUSY_SECOND_S)
        assert house.client(ALICE).refused()
        house.write_files()
        assert wait_until(lambda: house.client(ALICE).comes_in(), A_BUSY_SECOND_S)


def test_without_an_acl_file_everything_is_denied(guard_house: House) -> None:
    bridge, alice = guard_house.bridge(), guard_house.client(ALICE).up()
    (guard_house.folder / "acl").unlink()
    assert wait_until(lambda: "acl: No such file" in guard_house.log())
    alice.publish(ALICE_UP)
    assert bridge.subscribe("croody/v1/+/up/#") == [0x80]
    assert bridge.topics() == []


def test_a_file_that_is_being_written_throws_nobody_out(guard_house: House) -> None:
    alice, bob = guard_house.client(ALICE).up(), guard_house.client(BOB).up()
    whole = (guard_house.folder / "passwd").read_text()
    with (guard_house.folder / "passwd").open("w") as file:
        for line in whole.splitlines(keepends=True):
            file.write(line)
            file.flush()
            time.sleep(0.1)
    time.sleep(0.8)
    assert not alice.gone.is_set()
    assert not bob.gone.is_set()


def test_sighup_reads_the_files_at_once(guard_house: House) -> None:
    carlos = guard_house.client(CARLOS).up()
    guard_house.write_files(users=[ALICE])
    # Never twice the same to those who look: so it is the signal that does it.
    for _ in range(int(PATIENCE_S / 0.02)):
        os.utime(guard_house.folder / "passwd")
        guard_house.process.send_signal(signal.SIGHUP)
        if carlos.gone.wait(0.02):
            return
    pytest.fail("the account is revoked, and its session goes on")


def test_a_line_that_cannot_be_read_is_named_and_costs_only_itself(guard_house: House) -> None:
    path = guard_house.folder / "passwd"
    path.write_text(f"dora:plain text\n{path.read_text()}")
    assert wait_until(lambda: "passwd: line 1: hash: expected $7$" in guard_house.log())
    guard_house.client(ALICE).up()


def test_secrets_never_stand_in_the_log(guard_house: House) -> None:
    guard_house.client(ALICE).up()
    assert guard_house.client(ALICE, secret="guessed-in-vain").refused()
    assert guard_house.client(CARLOS, ALICE).refused()
    log = guard_house.log()
    assert "rover-alice" in log
    assert not any(secret in log for secret in (secret_of(ALICE), secret_of(CARLOS), "guessed-in-vain", "$7$"))


def test_a_refusal_is_logged_once_not_a_thousand_times(guard_house: House) -> None:
    for _ in range(50):
        assert guard_house.socket(connect_packet("nobody", secret="x")).recv(4) == b"\x20\x02\x00\x05"
        guard_house.socket(b"garbage").recv(1)
    assert guard_house.log().count("refused: user 'nobody'") == 1
    assert guard_house.log().count("no valid CONNECT") == 1


def test_the_health_probe_is_answered_and_leaves_no_line_and_a_stranger_does(guard_house: House) -> None:
    def knock(client_id: str) -> bytes:
        return guard_house.socket(packet(0x10, text("MQTT") + b"\x04\x02\x00\x05" + text(client_id))).recv(4)

    assert [knock("probe"), knock("probe")] == [b"\x20\x02\x00\x05"] * 2
    assert "refused" not in guard_house.log()
    assert knock("stranger") == b"\x20\x02\x00\x05"
    assert guard_house.socket(connect_packet("nobody", "probe", secret="x")).recv(4) == b"\x20\x02\x00\x05"
    assert wait_until(lambda: "refused: user ''" in guard_house.log())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_within_two_seconds_with_clients_connected(guard_house: House, number: int) -> None:
    alice = guard_house.client(ALICE).up()
    guard_house.bridge()
    lazy = guard_house.socket(connect_packet(BRIDGE, f"{BRIDGE}:lazy") + packet(0x82, b"\x00\x01" + text("croody/v1/+/up/#") + b"\x01"))
    lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    guard_house.socket()
    for _ in range(60):
        alice.publish(ALICE_UP, b"x" * 100_000)
    start = time.monotonic()
    guard_house.process.send_signal(number)
    assert guard_house.process.wait(PATIENCE_S) == 0
    assert time.monotonic() - start < A_BUSY_SECOND_S
    assert "Traceback" not in guard_house.log()


def test_a_taken_address_is_one_clear_sentence(guard: House) -> None:
    files = ["--passwd", str(guard.folder / "passwd"), "--acl", str(guard.folder / "acl")]
    done = subprocess.run([PROGRAM, "--bind", f"127.0.0.1:{guard.port}", *files], capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert f"127.0.0.1:{guard.port}" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--passwd", "p", "--acl", "a"], "give --bind, --tls-bind or --websocket-bind"),
        (["--passwd", "p", "--acl", "a", "--bind", "1883"], "expected HOST:PORT"),
        (["--passwd", "p", "--acl", "a", "--tls-bind", "127.0.0.1:8883"], "--tls-bind needs --cert and --key"),
        (["--passwd", "p", "--acl", "a", "--bind", "127.0.0.1:1883", "--max-packet", "1000"], "up to 262144 bytes"),
    ],
)
def test_a_wrong_command_line_says_what_to_do(arguments: list[str], said: str) -> None:
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2
    assert said in done.stderr


def test_an_account_may_burst_for_two_seconds_and_then_keeps_to_its_rate() -> None:
    rates = Rates(2048)
    assert [rates.take("carlos", 1024, 10.0) for _ in range(2)] == [0, 0]
    assert rates.take("carlos", 0, 10.0) == pytest.approx(0.5)
    assert rates.take("alice", 1024, 10.0) == 0
    assert rates.take("carlos", 0, 11.0) == 0
    assert rates.take("carlos", 0, 11.0) == pytest.approx(0.5)
    assert rates.take("carlos", 3072, 100.0) == 0
