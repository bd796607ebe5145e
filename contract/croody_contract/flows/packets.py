"""A frame -> who says what to whom: Ethernet with VLANs, cooked and raw captures; IPv4, IPv6, fragments, ARP, ICMP, TCP, UDP.

Whatever is cut short, damaged or unknown is None or lacks its later parts; nothing raises.
"""

from ipaddress import ip_address
from struct import Struct
from typing import Final, NamedTuple

ARP: Final = -1
ICMP: Final = 1
TCP: Final = 6
UDP: Final = 17
ICMP6: Final = 58

FIN: Final = 0x01
SYN: Final = 0x02
RST: Final = 0x04
ACK: Final = 0x10

#: Link type -> bytes before the EtherType, of those whose header ends with one.
_TYPED: Final = {1: 12, 113: 14}
_RAW: Final = frozenset({12, 14, 101, 228, 229})
_LOOP: Final = frozenset({0, 108})
_SLL2: Final = 276
_VLANS: Final = frozenset({0x8100, 0x88A8, 0x9100})
_EXTENSIONS: Final = frozenset({0, 43, 60, 135})
_FRAGMENT: Final = 44
_AH: Final = 51
_MOST_HEADERS: Final = 8
_u16: Final = Struct("!H").unpack_from
_ports: Final = Struct("!HH").unpack_from
_tcp: Final = Struct("!HHIIBB").unpack_from


class Packet(NamedTuple):
    """What one frame says. Addresses are 4 or 16 bytes; `mac`: of the sender, empty where the link has none.

    `protocol`: of IP, or `ARP`. `source_port`, `target_port`: of TCP and UDP; of ICMP its type and code; of ARP its operation and 0.
    `flags`: of TCP. `payload`: as far as it was captured; of ARP the sender's MAC.
    """

    source: bytes
    target: bytes
    protocol: int
    source_port: int
    target_port: int
    flags: int
    payload: bytes
    mac: bytes
    fragment: bool
    #: Bytes of TCP's payload on the wire, captured or not.
    size: int = 0


def parse(link: int, data: bytes) -> Packet | None:
    """Read a frame; None when it is none of these."""
    start = _TYPED.get(link)
    if start is not None:
        if len(data) < start + 2:
            return None
        (kind,) = _u16(data, start)
        at = start + 2
        while kind in _VLANS and len(data) >= at + 4:
            (kind,) = _u16(data, at + 2)
            at += 4
        mac = data[6:12] if link == 1 else data[6:12] if data[4:6] == b"\0\6" else b""
    elif link in _RAW:
        kind, at, mac = _version(data, 0), 0, b""
    elif link in _LOOP:
        kind, at, mac = _version(data, 4), 4, b""
    elif link == _SLL2 and len(data) >= 20:
        (kind,) = _u16(data, 0)
        at, mac = 20, data[12:18]
    else:
        return None
    if kind == 0x0800:
        return _ipv4(data, at, mac)
    if kind == 0x86DD:
        return _ipv6(data, at, mac)
    return _arp(data, at, mac) if kind == 0x0806 else None


def text(address: bytes) -> str:
    """An address as people write it."""
    return str(ip_address(address)) if len(address) in (4, 16) else address.hex(":")


def _version(data: bytes, at: int) -> int:
    return {4: 0x0800, 6: 0x86DD}.get(data[at] >> 4, 0) if len(data) > at else 0


def _ipv4(data: bytes, at: int, mac: bytes) -> Packet | None:
    if len(data) < at + 20 or data[at] >> 4 != 4:
        return None
    header = (data[at] & 15) * 4
    (total,) = _u16(data, at + 2)
    (offset,) = _u16(data, at + 6)
    # A frame is padded to sixty bytes: what comes behind the packet is not its own. Offloading writes a length of 0.
    end = at + total if header <= total <= len(data) - at else len(data)
    source, target = data[at + 12 : at + 16], data[at + 16 : at + 20]
    beyond = max(0, at + total - len(data))
    return _above(data[:end], at + header, data[at + 9], (source, target, mac), bool(offset & 0x3FFF), bool(offset & 0x1FFF), beyond)


def _ipv6(data: bytes, at: int, mac: bytes) -> Packet | None:
    if len(data) < at + 40 or data[at] >> 4 != 6:
        return None
    (length,) = _u16(data, at + 4)
    end = at + 40 + length if 0 < length <= len(data) - at - 40 else len(data)
    protocol, source, target = data[at + 6], data[at + 8 : at + 24], data[at + 24 : at + 40]
    at += 40
    beyond = max(0, at + length - len(data))
    fragment = later = False
    for _ in range(_MOST_HEADERS):
        if len(data) < at + 8:
            break
        if protocol == _FRAGMENT:
            fragment, later = True, later or bool(_u16(data, at + 2)[0] & 0xFFF8)
            protocol, at = data[at], at + 8
        elif protocol in _EXTENSIONS:
            protocol, at = data[at], at + 8 + data[at + 1] * 8
        elif protocol == _AH:
            protocol, at = data[at], at + 8 + data[at + 1] * 4
        else:
            break
    return _above(data[:end], at, protocol, (source, target, mac), fragment, later, beyond)


def _above(data: bytes, at: int, protocol: int, ends: tuple[bytes, bytes, bytes], fragment: bool, later: bool, beyond: int) -> Packet:
    """What lies above IP. A later fragment, and what was cut before its header, has addresses only.

    `beyond`: bytes of the packet that were not captured.
    """
    source, target, mac = ends
    room = len(data) - at
    if not later:
        if protocol == TCP and room >= 14:
            source_port, target_port, _seq, _ack, offset, flags = _tcp(data, at)
            start = at + (offset >> 4) * 4
            payload = data[start:] if offset >= 0x50 else b""
            return Packet(source, target, TCP, source_port, target_port, flags, payload, mac, fragment, len(payload) + beyond)
        if protocol == UDP and room >= 8:
            source_port, target_port = _ports(data, at)
            return Packet(source, target, UDP, source_port, target_port, 0, data[at + 8 :], mac, fragment)
        if protocol in (ICMP, ICMP6) and room >= 2:
            return Packet(source, target, protocol, data[at], data[at + 1], 0, data[at + 8 :], mac, fragment)
    return Packet(source, target, protocol, 0, 0, 0, b"", mac, fragment)


def _arp(data: bytes, at: int, mac: bytes) -> Packet | None:
    if len(data) < at + 28 or data[at : at + 6] != b"\0\1\x08\0\6\4":
        return None
    (operation,) = _u16(data, at + 6)
    return Packet(data[at + 14 : at + 18], data[at + 24 : at + 28], ARP, operation, 0, 0, data[at + 8 : at + 14], mac, False)
