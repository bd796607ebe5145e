"""Where MAVLink's bytes come from: UDP, TCP or a serial line. Knows addresses and sockets, nothing of the protocol.

udp://127.0.0.1:14550             wait there for a vehicle, a router or a telemetry radio that sends
udpout://192.168.4.1:14555        send there first, and hear what it answers
tcp://127.0.0.1:5760              connect
serial:///dev/ttyACM0?baud=57600  a flight controller's port; `/dev/serial/by-id/usb-*` takes the first that is there
"""

import socket
from typing import Any, Final, Protocol
from urllib.parse import parse_qs, urlsplit

from croody_edge.sources.serial.port import found
from croody_edge.texts import text

#: Largest datagram, and most bytes of one read.
_READ_BYTES: Final = 65536
SCHEMES: Final = ("udp", "udpout", "tcp", "serial")
_BAUD: Final = 57600


class Wire(Protocol):
    """An open link."""

    def receive(self, timeout_s: float) -> bytes:
        """What has come; empty after `timeout_s`.

        Raises:
            OSError: the other end, or the device, is away.
        """
        ...

    def send(self, data: bytes) -> None:
        """Send, where somebody is known who listens.

        Raises:
            OSError: it is away.
        """
        ...

    def close(self) -> None:
        """Give it back."""
        ...


def check(url: str) -> None:
    """Hold an address to the grammar above.

    Raises:
        ValueError: it breaks it.
    """
    parts = urlsplit(url)
    try:
        port = parts.port
        baud = int(parse_qs(parts.query).get("baud", [str(_BAUD)])[0])
    except ValueError:
        raise ValueError(text("mavlink.url")) from None
    device = parts.scheme == "serial" and parts.path.startswith("/dev/") and baud > 0
    if not device and not (parts.scheme in SCHEMES[:3] and parts.hostname and port):
        raise ValueError(text("mavlink.url"))


def connect(url: str) -> Wire:
    """Open it.

    Raises:
        OSError: nothing is there.
    """
    parts = urlsplit(url)
    if parts.scheme == "serial":
        return _Serial(parts.path, int(parse_qs(parts.query).get("baud", [str(_BAUD)])[0]))
    address = (parts.hostname or "", parts.port or 0)
    if parts.scheme == "tcp":
        return _Stream(socket.create_connection(address, timeout=5.0))
    return _Datagrams(address, listens=parts.scheme == "udp")


class _Datagrams:
    def __init__(self, address: tuple[str, int], *, listens: bool) -> None:
        family, _, _, _, place = socket.getaddrinfo(*address, type=socket.SOCK_DGRAM)[0]
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._peer: Any = None
        try:
            if listens:
                self._socket.bind(place)
            else:
                self._peer = place
        except OSError:
            self._socket.close()
            raise

    def receive(self, timeout_s: float) -> bytes:
        self._socket.settimeout(timeout_s)
        try:
            data, self._peer = self._socket.recvfrom(_READ_BYTES)
        except TimeoutError:
            return b""
        return data

    def send(self, data: bytes) -> None:
        if self._peer is not None:
            self._socket.sendto(data, self._peer)

    def close(self) -> None:
        self._socket.close()


class _Stream:
    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected

    def receive(self, timeout_s: float) -> bytes:
        self._socket.settimeout(timeout_s)
        try:
            data = self._socket.recv(_READ_BYTES)
        except TimeoutError:
            return b""
        if not data:
            raise ConnectionResetError("the other end closed the connection")
        return data

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def close(self) -> None:
        self._socket.close()


class _Serial:
    def __init__(self, pattern: str, baud: int) -> None:
        import serial

        self._port = serial.Serial(found(pattern), baud, timeout=0.2, write_timeout=1.0, exclusive=True)

    def receive(self, timeout_s: float) -> bytes:
        self._port.timeout = timeout_s
        first: bytes = self._port.read(1)
        return first + self._port.read(min(self._port.in_waiting, _READ_BYTES)) if first else b""

    def send(self, data: bytes) -> None:
        self._port.write(data)

    def close(self) -> None:
        self._port.close()
