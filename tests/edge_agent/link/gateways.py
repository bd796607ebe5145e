"""What may stand at the other end of a WebSocket: a gateway that says what it is told to, and a server's half of the protocol.

The protocol is the server's half of `websockets`, as in the broker; with Mosquitto's own the links are tried too.
"""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from croody_edge.link.address import BrokerAddress

Talk = Callable[[socket.socket], None]


def refusal(status: str, *headers: str) -> Talk:
    """Read a request and answer as nginx does."""

    def talk(end: socket.socket) -> None:
        read_head(end)
        page = b"<html><body>no</body></html>"
        head = (f"HTTP/1.1 {status}", "Server: nginx", f"Content-Length: {len(page)}", "Connection: close", *headers)
        end.sendall("\r\n".join((*head, "", "")).encode() + page)

    return talk


def read_head(end: socket.socket) -> bytes:
    came = b""
    while not came.endswith(b"\r\n\r\n") and (data := end.recv(65536)):
        came += data
    return came


class Gateway:
    """Does with each connection what it was told, and closes it; `visits` counts them."""

    def __init__(self, talk: Talk, *, certificate: tuple[Path, Path] | None = None, receive_buffer: int = 0, path: str = "/mqtt") -> None:
        self._talk = talk
        self._context: ssl.SSLContext | None = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*certificate)
        self._listener = socket.socket()
        if receive_buffer:
            # What is accepted inherits it; later it would not make the window smaller.
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self.address = BrokerAddress("127.0.0.1", self._listener.getsockname()[1], certificate is not None, path)
        self.visits = 0
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                end, _ = self._listener.accept()
            except OSError:
                return
            self.visits += 1
            self._open.append(end)
            self._threads.append(threading.Thread(target=self._serve, args=(end,)))
            self._threads[-1].start()

    def _serve(self, raw: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError):
            end = raw if self._context is None else self._context.wrap_socket(raw, server_side=True)
            self._open.append(end)
            end.settimeout(30)
            with end:
                self._talk(end)

    def __enter__(self) -> "Gateway":
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join()
        for end in self._open:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        for thread in self._threads[1:]:
            thread.join()


class Peer:
    """A server's end of one connection, after the upgrade."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self.protocol = ServerProtocol(subprotocols=[Subprotocol("mqtt")], max_size=None)
        self._frames: list[Frame] = []
        while not self._frames:
            self._read()
            if self.protocol.handshake_exc is not None:
                raise self.protocol.handshake_exc
            if self.protocol.state.name == "OPEN":
                return

    def _read(self) -> None:
        data = self._end.recv(65536)
        if not data:
            raise EOFError
        self.protocol.receive_data(data)
        for event in self.protocol.events_received():
            if isinstance(event, Request):
                self.protocol.send_response(self.protocol.accept(event))
            elif isinstance(event, Frame):
                self._frames.append(event)
        self.flush()

    def next(self) -> Frame:
        """The next frame of the client's.

        Raises:
            EOFError: there will be none.
        """
        while not self._frames:
            self._read()
            if self.protocol.parser_exc is not None:
                raise self.protocol.parser_exc
        return self._frames.pop(0)

    def data(self, size: int) -> bytes:
        """So many bytes of the client's messages; its pongs are passed over."""
        came = b""
        while len(came) < size:
            frame = self.next()
            if frame.opcode is Opcode.BINARY:
                came += bytes(frame.data)
        return came

    def flush(self) -> None:
        for data in self.protocol.data_to_send():
            if data:
                self._end.sendall(data)
