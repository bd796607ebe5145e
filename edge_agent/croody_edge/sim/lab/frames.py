"""Frames as they go over an Ethernet: true bytes with true checksums. Pure."""

import struct
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

from croody_contract.flows.packets import ICMP, ICMP6, TCP, UDP

BROADCAST: Final = b"\xff" * 6
IPV4: Final = 0x0800
IPV6: Final = 0x86DD
ARP: Final = 0x0806
PSH: Final = 0x08
URG: Final = 0x20
_TTL: Final = 64


@lru_cache(maxsize=4096)
def packed(address: str) -> bytes:
    """An address as it travels: 4 or 16 bytes."""
    return ip_address(address).packed


def checksum(data: bytes) -> int:
    """RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    rest: int = sum(struct.unpack(f"!{len(data) // 2}H", data)) % 0xFFFF
    return 0xFFFF - rest


def ethernet(target_mac: bytes, source_mac: bytes, kind: int, body: bytes) -> bytes:
    """A frame, padded to what Ethernet needs."""
    return (target_mac + source_mac + struct.pack("!H", kind) + body).ljust(60, b"\0")


def ip(source: str, target: str, protocol: int, body: bytes, *, ident: int = 0, offset: int = 0x4000, ttl: int = _TTL) -> bytes:
    """An IPv4 or IPv6 packet. `offset`: flags and place of a fragment, of IPv4."""
    a, b = packed(source), packed(target)
    if len(a) == 16:
        return struct.pack("!IHBB", 6 << 28, len(body), protocol, ttl) + a + b + body
    head = struct.pack("!BBHHHBB", 0x45, 0, 20 + len(body), ident & 0xFFFF, offset, ttl, protocol)
    total = checksum(head + b"\0\0" + a + b)
    return head + struct.pack("!H", total) + a + b + body


def _summed(source: str, target: str, protocol: int, body: bytes, at: int) -> bytes:
    """The body with its checksum, which covers the addresses, written at `at`."""
    a, b = packed(source), packed(target)
    total = checksum(a + b + struct.pack("!II", len(body), protocol) + body) or 0xFFFF
    return body[:at] + struct.pack("!H", total) + body[at + 2 :]


def tcp(source: str, sport: int, target: str, dport: int, flags: int, seq: int = 0, ack: int = 0, payload: bytes = b"") -> bytes:
    """An IP packet with one TCP segment."""
    head = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x50, flags, 64_240, 0, 0)
    return ip(source, target, TCP, _summed(source, target, TCP, head + payload, 16))


def udp(source: str, sport: int, target: str, dport: int, payload: bytes) -> bytes:
    """An IP packet with one UDP datagram."""
    head = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0)
    return ip(source, target, UDP, _summed(source, target, UDP, head + payload, 6))


def icmp(source: str, target: str, kind: int, code: int, body: bytes) -> bytes:
    """An IP packet with an ICMP message; `body` begins with the four bytes behind the checksum."""
    message = struct.pack("!BBH", kind, code, 0) + body
    if len(packed(source)) == 16:
        return ip(source, target, ICMP6, _summed(source, target, ICMP6, message, 2), ttl=255)
    return ip(source, target, ICMP, message[:2] + struct.pack("!H", checksum(message)) + message[4:])


def ping(source: str, target: str, number: int, payload: bytes = b"\0" * 48, *, answer: bool = False) -> bytes:
    """An echo request, or the answer to one."""
    kind = (129 if answer else 128) if ":" in source else (0 if answer else 8)
    return icmp(source, target, kind, 0, struct.pack("!HH", 77, number & 0xFFFF) + payload)


def unreachable(source: str, target: str, original: bytes) -> bytes:
    """Nobody listens on that port of UDP."""
    return icmp(source, target, 1 if ":" in source else 3, 4 if ":" in source else 3, b"\0\0\0\0" + original[:60])


def arp(operation: int, mac: bytes, source: str, asked: str, target_mac: bytes = b"\0" * 6) -> bytes:
    """What stands in an ARP frame: 1 asks, 2 answers."""
    return b"\0\1\x08\0\6\4" + struct.pack("!H", operation) + mac + packed(source) + target_mac + packed(asked)


def neighbour(source: str, asked: str, mac: bytes, *, answer: bool = False) -> bytes:
    """An IP packet that asks whose an IPv6 address is, or answers."""
    if answer:
        return icmp(source, asked, 136, 0, b"\x60\0\0\0" + packed(source) + b"\x02\x01" + mac)
    return icmp(source, many_of(asked), 135, 0, b"\0\0\0\0" + packed(asked) + b"\x01\x01" + mac)


def many_of(address: str) -> str:
    """The multicast address on which who has this IPv6 address listens."""
    return str(ip_address(b"\xff\x02" + b"\0" * 9 + b"\x01\xff" + packed(address)[13:]))


def multicast_mac(address: str) -> bytes:
    """Where frames for a multicast address go."""
    bits = packed(address)
    return b"\x33\x33" + bits[12:] if len(bits) == 16 else b"\x01\x00\x5e" + bytes([bits[1] & 0x7F]) + bits[2:]


def kind_of(address: str) -> int:
    """The EtherType of packets of this address."""
    return IPV6 if ":" in address else IPV4
