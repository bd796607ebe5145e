"""A TLS listener that gives little to strangers: nothing before their first byte, and small buffers then. Knows bytes, no MQTT.

asyncio gives every connection its TLS state and a buffer of 256 KiB as soon as it is accepted, also to somebody who says nothing.
Here a connection is a bare socket until it speaks, and `asyncio.sslproto` takes over from its first byte on.
"""

import asyncio
import ssl
from asyncio import sslproto
from collections.abc import Awaitable, Callable
from typing import Final

from croody_contract.connection_limits import Visitor
from croody_contract.limits import KIB

#: Read at most so much at once of one connection. A record of TLS has 16 KiB.
_BUFFER_BYTES: Final = 32 * KIB
_SHUTDOWN_S: Final = 1.0

Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter, Visitor], Awaitable[None]]


async def start_server(
    connected: Connected,
    host: str | None,
    port: int,
    context: ssl.SSLContext,
    *,
    arrive: Callable[[asyncio.Transport], Visitor],
    leave: Callable[[Visitor], None],
    handshake_s: float,
    backlog: int,
) -> asyncio.Server:
    """Listen; `connected` is called as `asyncio.start_server` would once the handshake is done.

    Args:
        arrive: told of every connection as it is accepted; whoever it names may be closed at any time.
        leave: told when a connection ends.

    Raises:
        OSError: the address cannot be bound.
    """
    loop = asyncio.get_running_loop()

    def shake(visitor: Visitor) -> sslproto.SSLProtocol:
        visitor.shaking = True
        reader = asyncio.StreamReader()
        inner = asyncio.StreamReaderProtocol(reader, lambda reader, writer: connected(reader, writer, visitor))
        return _Shaking(loop, inner, context, lambda: leave(visitor), handshake_s)

    return await loop.create_server(lambda: _Silent(arrive, leave, shake), host, port, reuse_address=True, backlog=backlog)


class _Silent(asyncio.Protocol):
    """A connection that has not said a byte."""

    def __init__(
        self,
        arrive: Callable[[asyncio.Transport], Visitor],
        leave: Callable[[Visitor], None],
        shake: Callable[[Visitor], sslproto.SSLProtocol],
    ) -> None:
        self._arrive = arrive
        self._leave = leave
        self._shake = shake

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._visitor = self._arrive(transport)

    def data_received(self, data: bytes) -> None:
        shaking = self._shake(self._visitor)
        self._transport.set_protocol(shaking)
        shaking.connection_made(self._transport)
        for at in range(0, len(data), _BUFFER_BYTES):
            piece = data[at : at + _BUFFER_BYTES]
            shaking.get_buffer(len(piece))[: len(piece)] = piece
            shaking.buffer_updated(len(piece))

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave(self._visitor)


class _Shaking(sslproto.SSLProtocol):
    """asyncio's TLS with a smaller buffer. It is no visitor any more at the latest when it is gone."""

    max_size = _BUFFER_BYTES

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        inner: asyncio.StreamReaderProtocol,
        context: ssl.SSLContext,
        gone: Callable[[], None],
        handshake_s: float,
    ) -> None:
        super().__init__(loop, inner, context, None, True, ssl_handshake_timeout=handshake_s, ssl_shutdown_timeout=_SHUTDOWN_S)  # type: ignore[arg-type]
        self._gone = gone

    def connection_lost(self, exc: BaseException | None) -> None:
        self._gone()
        super().connection_lost(exc)
