"""A packet socket (packet(7)) on one interface. Knows the system, never what is in a frame."""

import socket
import struct
from collections.abc import Iterator
from typing import Final

_ALL_PROTOCOLS: Final = 0x0003
_STATISTICS: Final = 6
_SOL_PACKET: Final = 263
_OUTGOING: Final = 4
#: As much of a frame as is looked at and kept: of its application's words the first are enough.
SNAP_BYTES: Final = 512
_BUFFER_BYTES: Final = 4 * 1024 * 1024
#: Frames of one turn.
_MOST: Final = 2_000


class Interface:
    """Frames that come and go.

    Raises:
        OSError: there is no such interface, or this process may not watch it; the text says the remedy.
    """

    def __init__(self, name: str) -> None:
        self._loops = name == "lo"
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS))
        except PermissionError as error:
            raise OSError(f"interface {name}: may not be watched: give the container CAP_NET_RAW, as the profile sensor does") from error
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        try:
            self._socket.bind((name, _ALL_PROTOCOLS))
        except OSError as error:
            self._socket.close()
            raise OSError(f"interface {name}: {error.strerror}: set SENSOR_INTERFACE to one that ip link shows") from error

    def frames(self, within_s: float) -> Iterator[tuple[bytes, int]]:
        """What comes within that time, at most a few thousand: the beginning of each frame, and its length on the wire."""
        self._socket.settimeout(within_s)
        for _ in range(_MOST):
            try:
                data, place = self._socket.recvfrom(65_536)
            except TimeoutError:
                return
            # On the loopback each frame goes and comes.
            if not (self._loops and place[2] == _OUTGOING):
                yield data[:SNAP_BYTES], len(data)

    def lost(self) -> int:
        """Frames that came faster than they were read, since the last question."""
        _seen, lost = struct.unpack("II", self._socket.getsockopt(_SOL_PACKET, _STATISTICS, 8))
        return int(lost)

    def close(self) -> None:
        """Give it back."""
        self._socket.close()
