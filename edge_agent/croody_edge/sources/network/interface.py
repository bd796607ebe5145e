"""A packet socket on one interface of Linux (packet(7)). Knows the system, never what is in a frame."""

import socket
import struct
from collections.abc import Iterator
from types import TracebackType
from typing import Final, Self

from croody_edge.texts import text

_ALL_PROTOCOLS: Final = 0x0003
_STATISTICS: Final = 6
_SOL_PACKET: Final = 263
_OUTGOING: Final = 4
#: As much of a frame as is looked at; of its application's words the first are enough.
_SNAP_BYTES: Final = 512
_BUFFER_BYTES: Final = 4 * 1024 * 1024
#: Frames of one turn.
_MOST: Final = 2_000


class Interface:
    """Frames that come and go on an interface. Use it with `with`.

    Raises:
        OSError: there is no such interface, or this process may not watch it.
    """

    def __init__(self, name: str) -> None:
        self._loops = name == "lo"
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS))
        except PermissionError as error:
            raise OSError(text("network.permission", interface=name)) from error
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
            self._socket.bind((name, _ALL_PROTOCOLS))
        except OSError as error:
            self._socket.close()
            raise OSError(text("network.interface", interface=name, why=error.strerror)) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._socket.close()

    def frames(self, within_s: float) -> Iterator[tuple[bytes, int]]:
        """What comes within that time, at most a few thousand: the beginning of each frame, and its length on the wire.

        Raises:
            OSError: the interface is gone.
        """
        self._socket.settimeout(within_s)
        for _ in range(_MOST):
            try:
                data, place = self._socket.recvfrom(65_536)
            except TimeoutError:
                return
            # On the loopback each frame goes and comes.
            if not (self._loops and place[2] == _OUTGOING):
                yield data[:_SNAP_BYTES], len(data)

    def lost(self) -> int:
        """Frames that came faster than they were read, since the last question."""
        _seen, lost = struct.unpack("II", self._socket.getsockopt(_SOL_PACKET, _STATISTICS, 8))
        return int(lost)
