"""Frames and captures, written by hand: what the tests of the meter are fed with."""

import struct
from dataclasses import dataclass
from ipaddress import ip_address

from croody_contract.flows.capture import Frame
from croody_contract.flows.packets import ACK, FIN, RST, SYN, TCP, UDP

SECOND = 1_000_000_000
START = 1_795_000_000 * SECOND


def mac_of(address: str) -> bytes:
    """One a machine."""
    return b"\x02\x00" + ip_address(address).packed[-4:]


def ethernet(source_mac: bytes, kind: int, body: bytes) -> bytes:
    return b"\x02\xff\xff\xff\xff\xff" + source_mac + struct.pack("!H", kind) + body


def ip(source: str, target: str, protocol: int, body: bytes, *, offset: int = 0) -> bytes:
    a, b = ip_address(source).packed, ip_address(target).packed
    if len(a) == 4:
        return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, offset, 64, protocol, 0) + a + b + body
    return struct.pack("!IHBB", 6 << 28, len(body), protocol, 64) + a + b + body


def packet(source: str, target: str, protocol: int, body: bytes, *, mac: bytes | None = None, offset: int = 0) -> bytes:
    kind = 0x0800 if "." in source else 0x86DD
    return ethernet(mac or mac_of(source), kind, ip(source, target, protocol, body, offset=offset))


def tcp(source: str, sport: int, target: str, dport: int, flags: int, payload: bytes = b"", *, mac: bytes | None = None) -> bytes:
    return packet(source, target, TCP, struct.pack("!HHIIBBHHH", sport, dport, 1, 1, 0x50, flags, 1000, 0, 0) + payload, mac=mac)


def udp(source: str, sport: int, target: str, dport: int, payload: bytes) -> bytes:
    return packet(source, target, UDP, struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload)


def arp(mac: bytes, source: str, target: str, operation: int = 1) -> bytes:
    body = b"\0\1\x08\0\6\4" + struct.pack("!H", operation) + mac + ip_address(source).packed + bytes(6) + ip_address(target).packed
    return ethernet(mac, 0x0806, body)


def mqtt_connect(user: str, password: str) -> bytes:
    parts = b"".join(struct.pack("!H", len(text)) + text for text in (user.encode(), user.encode(), password.encode()))
    body = b"\x00\x04MQTT\x04\xc2\x00\x3c" + parts
    return b"\x10" + bytes([len(body)]) + body


@dataclass
class Wire:
    """Frames in their order. `at`: seconds since the capture began."""

    frames: list[Frame]
    at: float = 0.0

    def put(self, data: bytes, after_s: float = 0.001) -> None:
        self.at += after_s
        self.frames.append(Frame(START + int(self.at * SECOND), 1, len(data), data))

    def refused(self, source: str, sport: int, target: str, dport: int) -> None:
        self.put(tcp(source, sport, target, dport, SYN))
        self.put(tcp(target, dport, source, sport, RST | ACK))

    def opened(self, source: str, sport: int, target: str, dport: int) -> None:
        self.put(tcp(source, sport, target, dport, SYN))
        self.put(tcp(target, dport, source, sport, SYN | ACK))
        self.put(tcp(source, sport, target, dport, ACK))

    def said(self, source: str, sport: int, target: str, dport: int, payload: bytes) -> None:
        self.put(tcp(source, sport, target, dport, ACK | 0x08, payload))

    def closed(self, source: str, sport: int, target: str, dport: int) -> None:
        self.put(tcp(source, sport, target, dport, FIN | ACK))
        self.put(tcp(target, dport, source, sport, FIN | ACK))

    def wait(self, seconds: float) -> None:
        self.at += seconds


def pcap(frames: list[Frame], order: str = "<", nanoseconds: bool = False) -> bytes:
    """As tcpdump writes it."""
    magic, unit = (0xA1B23C4D, 1) if nanoseconds else (0xA1B2C3D4, 1000)
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, frames[0].link if frames else 1)]
    for frame in frames:
        seconds, rest = divmod(frame.at_ns, SECOND)
        out.append(struct.pack(order + "IIII", seconds, rest // unit, len(frame.data), frame.length) + frame.data)
    return b"".join(out)


def pcapng(frames: list[Frame], order: str = "<", resolution: int | None = None) -> bytes:
    """As Wireshark writes it; `resolution`: 10 to its power a second, left out: microseconds."""
    options = b"" if resolution is None else struct.pack(order + "HHBxxxHH", 9, 1, resolution, 0, 0)
    out = [_block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))]
    out.append(_block(order, 1, struct.pack(order + "HHI", frames[0].link if frames else 1, 0, 0) + options))
    unit = SECOND // 10 ** (6 if resolution is None else resolution)
    for frame in frames:
        ticks = frame.at_ns // unit
        head = struct.pack(order + "IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, len(frame.data), frame.length)
        out.append(_block(order, 6, head + frame.data + bytes(-len(frame.data) % 4)))
        out.append(_block(order, 0xBAD, b"unknown blocks are passed over"))
    return b"".join(out)


def _block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + size + body + size
