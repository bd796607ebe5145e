"""The bridge's MQTT client: every message once, in order, however the bytes are cut; and paho's own names that it leans on."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion

from croody.bridge.client import Buffered, Client
from tests.patience import PATIENCE_S

Sent = tuple[str, bytes, int, bool]


def packet(topic: str | bytes, payload: bytes, mid: int = 0, *, dup: bool = False, qos: int | None = None) -> bytes:
    name = topic.encode() if isinstance(topic, str) else topic
    qos = (1 if mid else 0) if qos is None else qos
    body = struct.pack("!H", len(name)) + name + (struct.pack("!H", mid) if qos else b"") + payload
    size, length = len(body), b""
    while True:
        length += bytes(((size & 0x7F) | (0x80 if size > 0x7F else 0),))
        size >>= 7
        if not size:
            return bytes((0x30 | qos << 1 | (8 if dup else 0),)) + length + body


class Broker:
    """One connection of MQTT 3.1.1 that lets everybody in; `send` gives bytes to the client, `read` takes what it sent after that."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]

    def accept(self) -> socket.socket:
        connection, _ = self._server.accept()
        connection.settimeout(PATIENCE_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.recv(1000)
        connection.sendall(b"\x20\x02\x00\x00")
        return connection

    def close(self) -> None:
        self._server.close()


@pytest.fixture
def broker() -> Iterator[Broker]:
    made = Broker()
    yield made
    made.close()


@pytest.fixture
def connect(broker: Broker) -> Iterator[Callable[..., tuple[Client, socket.socket, list[Sent]]]]:
    made: list[Any] = []

    def run(*, manual: bool = False, keepalive: int = 60) -> tuple[Client, socket.socket, list[Sent]]:
        client = Client(CallbackAPIVersion.VERSION2, "bridge", protocol=mqtt.MQTTv311, manual_ack=manual)
        came: list[Sent] = []
        client.on_messages = lambda some: came.extend((one.topic, bytes(one.payload), one.mid, one.dup) for one in some)
        client.on_message = lambda _client, _data, message: client.on_messages([message])
        joined = threading.Event()
        client.on_connect = lambda *_: joined.set()
        client.connect_async("127.0.0.1", broker.port, keepalive)
        client.loop_start()
        connection = broker.accept()
        made.extend((client, connection))
        assert joined.wait(PATIENCE_S)
        return client, connection, came

    yield run
    for one in made:
        if isinstance(one, Client):
            one.loop_stop()
        else:
            one.close()


def pubacks(connection: socket.socket, count: int) -> list[int]:
    data = b""
    while len(data) < 4 * count:
        data += connection.recv(4 * count - len(data))
    assert all(data[at : at + 2] == b"\x40\x02" for at in range(0, len(data), 4))
    return [int.from_bytes(data[at + 2 : at + 4], "big") for at in range(0, len(data), 4)]


@pytest.mark.parametrize("piece", [1, 7, 1000, 70_000])
def test_every_message_comes_once_in_order_and_is_acknowledged_however_the_bytes_are_cut(connect, until, piece):
    _, connection, came = connect()
    sizes = [0, 1, 100, 127, 128, 240, 16_383, 16_384, 200_000] if piece > 100 else [0, 1, 100, 127, 128, 240]
    messages = [(f"croody/v1/rover-{n}/up/ñ", bytes([n]) * size, n + 1, n % 2 == 1) for n, size in enumerate(sizes * 3)]
    data = b"".join(packet(topic, payload, mid, dup=dup) for topic, payload, mid, dup in messages)
    for at in range(0, len(data), piece):
        connection.sendall(data[at : at + piece])
    assert pubacks(connection, len(messages)) == [mid for _, _, mid, _ in messages]
    assert came == messages


def test_what_is_no_publish_between_publishes_is_answered_by_paho_in_its_turn(connect, until):
    client, connection, came = connect()
    subscribed = threading.Event()
    client.on_subscribe = lambda *_: subscribed.set()
    _, mid = client.subscribe("croody/#", qos=1)
    assert connection.recv(1000)[0] == 0x82
    suback = b"\x90\x03" + struct.pack("!H", mid or 0) + b"\x01"
    connection.sendall(packet("a/b", b"one") + suback + packet("a/b", b"two", 7) + b"\xd0\x00" + packet("a/b", b"three"))
    until(lambda: [payload for _, payload, _, _ in came] == [b"one", b"two", b"three"])
    assert subscribed.is_set()
    assert pubacks(connection, 1) == [7]


def test_by_hand_nothing_is_acknowledged_until_it_is_and_then_all_at_once(connect, until):
    client, connection, came = connect(manual=True)
    connection.sendall(b"".join(packet("a/b", b"x", mid) for mid in range(1, 501)))
    until(lambda: len(came) == 500)
    connection.settimeout(0.3)
    with pytest.raises(TimeoutError):
        connection.recv(1)
    connection.settimeout(PATIENCE_S)
    client.ack_all([])
    client.ack_all([mid for _, _, mid, _ in came][:400])
    assert pubacks(connection, 400) == list(range(1, 401))


def test_a_connection_that_closes_is_noticed_and_a_broken_packet_ends_it(connect, broker, until):
    client, connection, came = connect()
    lost = threading.Event()
    client.on_disconnect = lambda *_: lost.set()
    connection.sendall(packet("a/b", b"last"))
    connection.close()
    assert lost.wait(PATIENCE_S)
    assert [payload for _, payload, _, _ in came] == [b"last"]
    lost.clear()
    again = broker.accept()
    again.sendall(packet("a/b", b"good") + b"\x32\x03\x00\xff\x00" + packet("a/b", b"never"))
    assert lost.wait(PATIENCE_S)
    again.close()
    assert [payload for _, payload, _, _ in came] == [b"last", b"good"]


def test_while_there_is_no_room_nothing_is_read_and_what_is_to_be_sent_is(connect, until):
    client, connection, came = connect(manual=True)
    room = threading.Event()
    client.has_room = lambda: room.wait(0.02)
    connection.sendall(packet("a/b", b"one", 1))
    time.sleep(0.2)
    assert came == []
    client.ack_all([7])
    assert pubacks(connection, 1) == [7]
    room.set()
    until(lambda: [payload for _, payload, _, _ in came] == [b"one"])


def test_a_connection_that_brings_messages_is_alive_though_no_ping_is_answered(connect, broker, until):
    client, connection, _came = connect(keepalive=1)
    lost = threading.Event()
    client.on_disconnect = lambda *_: lost.set()
    for turn in range(25):
        connection.sendall(packet("a/b", b"%d" % turn))
        time.sleep(0.1)
    assert not lost.is_set()
    assert lost.wait(PATIENCE_S)


class Pieces:
    """A socket that gives these pieces, and then has nothing."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    def recv(self, most: int) -> bytes:
        if not self._pieces:
            raise BlockingIOError
        return self._pieces.pop(0)[:most]


@given(st.binary(max_size=200))
def test_whatever_comes_nothing_is_taken_that_is_not_there(data: bytes):
    buffered = Buffered(Pieces([data] if data else []))
    if data:
        buffered.fill()
    taken = b"".join(packet(came._topic, came.payload, came.mid, dup=came.dup, qos=came.qos) for came in buffered.publishes())
    rest = b""
    while buffered.pending():
        rest += buffered.recv(3)
    assert data.endswith(rest)
    # A length may be spelled in more bytes than it needs, and a QoS 0 packet may say DUP: then they differ in that alone.
    assert len(taken) <= len(data) - len(rest)


@given(st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=300), st.integers(0, 65535), st.booleans()), max_size=8))
def test_what_was_packed_is_what_is_taken(messages: list[Sent]):
    data = b"".join(packet(topic, payload, mid, dup=dup and mid > 0) for topic, payload, mid, dup in messages)
    buffered = Buffered(Pieces([data]))
    buffered.fill()
    found = [(came.topic, came.payload, came.mid, came.dup) for came in buffered.publishes()]
    assert found == [(topic, payload, mid, dup and mid > 0) for topic, payload, mid, dup in messages]
    assert not buffered.pending()


@pytest.mark.parametrize("flags", [0x34, 0x36, 0x3C], ids=["QoS 2", "QoS 3", "QoS 2 again"])
def test_what_is_not_ours_to_read_is_left_to_paho(flags: int):
    buffered = Buffered(Pieces([bytes([flags]) + packet("a/b", b"x", 1)[1:]]))
    buffered.fill()
    assert list(buffered.publishes()) == []
    assert buffered.pending()


def test_the_names_of_paho_that_the_client_leans_on_are_there():
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
    assert client._in_packet["command"] == 0
    assert client._sock is None
    assert client._manual_ack is False
    assert client._userdata is None
    assert client._ping_t == 0
    assert client._last_bytes_received >= 0
    assert client._msgtime_mutex.acquire(blocking=False)
    for name in ("_create_socket", "_packet_queue", "_send_pingreq", "loop_read"):
        assert callable(getattr(client, name)), name
