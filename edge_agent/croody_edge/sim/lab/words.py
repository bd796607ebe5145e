"""The bytes of the protocols that machines of the lab speak: MQTT 3.1.1, DNS, HTTP, Modbus, SNMP, NTP, TLS, DDS. Pure."""

import struct
from collections.abc import Iterator
from random import Random
from typing import Final, NamedTuple

from croody_edge.sim.lab.frames import packed

DNS_FAILED: Final = 3


def _text(text: str | bytes) -> bytes:
    raw = text.encode() if isinstance(text, str) else text
    return struct.pack("!H", len(raw)) + raw


def mqtt(kind: int, body: bytes) -> bytes:
    """A control packet. `kind`: its first byte."""
    size, length = len(body), b""
    while True:
        size, digit = divmod(size, 128)
        length += bytes([digit | (0x80 if size else 0)])
        if not size:
            return bytes([kind]) + length + body


def connect(client: str, user: str = "", secret: str = "", *, keep_alive: int = 60, will: tuple[str, bytes] | None = None) -> bytes:
    """CONNECT."""
    flags = 0x02 | (0x80 if user else 0) | (0x40 if secret else 0) | (0x24 if will else 0)
    body = _text("MQTT") + bytes([4, flags]) + struct.pack("!H", keep_alive) + _text(client)
    body += (_text(will[0]) + _text(will[1]) if will else b"") + (_text(user) if user else b"") + (_text(secret) if secret else b"")
    return mqtt(0x10, body)


def publish(topic: str, payload: bytes, number: int = 0, *, retain: bool = False) -> bytes:
    """PUBLISH; at QoS 1 where it has a number."""
    return mqtt(0x30 | (2 if number else 0) | int(retain), _text(topic) + (struct.pack("!H", number) if number else b"") + payload)


def subscribe(number: int, *filters: str) -> bytes:
    """SUBSCRIBE, at QoS 0."""
    return mqtt(0x82, struct.pack("!H", number) + b"".join(_text(one) + b"\0" for one in filters))


PING: Final = b"\xc0\x00"


class Said(NamedTuple):
    """A control packet that came. `kind`: its first byte."""

    kind: int
    body: bytes


def packets_of(data: bytes) -> tuple[list[Said], bytes]:
    """Whole control packets, and what is left for later."""
    found = []
    while len(data) >= 2:
        size, shift, at = 0, 0, 1
        while at < min(len(data), 5):
            size |= (data[at] & 0x7F) << shift
            shift += 7
            at += 1
            if not data[at - 1] & 0x80:
                break
        else:
            break
        if len(data) < at + size:
            break
        found.append(Said(data[0], data[at : at + size]))
        data = data[at + size :]
    return found, data


def fields(body: bytes, at: int = 0) -> Iterator[bytes]:
    """Texts with their lengths, one behind the other."""
    while at + 2 <= len(body):
        size = int.from_bytes(body[at : at + 2], "big")
        yield body[at + 2 : at + 2 + size]
        at += 2 + size


def name(text: str) -> bytes:
    """A name as DNS writes it."""
    return b"".join(bytes([len(part)]) + part.encode() for part in text.split(".") if part) + b"\0"


def dns_question(number: int, text: str, kind: int = 1) -> bytes:
    """A question for an address (1), any record (255), a text (16)."""
    return struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + name(text) + struct.pack("!HH", kind, 1)


def dns_answer(question: bytes, *addresses: str, ttl: int = 300, failed: int = 0, number: int | None = None, more: bytes = b"") -> bytes:
    """The answer to a question: addresses, or a failure. `number`: another one than was asked with. `more`: a text record."""
    asked = int.from_bytes(question[:2], "big") if number is None else number
    records = b""
    for address in addresses:
        bits = packed(address)
        records += struct.pack("!HHHIH", 0xC00C, 28 if len(bits) == 16 else 1, 1, ttl, len(bits)) + bits
    if more:
        records += struct.pack("!HHHIHB", 0xC00C, 16, 1, ttl, len(more) + 1, len(more) & 0xFF) + more
    return struct.pack("!HHHHHH", asked, 0x8180 | failed, 1, len(addresses) + bool(more), 0, 0) + question[12:] + records


def asked_name(question: bytes) -> str:
    """The name in a question."""
    parts, at = [], 12
    while at < len(question) and question[at]:
        parts.append(question[at + 1 : at + 1 + question[at]].decode("latin-1"))
        at += 1 + question[at]
    return ".".join(parts)


def http(method: str, path: str, host: str, body: bytes = b"", **headers: str) -> bytes:
    """A request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *(f"{key.replace('_', '-')}: {value}" for key, value in headers.items())]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def http_answer(status: int, body: bytes = b"", kind: str = "application/json") -> bytes:
    """An answer."""
    return (
        f"HTTP/1.1 {status} {'OK' if status < 400 else 'Error'}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        + body
    )


def modbus(number: int, unit: int, function: int, first: int, second: int) -> bytes:
    """A request over TCP: two numbers behind its function."""
    return struct.pack("!HHHBBHH", number & 0xFFFF, 0, 6, unit, function, first, second)


def snmp(community: str, number: int) -> bytes:
    """GetRequest of sysDescr, version 2c."""
    variable = bytes.fromhex("300c06082b060102010101000500")
    request = b"\x02\x04" + struct.pack("!I", number & 0x7FFFFFFF) + b"\x02\x01\x00\x02\x01\x00\x30" + bytes([len(variable)]) + variable
    body = b"\x02\x01\x01\x04" + bytes([len(community)]) + community.encode() + b"\xa0" + bytes([len(request)]) + request
    return b"\x30" + bytes([len(body)]) + body


def ntp() -> bytes:
    """A client's question for the time."""
    return b"\x23" + bytes(47)


def tls_hello(rng: Random, server: str) -> bytes:
    """A ClientHello that names a server."""
    host = server.encode()
    sni = struct.pack("!HHHBH", 0, len(host) + 5, len(host) + 3, 0, len(host)) + host
    hello = b"\x03\x03" + rng.randbytes(32) + b"\x00\x00\x04\x13\x01\x13\x02\x01\x00" + struct.pack("!H", len(sni)) + sni
    handshake = b"\x01" + len(hello).to_bytes(3, "big") + hello
    return b"\x16\x03\x01" + struct.pack("!H", len(handshake)) + handshake


def tls_data(rng: Random, size: int) -> bytes:
    """So many bytes that nobody can read."""
    return b"\x17\x03\x03" + struct.pack("!H", size) + rng.randbytes(size)


def participant(rng: Random) -> bytes:
    """An announcement of a DDS participant, as ROS 2 sends it (RTPS 2.3)."""
    return b"RTPS\x02\x03\x01\x10" + rng.randbytes(12) + b"\x15\x05" + struct.pack("<H", 120) + rng.randbytes(120)


def lease(rng: Random, mac: bytes, kind: int = 1) -> bytes:
    """DHCP: 1 looks for a server, 3 asks for an address."""
    head = struct.pack("!BBBB", 1, 1, 6, 0) + rng.randbytes(4) + bytes(20) + mac + bytes(10 + 192)
    return head + b"\x63\x82\x53\x63\x35\x01" + bytes([kind]) + b"\xff"


def offer(rng: Random, mac: bytes, address: str, server: str) -> bytes:
    """DHCP: a server offers an address and itself as the router."""
    head = (
        struct.pack("!BBBB", 2, 1, 6, 0) + rng.randbytes(4) + bytes(8) + packed(address) + packed(server) + bytes(4) + mac + bytes(10 + 192)
    )
    return head + b"\x63\x82\x53\x63\x35\x01\x02\x36\x04" + packed(server) + b"\x03\x04" + packed(server) + b"\xff"
