"""A WebSocket that is used as a socket: what is sent and received are MQTT's bytes. For one thread. Decides nothing about MQTT."""

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from threading import Event
from time import monotonic
from typing import Final

from websockets.client import ClientProtocol
from websockets.frames import Close, CloseCode, Frame, Opcode

from croody_edge.link.address import BrokerAddress
from croody_edge.link.websocket import NotHttp, ask, shown, take_answer
from croody_edge.texts import text

_CONNECT_S: Final = 5.0
#: How long the upgrade may take: a gateway whose broker does not answer says so after some seconds of its own.
_UPGRADE_S: Final = 10.0
#: Between two looks whether to stop, seconds.
_LOOK_S: Final = 0.2
_MAX_HEAD_BYTES: Final = 16 * 1024
_CHUNK_BYTES: Final = 64 * 1024
#: Most of a packet that one message takes: between two of them is room for the answer to a ping, and Mosquitto waits ten seconds for it.
_MESSAGE_BYTES: Final = 16 * 1024
#: While so much waits to be sent, pings go unanswered: a peer that only asks and never reads gets no memory for it.
_MAX_UNSENT_BYTES: Final = 64 * 1024


class Tunnel:
    """Made by `dig`. It does not block: `recv` and `send` raise BlockingIOError, or what TLS has in its place, as a socket does."""

    def __init__(self, sock: socket.socket, protocol: ClientProtocol) -> None:
        """Args: both are behind the upgrade; `protocol` may have frames already that came with the answer."""
        self.trouble = ""
        self._sock, self._protocol = sock, protocol
        self._ready, self._unsent = bytearray(), bytearray()
        self._ended = False
        sock.setblocking(False)
        self._take()

    def recv(self, buffer_size: int) -> bytes:
        """MQTT's bytes; none at the end, of which `trouble` may know more."""
        if not self._ready and not self._ended:
            came = self._sock.recv(_CHUNK_BYTES)
            self._protocol.receive_data(came)
            self._take()
            self._ended = self._ended or not came
        if not self._ready and not self._ended:
            raise BlockingIOError("frames that carry nothing, or only begin")
        data = bytes(self._ready[:buffer_size])
        del self._ready[:buffer_size]
        return data

    def send(self, buffer: bytes | bytearray) -> int:
        """Take some of it, unless what was taken before is still here: a frame cannot be taken back, so what is left of it waits here."""
        self.flush()
        if self._unsent or self._ended:
            raise BlockingIOError("the last message is not out yet, or the end is there and still to be read")
        taken = bytes(buffer[:_MESSAGE_BYTES])
        self._protocol.send_binary(taken)
        self._say()
        self.flush()
        return len(taken)

    def flush(self) -> None:
        """Send what was taken, as far as it goes now."""
        while self._unsent:
            try:
                sent = self._sock.send(self._unsent)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            del self._unsent[:sent]

    def pending(self) -> int:
        """Bytes that came and that no poll of the descriptor tells of; the end is one of them."""
        return len(self._ready) + self._ended + (self._sock.pending() if isinstance(self._sock, ssl.SSLSocket) else 0)

    def unsent(self) -> int:
        """Bytes that were taken and wait for room."""
        return len(self._unsent)

    def fileno(self) -> int:
        """What to poll."""
        return self._sock.fileno()

    def setblocking(self, flag: bool) -> None:
        """It never blocks, which is what paho asks for."""

    def close(self) -> None:
        """Without another word, but what was said and fits in goes."""
        with suppress(OSError):
            self.flush()
        self._sock.close()

    def _take(self) -> None:
        """What the protocol made of the bytes that came, and its answers."""
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                if event.opcode is Opcode.TEXT:
                    self._protocol.fail(CloseCode.UNSUPPORTED_DATA, "MQTT is sent in binary messages")
                    self.trouble = text("link.text_message")
                    break
                if event.opcode in (Opcode.BINARY, Opcode.CONT):
                    self._ready += event.data
        if self._protocol.parser_exc is not None:
            self.trouble = self.trouble or text("link.not_websocket", error=shown(str(self._protocol.parser_exc)))
        elif self._protocol.close_rcvd is not None:
            self.trouble = self.trouble or _goodbye(self._protocol.close_rcvd)
        self._ended = bool(self.trouble)
        self._say()

    def _say(self) -> None:
        """Take what the protocol has to send."""
        for frame in self._protocol.data_to_send():
            if len(self._unsent) < _MAX_UNSENT_BYTES:
                self._unsent += frame


def dig(broker: BrokerAddress, tls: ssl.SSLContext | None, stop: Event, *, reach: Callable[[], socket.socket] | None = None) -> Tunnel:
    """Open one.

    Args:
        broker: one with a path.
        tls: whom to trust, where the address asks for TLS.
        stop: ends the wait for the answer.
        reach: makes the connection, where it is not straight.

    Raises:
        OSError: there is no way, or it was not let through; `Refused` and `NotHttp` of `websocket` are among them.
    """
    sock = reach() if reach is not None else socket.create_connection((broker.host, broker.port), _CONNECT_S)
    try:
        # A publish waits for no acknowledgement of the one before.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if broker.tls and tls is not None:
            sock = tls.wrap_socket(sock, server_hostname=broker.host)
        protocol = ask(broker)
        sock.sendall(b"".join(protocol.data_to_send()))
        take_answer(protocol, _answer(sock, stop))
        return Tunnel(sock, protocol)
    except BaseException:
        sock.close()
        raise


def _answer(sock: socket.socket, stop: Event) -> bytes:
    """Head of the answer, and what came right behind it."""
    came = b""
    until = monotonic() + _UPGRADE_S
    sock.settimeout(_LOOK_S)
    while b"\r\n\r\n" not in came:
        if not b"HTTP/1.".startswith(came[:7]) or len(came) > _MAX_HEAD_BYTES:
            raise NotHttp(text("link.not_http"))
        if stop.is_set():
            raise InterruptedError("told to stop")
        if monotonic() > until:
            raise TimeoutError(text("link.slow_upgrade", seconds=_UPGRADE_S))
        try:
            data = sock.recv(_CHUNK_BYTES)
        except TimeoutError:
            continue
        came += data
        if not data:
            raise NotHttp(text("link.closed_early"))
    return came


def _goodbye(close: Close) -> str:
    """What a close frame says, for people."""
    code = text("link.no_reason") if close.code == CloseCode.NO_STATUS_RCVD else str(int(close.code))
    return text("link.goodbye", code=code, reason=shown(close.reason)).rstrip()
