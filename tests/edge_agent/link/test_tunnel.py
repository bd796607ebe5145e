"""A WebSocket that is used as a socket, at the places where bytes are lost or a wait has no end; and paho's own at one of them."""

import os
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from queue import Queue
from threading import Event
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from croody_edge.link.tunnel import Tunnel, dig
from croody_edge.link.websocket import NotHttp, Refused
from tests.edge_agent.link.gateways import Gateway, Peer, Talk, read_head, refusal
from tests.patience import A_BUSY_SECOND_S, PATIENCE_S

#: Sooner than an answer is given up that does not come: ten seconds.
SOONER_S = 8.0

Open = Callable[..., Tunnel]


@pytest.fixture
def tunnel() -> Iterator[Open]:
    """A function that opens a tunnel to a peer that does as it is told."""
    with ExitStack() as undo:

        def make(talk: Callable[[Peer, socket.socket], None], context: ssl.SSLContext | None = None, **more: Any) -> Tunnel:
            gateway = undo.enter_context(Gateway(lambda end: talk(Peer(end), end), **more))
            made = dig(gateway.address, context, Event())
            undo.callback(made.close)
            return made

        yield make


def received(tunnel: Tunnel, size: int, within_s: float = 10.0, at_once: int = 1 << 20) -> bytes:
    """So many bytes, read as `connection` reads them: poll is asked only when nothing is pending."""
    came = b""
    poller = select.poll()
    poller.register(tunnel.fileno(), select.POLLIN)
    until = time.monotonic() + within_s
    while len(came) < size and time.monotonic() < until:
        if tunnel.pending() or poller.poll(100):
            with suppress(BlockingIOError, ssl.SSLWantReadError):
                data = tunnel.recv(min(at_once, size - len(came)))
                if not data:
                    break
                came += data
            tunnel.flush()
    return came


def send_all(tunnel: Tunnel, data: bytes, within_s: float = 10.0) -> int:
    """As paho sends: what was taken goes off the front. Returns how often it had to wait."""
    poller = select.poll()
    poller.register(tunnel.fileno(), select.POLLOUT)
    waits = 0
    until = time.monotonic() + within_s
    while (data or tunnel.unsent()) and time.monotonic() < until:
        try:
            tunnel.flush()
            data = data[tunnel.send(data) :] if data else data
        except BlockingIOError:
            waits += 1
            poller.poll(100)
    return waits


def narrow(tunnel: Tunnel) -> None:
    tunnel._sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)


def test_what_the_system_takes_only_in_part_arrives_whole_and_in_order(tunnel: Open) -> None:
    data, came, read_on = os.urandom(300_000), Queue[bytes](), Event()

    def slow(peer: Peer, _end: socket.socket) -> None:
        read_on.wait(10)
        came.put(peer.data(len(data)))

    one = tunnel(slow, receive_buffer=4096)
    narrow(one)
    threading.Timer(0.3, read_on.set).start()
    assert send_all(one, data) > 0, "it has to have been too much at once"
    assert came.get(timeout=PATIENCE_S) == data


def test_a_ping_is_answered_with_a_mask_and_not_in_the_middle_of_a_message(tunnel: Open) -> None:
    data, came = os.urandom(300_000), Queue[list[Any]]()

    def ask(peer: Peer, _end: socket.socket) -> None:
        peer.protocol.send_ping(b"are you there?")
        peer.flush()
        time.sleep(0.3)
        frames, size = [], 0
        while size < len(data) or not any(frame.opcode is Opcode.PONG for frame in frames):
            frames.append(peer.next())
            size += len(frames[-1].data) if frames[-1].opcode is Opcode.BINARY else 0
        came.put(frames)

    one = tunnel(ask, receive_buffer=4096)
    narrow(one)
    sender = memoryview(data)
    until = time.monotonic() + 10
    while (sender or one.unsent()) and time.monotonic() < until:
        with suppress(BlockingIOError):
            one.flush()
            sender = sender[one.send(bytes(sender)) :] if sender else sender
        with suppress(BlockingIOError):
            one.recv(1)
    # The peer refuses a frame without a mask, and what begins inside another is none.
    frames = came.get(timeout=PATIENCE_S)
    assert b"".join(bytes(frame.data) for frame in frames if frame.opcode is Opcode.BINARY) == data
    assert [bytes(frame.data) for frame in frames if frame.opcode is Opcode.PONG] == [b"are you there?"]


def test_what_comes_a_byte_at_a_time_or_all_at_once_is_read_without_asking_the_system_twice(tunnel: Open) -> None:
    def both(peer: Peer, end: socket.socket) -> None:
        for payload in (b"one", b"two"):
            peer.protocol.send_binary(payload)
            for byte in b"".join(peer.protocol.data_to_send()):
                end.sendall(bytes([byte]))
                time.sleep(0.005)
        for number in range(1000):
            peer.protocol.send_binary(number.to_bytes(2, "big"))
        end.sendall(b"".join(peer.protocol.data_to_send()))
        peer.next()

    one = tunnel(both)
    assert received(one, 6) == b"onetwo"
    assert received(one, 2000, at_once=3) == b"".join(number.to_bytes(2, "big") for number in range(1000))
    with pytest.raises(BlockingIOError):
        one.recv(1)
    assert one.pending() == 0


def test_over_tls_nothing_stays_behind_in_it(tunnel: Open, certificate: tuple[Path, Path]) -> None:
    data = os.urandom(200_000)

    def echo(peer: Peer, _end: socket.socket) -> None:
        peer.protocol.send_binary(peer.data(len(data)))
        peer.flush()
        peer.next()

    one = tunnel(echo, ssl.create_default_context(cafile=certificate[0]), certificate=certificate)
    send_all(one, data)
    began = time.monotonic()
    assert received(one, len(data)) == data
    assert time.monotonic() - began < A_BUSY_SECOND_S


@pytest.mark.parametrize(
    ("last", "payload", "why"),
    [
        (b"last", b"\x03\xf1too big", "1009 too big"),
        (b"", b"\x03\xe9a\nline \x1b[0m", "1001 a?line ?[0m"),
        (b"", b"", "without a reason"),
    ],
)
def test_why_a_server_closed_is_known_and_what_it_said_before_is_read(tunnel: Open, last: bytes, payload: bytes, why: str) -> None:
    came = Queue[bytes]()

    def hang_up(peer: Peer, end: socket.socket) -> None:
        end.sendall(Frame(Opcode.BINARY, last).serialize(mask=False) + Frame(Opcode.CLOSE, payload).serialize(mask=False))
        came.put(bytes(peer.next().data))

    one = tunnel(hang_up)
    assert received(one, 100) == last
    assert one.trouble == f"the WebSocket was closed: {why}"
    assert one.recv(1) == b""
    one.close()
    assert came.get(timeout=PATIENCE_S) == payload, "and it is answered"


def test_an_end_without_a_word_is_one_that_a_poll_need_not_tell_of(tunnel: Open) -> None:
    one = tunnel(lambda _peer, end: end.sendall(Frame(Opcode.BINARY, b"last").serialize(mask=False)))
    assert received(one, 100) == b"last"
    assert (one.recv(1), one.trouble, one.pending()) == (b"", "", 1)


@pytest.mark.parametrize(
    ("sent", "why", "code"),
    [
        (b"\x81\x02no", "what came is no MQTT: a message of text", 1003),
        (b"\x81\x02no\x82\x02no\x88\x02\x03\xe8", "what came is no MQTT: a message of text", 1000),
        (b"\xc2\x02no", "what came is no WebSocket: reserved bits must be 0", 1002),
        (b"\x82\x7f" + (1 << 40).to_bytes(8, "big"), "what came is no WebSocket: frame with 1099511627776 bytes exceeds limit", 1009),
    ],
)
def test_what_must_not_come_is_an_end_also_when_the_server_leaves_the_line_open(tunnel: Open, sent: bytes, why: str, code: int) -> None:
    told = Queue[bytes]()

    def linger(peer: Peer, end: socket.socket) -> None:
        end.sendall(b"\x82\x04last" + sent)
        told.put(bytes(peer.next().data))
        peer.next()

    one = tunnel(linger)
    assert received(one, 100) == b"last"
    assert one.trouble.startswith(why)
    assert one.pending(), "whoever polls has to look again"
    with pytest.raises(BlockingIOError):
        one.send(b"more")
    one.close()
    assert told.get(timeout=PATIENCE_S)[:2] == code.to_bytes(2, "big"), "and the server is told"


def test_what_comes_right_behind_the_answer_and_in_parts_is_read(tunnel: Open) -> None:
    def at_once(end: socket.socket) -> None:
        server = ServerProtocol(subprotocols=[Subprotocol("mqtt")])
        server.receive_data(read_head(end))
        (request,) = server.events_received()
        assert isinstance(request, Request)
        server.send_response(server.accept(request))
        server.send_binary(b"one", fin=False)
        server.send_continuation(b"two", fin=True)
        end.sendall(b"".join(server.data_to_send()))
        end.recv(1)

    with Gateway(at_once) as gateway, closing(dig(gateway.address, None, Event())) as one:
        assert one.pending() == 6, "no poll would tell of it"
        assert one.recv(100) == b"onetwo"


def test_a_server_that_only_asks_and_never_reads_costs_no_memory(tunnel: Open) -> None:
    asked = Event()

    def flood(_peer: Peer, end: socket.socket) -> None:
        with suppress(TimeoutError):
            end.settimeout(2)
            for _ in range(2000):
                end.sendall((b"\x89\x7d" + b"?" * 125) * 50)
        asked.set()
        time.sleep(0.5)

    one = tunnel(flood, receive_buffer=4096)
    narrow(one)
    most = 0
    while not asked.is_set():
        with suppress(BlockingIOError, ConnectionError):
            one.recv(1)
        most = max(most, one.unsent())
    assert 0 < most < 100_000


def test_a_refusal_and_another_protocol_are_told_apart_and_leave_nothing_open() -> None:
    with Gateway(refusal("404 Not Found")) as gateway, pytest.raises(Refused, match="404 Not Found"):
        dig(gateway.address, None, Event())
    for word in (b"", b"\x15\x03\x03\x00\x02\x02\x0a", b"SSH-2.0-x\r\n", b"HTTP/1.1 101 S\r\n"):

        def talk(end: socket.socket, word: bytes = word) -> None:
            end.recv(1000)
            end.sendall(word)

        with Gateway(talk) as gateway, pytest.raises(NotHttp):
            dig(gateway.address, None, Event())


@pytest.mark.parametrize(
    "head",
    [
        "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 552",
        "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 5000000\r\nConnection: close",
        "HTTP/1.1 502 Bad Gateway\r\nTransfer-Encoding: chunked",
        "HTTP/1.1 502 Bad Gateway\r\nTransfer-Encoding: gzip, chunked",
        "HTTP/1.1 502 Bad Gateway",
        "HTTP/1.0 502 Bad Gateway\r\nConnection: close",
    ],
)
def test_a_refusal_is_told_at_once_and_not_after_its_page(head: str) -> None:
    def talk(end: socket.socket) -> None:
        read_head(end)
        end.sendall(f"{head}\r\n\r\n".encode() + b"8\r\n<html>")
        end.recv(1)

    with Gateway(talk) as gateway:
        began = time.monotonic()
        with pytest.raises(Refused, match=r"^refused: 502 Bad Gateway$"):
            dig(gateway.address, None, Event())
        assert time.monotonic() - began < SOONER_S


def dribble(end: socket.socket) -> None:
    """Answers so slowly that it never ends."""
    for byte in b"HTTP/1.1 101 Switching Protocols\r\n" * 1000:
        end.sendall(bytes([byte]))
        time.sleep(0.3)


def endless(end: socket.socket) -> None:
    """Answers at length."""
    end.sendall(b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 1_000_000)


def test_an_answer_without_an_end_is_not_read_to_it() -> None:
    with Gateway(endless) as gateway, pytest.raises(NotHttp):
        dig(gateway.address, None, Event())


@pytest.mark.parametrize("talk", [dribble, lambda _end: time.sleep(1)])
def test_whoever_is_told_to_stop_does_not_wait_for_an_answer(talk: Talk) -> None:
    stop = Event()
    with Gateway(talk) as gateway:
        threading.Timer(0.3, stop.set).start()
        began = time.monotonic()
        with pytest.raises(InterruptedError):
            dig(gateway.address, None, stop)
        assert time.monotonic() - began < SOONER_S


def test_pahos_own_websocket_forgets_what_the_system_takes_only_in_part() -> None:
    """Why there is another. If this fails, paho has mended it, and `websocket` and `tunnel` may go, once pings are tried too."""
    came, read_on = Queue[int](), Event()

    def slow(end: socket.socket) -> None:
        peer = Peer(end)
        peer.next()
        peer.protocol.send_binary(b"\x20\x02\x00\x00")
        peer.flush()
        read_on.wait(10)
        while True:
            came.put(len(peer.next().data))

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="x", transport="websockets", reconnect_on_failure=False)
    up = Event()
    client.on_connect = lambda *_: up.set()
    client.on_socket_open = lambda _client, _data, sock: sock._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    with Gateway(slow, receive_buffer=4096) as gateway:
        client.connect(gateway.address.host, gateway.address.port)
        client.loop_start()
        assert up.wait(PATIENCE_S)
        client.publish("t", b"x" * 300_000, 1)
        client.publish("t", b"and then", 1)
        time.sleep(0.3)
        read_on.set()
        time.sleep(1)
        assert came.empty(), "the rest of the first message never comes, though everybody reads and writes"
        assert not client.want_write(), "and paho thinks that it has sent everything"
    client.loop_stop()
    client._reset_sockets()
