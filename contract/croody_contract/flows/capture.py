"""Reads a capture: pcap (both byte orders, micro- and nanoseconds) and pcapng. A file that is cut short ends where it was cut.

Formats: the drafts draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng of the IETF.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

#: Longest frame and block that are believed, bytes: what is longer is damage.
MAX_FRAME: Final = 256 * 1024
_MAX_BLOCK: Final = 16 * 1024 * 1024
_MAX_INTERFACES: Final = 1024

_PCAP: Final = {
    b"\xd4\xc3\xb2\xa1": ("<", 1_000),
    b"\xa1\xb2\xc3\xd4": (">", 1_000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
_PCAPNG: Final = b"\x0a\x0d\x0d\x0a"
_BYTE_ORDER: Final = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_INTERFACE: Final = 1
_SIMPLE: Final = 3
_OLD: Final = 2
_ENHANCED: Final = 6
_TSRESOL: Final = 9


class NoCapture(ValueError):
    """Not a capture, or of a kind that nobody reads here; says what was found."""


class Frame(NamedTuple):
    """A frame. `at_ns`: since 1970. `link`: its link type. `length`: on the wire; `data`: as much of it as was captured."""

    at_ns: int
    link: int
    length: int
    data: bytes


class _Interface(NamedTuple):
    link: int
    #: Units a second.
    resolution: int
    snaplen: int


def read(stream: BinaryIO) -> Iterator[Frame]:
    """Every frame, in the file's order.

    Raises:
        NoCapture: the file begins like no capture.
    """
    magic = stream.read(4)
    if magic in _PCAP:
        yield from _read_pcap(stream, *_PCAP[magic])
    elif magic == _PCAPNG:
        yield from _read_pcapng(stream)
    else:
        shown = magic.hex(" ") or "nothing"
        raise NoCapture(f"the file begins with {shown}: expected a pcap or pcapng capture, as tcpdump -w or Wireshark write it")


def _read_pcap(stream: BinaryIO, order: str, unit_ns: int) -> Iterator[Frame]:
    header = stream.read(20)
    if len(header) < 20:
        return
    # The upper bits say how long a frame check sequence is.
    link = struct.unpack(order + "HHiIII", header)[5] & 0xFFFF
    record = struct.Struct(order + "IIII")
    while len(head := stream.read(16)) == 16:
        seconds, fraction, kept, length = record.unpack(head)
        if kept > MAX_FRAME:
            return
        data = stream.read(kept)
        if len(data) < kept:
            return
        yield Frame(seconds * 1_000_000_000 + fraction * unit_ns, link, max(length, kept), data)


def _read_pcapng(stream: BinaryIO) -> Iterator[Frame]:
    order = "<"
    interfaces: list[_Interface] = []
    head = _PCAPNG + stream.read(4)
    while len(head) == 8:
        if head[:4] == _PCAPNG:
            # Its byte order stands after its length.
            magic = stream.read(4)
            if magic not in _BYTE_ORDER:
                return
            order, interfaces = _BYTE_ORDER[magic], []
            size = struct.unpack(order + "I", head[4:])[0] - 4
            kind = 0
        else:
            kind, size = struct.unpack(order + "II", head)
        if not 12 <= size <= _MAX_BLOCK:
            return
        body = stream.read(size - 8)
        if len(body) < size - 8:
            return
        if kind == _INTERFACE and len(interfaces) < _MAX_INTERFACES:
            interfaces.append(_interface(order, body[:-4]))
        else:
            frame = _frame(order, kind, body[:-4], interfaces)
            if frame is not None:
                yield frame
        head = stream.read(8)


def _interface(order: str, body: bytes) -> _Interface:
    link, snaplen = struct.unpack_from(order + "HxxI", body.ljust(8, b"\0"))
    resolution, at = 1_000_000, 8
    while at + 4 <= len(body):
        code, size = struct.unpack_from(order + "HH", body, at)
        if code == 0:
            break
        if code == _TSRESOL and size == 1 and at + 4 < len(body):
            value = body[at + 4]
            # Beyond this no clock goes, and the numbers only grow.
            power = min(value & 0x7F, 62)
            resolution = 1 << power if value & 0x80 else 10 ** min(power, 18)
        at += 4 + size + (-size % 4)
    return _Interface(link, resolution, snaplen)


def _frame(order: str, kind: int, body: bytes, interfaces: list[_Interface]) -> Frame | None:
    if kind == _ENHANCED and len(body) >= 20:
        number, high, low, kept, length = struct.unpack_from(order + "IIIII", body)
        start = 20
    elif kind == _OLD and len(body) >= 20:
        number, _drops, high, low, kept, length = struct.unpack_from(order + "HHIIII", body)
        start = 20
    elif kind == _SIMPLE and len(body) >= 4:
        (length,) = struct.unpack_from(order + "I", body)
        number, high, low, kept, start = 0, 0, 0, min(length, len(body) - 4), 4
    else:
        return None
    if number >= len(interfaces) or kept > MAX_FRAME or start + kept > len(body):
        return None
    interface = interfaces[number]
    at_ns = ((high << 32) | low) * 1_000_000_000 // interface.resolution
    return Frame(at_ns, interface.link, max(length, kept), body[start : start + kept])
