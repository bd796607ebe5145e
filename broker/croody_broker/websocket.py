"""MQTT over WebSocket (MQTT 3.1.1, section 6) as a plain stream of bytes, so that the guard sees one kind of connection.

`websockets` speaks the protocol, without sockets of its own; what is in here hands its bytes to and fro. A connection counts
as one from its first byte: whoever does not finish the handshake is a visitor without a CONNECT, and goes like one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

#: The only name that MQTT 3.1.1 gives its subprotocol.
MQTT: Final = Subprotocol("mqtt")
#: Bytes that are read from somebody to whom the broker has not said a word yet; what goes beyond waits in the kernel.
_MAX_UNANSWERED_BYTES: Final = 64 * 1024
_UNSUPPORTED_DATA: Final = 1003

Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def start_server(connected: Connected, host: str | None, port: int, *, max_message_bytes: int, backlog: int) -> asyncio.Server:
    """Listen; `connected` is called as `asyncio.start_server` would, with what stands inside the WebSocket messages.

    `max_message_bytes`: a larger message ends its connection with code 1009.

    Raises:
        OSError: the address cannot be bound.
    """
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: _Connection(connected, max_message_bytes), host, port, reuse_address=True, backlog=backlog)


class _Connection(asyncio.Protocol):
    """Between the socket and the reader and writer of the guard."""

    def __init__(self, connected: Connected, max_message_bytes: int) -> None:
        reader = asyncio.StreamReader()
        self._inner = asyncio.StreamReaderProtocol(reader, connected)
        self._websocket = ServerProtocol(subprotocols=[MQTT], max_size=max_message_bytes)
        self._unanswered = 0
        self._answered = False
        self._reader_is_full = False
        self._peer_is_slow = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._socket = transport
        self._inner.connection_made(_Inside(self, transport))

    def data_received(self, data: bytes) -> None:
        self._websocket.receive_data(data)
        for event in self._websocket.events_received():
            if isinstance(event, Request):
                self._websocket.send_response(self._websocket.accept(event))
            elif isinstance(event, Frame):
                if event.opcode is Opcode.TEXT:
                    self._websocket.fail(_UNSUPPORTED_DATA, "MQTT is sent in binary messages")
                    break
                if event.opcode in (Opcode.BINARY, Opcode.CONT):
                    self._inner.data_received(bytes(event.data))
        if self._peer_is_slow and self._websocket.state is State.OPEN:
            self._websocket.data_to_send()  # pongs, for somebody who does not read: they would wait here without end
        self._flush()
        self._unanswered += len(data)
        self._read_on()

    def _flush(self) -> None:
        self._socket.writelines(self._websocket.data_to_send())
        if self._websocket.close_expected():
            # The guard ends it within its own time, also when the peer reads nothing.
            self._inner.eof_received()
            self._socket.close()

    def eof_received(self) -> bool:
        return bool(self._inner.eof_received())

    def connection_lost(self, exc: Exception | None) -> None:
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self._peer_is_slow = True
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._peer_is_slow = False
        self._inner.resume_writing()

    # -- what the guard does with its end of it --------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """One message with these bytes; nothing when the connection is over."""
        if self._websocket.state is not State.OPEN:
            return
        self._answered = True
        self._websocket.send_binary(data)
        self._flush()
        self._read_on()

    def close(self) -> None:
        """Say goodbye, send what is left, and close."""
        if self._websocket.state is State.OPEN:
            self._websocket.send_close(1000)
        self._socket.writelines(self._websocket.data_to_send())
        self._socket.close()

    def hold(self, full: bool) -> None:
        """Whether the reader has more than it wants."""
        self._reader_is_full = full
        self._read_on()

    def _read_on(self) -> None:
        wait = self._reader_is_full or (not self._answered and self._unanswered > _MAX_UNANSWERED_BYTES)
        if wait:
            self._socket.pause_reading()
        else:
            self._socket.resume_reading()


class _Inside(asyncio.Transport):
    """The transport that the guard's reader and writer see."""

    def __init__(self, connection: _Connection, transport: asyncio.Transport) -> None:
        super().__init__()
        self._connection = connection
        self._socket = transport

    def write(self, data: Any) -> None:
        self._connection.send(bytes(data))

    def close(self) -> None:
        self._connection.close()

    def abort(self) -> None:
        self._socket.abort()

    def is_closing(self) -> bool:
        return self._socket.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._socket.get_extra_info(name, default)

    def get_write_buffer_size(self) -> int:
        return self._socket.get_write_buffer_size()

    def pause_reading(self) -> None:
        self._connection.hold(True)

    def resume_reading(self) -> None:
        self._connection.hold(False)
