"""MQTT over WebSocket: the same accounts and rules as over TCP, and the guard's limits where WebSocket has seams of its own."""

import contextlib
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus, NegotiationError
from websockets.sync.client import ClientConnection, connect

from croody_broker.settings import Settings
from tests.broker.house import (
    ALICE,
    BOB,
    CARLOS,
    ENGINES,
    Client,
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
from tests.patience import PATIENCE_S

ALICE_UP = f"croody/v1/{ALICE}/up/telemetry"
ALICE_DOWN = f"croody/v1/{ALICE}/down/ack"
IN = packet(0x20, b"\0\0")
KIB = 1024
#: Sooner than somebody is closed who says nothing, whatever else the machine does.
SOONER_S = 0.8 * Settings.connect_timeout_s


class Doors:
    """A house whose robots may also come by WebSocket."""

    def __init__(self, house: House, port: int) -> None:
        self.house = house
        self.port = port

    def client(self, user: str, **options: object) -> Client:
        """A paho client over WebSocket."""
        made = _OverWebSocket(self.port, user, **options)
        self.house.clients.append(made)
        return made

    @contextlib.contextmanager
    def websocket(self, **options: object) -> Iterator[ClientConnection]:
        """A WebSocket by hand, with MQTT's subprotocol unless told otherwise."""
        options = {
            "subprotocols": ["mqtt"],
            "compression": None,
            "open_timeout": PATIENCE_S,
            "close_timeout": 0.1,
            "max_size": None,
        } | options
        with connect(f"ws://127.0.0.1:{self.port}/mqtt", **options) as made:  # type: ignore[arg-type]
            yield made

    def socket(self, data: bytes) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self.port), PATIENCE_S)
        self.house.sockets.append(made)
        made.sendall(data)
        return made


class _OverWebSocket(Client):
    def before_connect(self) -> None:
        self.paho._transport = "websockets"
        self.paho.ws_set_options(path="/mqtt")

    def cut(self) -> None:
        wrapper = self.paho.socket()
        assert wrapper is not None
        wrapper._socket.shutdown(socket.SHUT_RDWR)
        assert self.gone.wait(PATIENCE_S)


@contextlib.contextmanager
def doors_of(engine: str, folder: Path, *more: str) -> Iterator[Doors]:
    *ports, websocket_port = free_ports(3 if engine == "mosquitto" else 2)
    host = "127.0.0.1" if engine == "amqtt" else "0.0.0.0"
    with running(engine, folder, ports, f"--websocket-bind={host}:{websocket_port}", *more) as house:
        doors = Doors(house, websocket_port)
        assert wait_until(lambda: _listens(websocket_port)), house.log()
        yield doors


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@pytest.fixture(scope="module", params=ENGINES)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    with doors_of(request.param, tmp_path_factory.mktemp(request.param)) as doors:
        yield doors


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    with doors_of("amqtt", tmp_path_factory.mktemp("guarded")) as doors:
        yield doors


@pytest.fixture(autouse=True)
def _nobody_stays(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    for name in {"both", "guarded"} & set(request.fixturenames):
        request.getfixturevalue(name).house.sweep()


# -- the same house, by another door -----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 250 * KIB])
def test_what_a_robot_sends_over_websocket_reaches_the_bridge_byte_for_byte(both: Doors, size: int) -> None:
    bridge = both.house.bridge()
    payload = bytes(number % 251 for number in range(size))

    both.client(ALICE).up().publish(ALICE_UP, payload)

    assert bridge.next() == (ALICE_UP, payload)


def test_what_the_bridge_answers_reaches_the_robot_over_websocket(both: Doors) -> None:
    bridge = both.house.bridge()
    robot = both.client(ALICE).up()
    assert robot.subscribe(f"croody/v1/{ALICE}/down/#") == [1]
    payload = bytes(20 * KIB)

    bridge.publish(ALICE_DOWN, payload)

    assert robot.next() == (ALICE_DOWN, payload)


def test_a_wrong_secret_is_refused_over_websocket(both: Doors) -> None:
    assert both.client(ALICE, secret="wrong").refused()


def test_a_robot_may_not_speak_or_listen_in_anothers_name_over_websocket(both: Doors) -> None:
    bridge = both.house.bridge()
    robot, attacker = both.client(ALICE).up(), both.client(CARLOS).up()
    for each in (robot, attacker):
        each.subscribe(f"croody/v1/{ALICE}/down/#")

    attacker.publish(ALICE_UP, b"forged")
    robot.publish(ALICE_UP, b"mine")
    bridge.publish(ALICE_DOWN, b"for Alice")

    assert bridge.next() == (ALICE_UP, b"mine")
    assert robot.next() == (ALICE_DOWN, b"for Alice")
    assert bridge.drain() == attacker.drain() == []


def test_a_robot_that_comes_by_the_other_door_ends_its_older_connection(both: Doors) -> None:
    old = both.house.client(ALICE).up()
    new = both.client(ALICE).up()
    assert old.gone.wait(5)
    assert not new.gone.is_set()


def test_a_robot_that_is_removed_is_out_over_websocket_too(tmp_path: Path) -> None:
    with doors_of("amqtt", tmp_path) as doors:
        robot = doors.client(BOB).up()
        doors.house.write_files([ALICE, CARLOS])
        assert robot.gone.wait(3)
        assert doors.client(BOB).refused()


def test_packets_may_begin_and_end_anywhere_in_the_messages(both: Doors) -> None:
    bridge = both.house.bridge()
    stream = connect_packet(ALICE) + publish_packet(ALICE_UP, b"one") + publish_packet(ALICE_UP, b"two", packet_id=2)
    with both.websocket() as websocket:
        for each in stream:
            websocket.send(bytes([each]))
        assert bridge.next() == (ALICE_UP, b"one")
        assert bridge.next() == (ALICE_UP, b"two")


def test_a_message_may_come_in_fragments(guarded: Doors) -> None:
    # Mosquitto takes no fragments; MQTT leaves where a packet is cut to WebSocket, so the guard takes them.
    bridge = guarded.house.bridge()
    stream = connect_packet(ALICE) + publish_packet(ALICE_UP, b"in pieces")
    with guarded.websocket() as websocket:
        websocket.send([stream[:5], stream[5:40], stream[40:]])
        assert bridge.next() == (ALICE_UP, b"in pieces")


# -- handshakes --------------------------------------------------------------------------------------------------------


def test_a_browser_that_does_not_ask_for_mqtt_is_told_so(guarded: Doors) -> None:
    with pytest.raises(InvalidStatus) as refused, guarded.websocket(subprotocols=None):
        pass
    assert refused.value.response.status_code == 400
    assert b"missing subprotocol" in refused.value.response.body


def test_another_subprotocol_is_refused(guarded: Doors) -> None:
    with pytest.raises((InvalidStatus, NegotiationError)), guarded.websocket(subprotocols=["soap"]):
        pass


def test_a_plain_request_is_answered_with_upgrade_required(guarded: Doors) -> None:
    sock = guarded.socket(b"GET /mqtt HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert sock.recv(65536).startswith(b"HTTP/1.1 426 ")
    assert closed_within(sock, SOONER_S)


@pytest.mark.parametrize(
    "rubbish",
    [connect_packet(ALICE) + b"\n", b"POST / HTTP/1.1\r\n\r\n", bytes(20_000), b"GET " + b"x" * 20_000],
    ids=["MQTT without WebSocket", "POST", "zeros", "a long line"],
)
def test_what_is_no_handshake_is_closed_at_once(guarded: Doors, rubbish: bytes) -> None:
    assert closed_within(guarded.socket(rubbish), SOONER_S)


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET /mqtt HTTP/1.1\r\nHost: localhost\r\n"],
    ids=["nothing", "half a handshake"],
)
def test_whoever_does_not_finish_the_handshake_is_closed_in_time(tmp_path: Path, sent: bytes) -> None:
    with doors_of("amqtt", tmp_path, "--connect-timeout=1") as doors:
        assert closed_within(doors.socket(sent), SOONER_S)


def test_whoever_opens_a_websocket_and_only_pings_is_closed_in_time(tmp_path: Path) -> None:
    with doors_of("amqtt", tmp_path, "--connect-timeout=1") as doors, doors.websocket() as websocket:
        assert websocket.ping().wait(PATIENCE_S), "a ping before CONNECT is answered"
        with pytest.raises(ConnectionClosed):
            websocket.recv(timeout=SOONER_S)


# -- what only WebSocket has -------------------------------------------------------------------------------------------


def test_a_text_message_ends_the_connection(guarded: Doors) -> None:
    with guarded.websocket() as websocket:
        websocket.send("no MQTT")
        with pytest.raises(ConnectionClosed) as closed:
            websocket.recv(timeout=SOONER_S)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1003


def test_a_frame_without_a_mask_ends_the_connection(guarded: Doors) -> None:
    with guarded.websocket() as websocket:
        websocket.socket.sendall(b"\x82\x02\xc0\x00")
        with pytest.raises(ConnectionClosed):
            websocket.recv(timeout=SOONER_S)


def test_a_frame_that_announces_too_much_ends_the_connection_before_it_is_held(guarded: Doors) -> None:
    with guarded.websocket() as websocket:
        websocket.socket.sendall(b"\x82\xff" + struct.pack("!Q", 1 << 40) + b"\0\0\0\0")
        with pytest.raises(ConnectionClosed) as closed:
            websocket.recv(timeout=SOONER_S)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


def test_strangers_cannot_make_the_broker_hold_much(guarded: Doors) -> None:
    """Sixty that were never let in announce messages as large as allowed, and send them: most of it waits in the kernel."""
    before = guarded.house.rss_bytes()
    announced = 500 * KIB
    with contextlib.ExitStack() as stack:
        for _ in range(60):
            websocket = stack.enter_context(guarded.websocket())
            websocket.socket.settimeout(0.1)
            with contextlib.suppress(TimeoutError):
                websocket.socket.sendall(b"\x82\xff" + struct.pack("!Q", announced) + bytes(announced))
        held = guarded.house.rss_bytes() - before
    assert held < 60 * announced / 2
    guarded.client(ALICE).up()


def test_pings_do_not_stand_for_mqtts_own(guarded: Doors) -> None:
    with guarded.websocket() as websocket:
        websocket.send(connect_packet(ALICE, keepalive=1))
        assert websocket.recv(timeout=PATIENCE_S) == IN

        def closed() -> bool:
            try:
                websocket.ping()
                websocket.recv(timeout=0.1)
            except TimeoutError:
                return False
            except ConnectionClosed:
                return True
            return False

        assert wait_until(closed)


def test_goodbye_is_said_with_a_close_frame(guarded: Doors) -> None:
    with guarded.websocket() as websocket:
        websocket.send(connect_packet(ALICE, secret="wrong"))
        assert websocket.recv(timeout=PATIENCE_S) == packet(0x20, b"\0\x05")
        with pytest.raises(ConnectionClosed) as closed:
            websocket.recv(timeout=PATIENCE_S)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1000


def test_a_last_will_is_sent_when_a_websocket_breaks_and_not_after_a_disconnect(both: Doors) -> None:
    bridge = both.house.bridge()
    will = (f"croody/v1/{ALICE}/up/status", b"gone", 1, False)
    both.client(ALICE, will=will).up().cut()
    assert bridge.next() == (will[0], b"gone")
    both.client(ALICE, will=will).up().close()
    both.client(ALICE).up().publish(ALICE_UP, b"back")
    assert bridge.next() == (ALICE_UP, b"back")


def test_a_client_that_reads_nothing_is_dropped_over_websocket(tmp_path: Path) -> None:
    with doors_of("amqtt", tmp_path, f"--max-backlog={KIB * KIB}") as doors, doors.websocket() as websocket:
        bridge = doors.house.client("bridge", "bridge:flood").up()
        websocket.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        websocket.send(connect_packet(ALICE))
        assert websocket.recv(timeout=PATIENCE_S) == IN
        websocket.send(packet(0x82, b"\0\1" + text(f"croody/v1/{ALICE}/down/#") + b"\1"))
        assert websocket.recv(timeout=PATIENCE_S) == packet(0x90, b"\0\1\1")
        for _ in range(400):
            bridge.publish(ALICE_DOWN, bytes(200 * KIB), qos=0)
            if "too slow" in doors.house.log():
                break
        assert wait_until(lambda: "too slow" in doors.house.log())


@contextlib.contextmanager
def deaf_robot(doors: Doors, keepalive: int = 0) -> Iterator[socket.socket]:
    """Alice, let in over a WebSocket of which nothing is read from then on."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(PATIENCE_S)
        sock.connect(("127.0.0.1", doors.port))
        sock.sendall(
            b"GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
        )
        sock.sendall(masked(0x82, connect_packet(ALICE, keepalive=keepalive)))
        came = b""
        while IN not in came:
            came += sock.recv(4096)
        yield sock


def masked(first: int, payload: bytes) -> bytes:
    """A client's frame of up to 64 KiB; its mask changes nothing."""
    size = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2, "big")
    return bytes([first]) + size + bytes(4) + payload


def test_who_pings_without_end_and_reads_nothing_gets_no_memory_for_it(guarded: Doors) -> None:
    before = guarded.house.rss_bytes()
    pings = masked(0x89, bytes(125)) * 1000
    with deaf_robot(guarded) as sock:
        for _ in range(200):  # 26 MB
            sock.sendall(pings)
        held = guarded.house.rss_bytes() - before
    assert held < 8 * KIB * KIB


def test_who_says_goodbye_and_reads_nothing_is_gone_all_the_same(guarded: Doors) -> None:
    bridge = guarded.house.client("bridge", "bridge:flood").up()
    with deaf_robot(guarded) as sock:
        sock.sendall(masked(0x82, packet(0x82, b"\0\1" + text(f"croody/v1/{ALICE}/down/#") + b"\0")))
        for _ in range(40):  # less than would have it dropped, more than the kernel takes
            bridge.publish(ALICE_DOWN, bytes(250 * KIB), qos=0)
        sock.sendall(masked(0x88, b"\x03\xe8"))
        assert wait_until(lambda: f"{ALICE}: gone" in guarded.house.log().rpartition(f"{ALICE}: connected")[2])


def test_the_broker_says_which_door_is_for_websockets_and_refuses_a_wrong_address(guarded: Doors) -> None:
    assert f"listening on 127.0.0.1:{guarded.port} (WebSocket)" in guarded.house.log()
    assert secret_of(ALICE) not in guarded.house.log()
