"""What machines of the lab offer, as far as who asks can tell: a broker, web pages, a log-in, a PLC, names. Pure: bytes in, bytes out.

A namespace with Mosquitto in it has no need of the broker here.
"""

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from croody_edge.sim.lab import words
from croody_edge.sim.lab.site import API, MQTT, MQTTS, ROBOT_TCP, WS, Machine, Site

_CLOSE = b""


class Talker(Protocol):
    """One connection, from the side of who was asked."""

    closed: bool

    def greet(self) -> bytes:
        """What it says first."""

    def hear(self, data: bytes) -> bytes:
        """What it says to that."""


Push = Callable[[bytes], None]


@dataclass(slots=True)
class Broker:
    """All connections of one broker: who is subscribed to what."""

    accounts: dict[str, str]
    sessions: dict[str, "Session"] = field(default_factory=dict)

    def spread(self, topic: str, payload: bytes) -> None:
        """To everybody who asked for it."""
        for session in list(self.sessions.values()):
            if any(_matches(one, topic) for one in session.filters):
                session.push(words.publish(topic, payload))


@dataclass(slots=True)
class Session:
    """One MQTT connection."""

    broker: Broker
    push: Push
    closed: bool = False
    client: str = ""
    account: str = ""
    filters: list[str] = field(default_factory=list)
    _rest: bytes = b""

    def greet(self) -> bytes:
        """A broker waits."""
        return b""

    def hear(self, data: bytes) -> bytes:
        """Answers as MQTT 3.1.1 has it; what is no MQTT closes the connection."""
        found, self._rest = words.packets_of(self._rest + data)
        if len(self._rest) > 70_000 or (not self.client and self._rest[:1] not in (b"", b"\x10")):
            self.closed = True
            return b""
        out = b""
        for one in found:
            out += self._answer(one)
            if self.closed:
                self._leave()
                break
        return out

    def _leave(self) -> None:
        if self.broker.sessions.get(self.client) is self:
            del self.broker.sessions[self.client]

    def _answer(self, one: words.Said) -> bytes:
        kind = one.kind >> 4
        if not self.client:
            return self._enter(one) if kind == 1 else self._end()
        if kind == 3:
            return self._published(one)
        if kind == 8:
            filters = [text.decode("utf-8", "replace") for text in _filters(one.body)]
            self.filters += filters
            return words.mqtt(0x90, one.body[:2] + bytes(len(filters)))
        if kind == 12:
            return b"\xd0\x00"
        return b"" if kind in (4, 5, 6, 7, 10) else self._end()

    def _end(self) -> bytes:
        self.closed = True
        return b""

    def _enter(self, one: words.Said) -> bytes:
        texts = list(words.fields(one.body, 10))
        if one.body[:6] != b"\x00\x04MQTT" or len(one.body) < 12:
            return self._end()
        flags = one.body[7]
        given = texts[3:] if flags & 0x04 else texts[1:]
        user, secret = (given[0].decode() if given else ""), (given[1].decode() if len(given) > 1 else "")
        if self.broker.accounts.get(user) != secret or not secret:
            self.closed = True
            return b"\x20\x02\x00\x05"
        self.client, self.account = texts[0].decode(), user
        before = self.broker.sessions.get(self.client)
        if before is not None:
            before.closed = True
            before.push(_CLOSE)
        self.broker.sessions[self.client] = self
        return b"\x20\x02\x00\x00"

    def _published(self, one: words.Said) -> bytes:
        size = int.from_bytes(one.body[:2], "big")
        topic = one.body[2 : 2 + size].decode("utf-8", "replace")
        qos = one.kind >> 1 & 3
        if topic.startswith(f"croody/v1/{self.account}/"):
            self.broker.spread(topic, one.body[2 + size + (2 if qos else 0) :])
        return words.mqtt(0x40, one.body[2 + size : 4 + size]) if qos else b""


def _filters(body: bytes) -> list[bytes]:
    found, at = [], 2
    while at + 2 < len(body):
        size = int.from_bytes(body[at : at + 2], "big")
        found.append(body[at + 2 : at + 2 + size])
        at += 3 + size
    return found


def _matches(pattern: str, topic: str) -> bool:
    wanted, levels = pattern.split("/"), topic.split("/")
    for number, one in enumerate(wanted):
        if one == "#":
            return True
        if number >= len(levels) or one not in ("+", levels[number]):
            return False
    return len(wanted) == len(levels)


@dataclass(slots=True)
class Web:
    """A web server: a few pages, an API with a key, downloads. `/big/N` is N kilobytes."""

    closed: bool = False
    _rest: bytes = b""

    def greet(self) -> bytes:
        """A web server waits."""
        return b""

    def hear(self, data: bytes) -> bytes:
        """One answer a request whose head is whole."""
        self._rest += data
        out = b""
        while b"\r\n\r\n" in self._rest:
            head, self._rest = self._rest.split(b"\r\n\r\n", 1)
            size = 0
            for line in head.split(b"\r\n"):
                if line.lower().startswith(b"content-length:"):
                    size = int(line.split(b":")[1])
            # A body that is longer than what came is taken as it comes: who sends it is not kept waiting here.
            self._rest = self._rest[size:]
            out += self._answer(head)
        if len(self._rest) > 65_536:
            self._rest = self._rest[-1:]
        return out

    def _answer(self, head: bytes) -> bytes:
        method, path = [*head.split(b" ", 2), b"", b""][:2]
        if b"Upgrade: websocket" in head:
            return b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
        if path.startswith(b"/login") and method == b"POST":
            return words.http_answer(401, b'{"error": "wrong"}')
        if path.startswith(b"/api/") and b"Authorization: Bearer good" not in head:
            return words.http_answer(401, b'{"error": "key"}')
        if path.startswith(b"/api/"):
            return words.http_answer(200, json.dumps({"readings": [{"seq": n, "battery_pct": 80} for n in range(30)]}).encode())
        if path.startswith(b"/big/"):
            return words.http_answer(200, bytes(1024 * min(int(path[5:].split(b"?")[0] or b"1"), 4096)), "application/octet-stream")
        if path in (b"/", b"/robots", b"/login", b"/health", b"/status") or path.startswith((b"/page/", b"/packages/")):
            return words.http_answer(200, b"<html>" + b"x" * 900 + b"</html>", "text/html")
        return words.http_answer(404)


@dataclass(slots=True)
class LogIn:
    """SSH as far as it is in the clear: after some rounds it closes, unless who came talks for long."""

    closed: bool = False
    _heard: int = 0
    _rounds: int = 0

    def greet(self) -> bytes:
        """Its version."""
        return b"SSH-2.0-OpenSSH_9.2p1\r\n"

    def hear(self, data: bytes) -> bytes:
        """Something of the usual length."""
        self._heard += len(data)
        self._rounds += 1
        if not data.startswith(b"SSH-") and self._rounds == 1:
            self.closed = True
            return b"Invalid SSH identification string.\r\n"
        return b"\0" * (900 if self._rounds == 1 else 60)


@dataclass(slots=True)
class Plc:
    """Modbus over TCP."""

    closed: bool = False

    def greet(self) -> bytes:
        """A PLC waits."""
        return b""

    def hear(self, data: bytes) -> bytes:
        """Registers, or what was written; unit 1 alone is there."""
        if len(data) < 12:
            self.closed = True
            return b""
        unit, function = data[6], data[7]
        if unit != 1:
            return data[:4] + b"\0\3" + bytes([unit, function | 0x80, 0x0B])
        if function in (5, 6, 16):
            return data[:12]
        many = struct.unpack("!H", data[10:12])[0] & 0x7F
        return data[:4] + struct.pack("!HBBB", 3 + 2 * many, unit, function, 2 * many) + bytes(2 * many)


@dataclass(slots=True)
class RobotLines:
    """The robot's own TCP protocol: a line in, a line out."""

    closed: bool = False

    def greet(self) -> bytes:
        """It waits."""
        return b""

    def hear(self, data: bytes) -> bytes:
        """One JSON line a line."""
        return b"".join(b'{"ok": true, "battery_pct": 80}\n' for _ in range(min(data.count(b"\n"), 100)))


@dataclass(slots=True)
class Sealed:
    """Whatever stands behind TLS."""

    closed: bool = False
    _greeted: bool = False

    def greet(self) -> bytes:
        """It waits."""
        return b""

    def hear(self, data: bytes) -> bytes:
        """A handshake, then answers of some length."""
        if not self._greeted:
            self._greeted = True
            if data[:1] != b"\x16":
                self.closed = True
                return b"\x15\x03\x03\x00\x02\x02\x46"
            return b"\x16\x03\x03\x04\x00" + bytes(1024) + b"\x17\x03\x03\x00\x40" + bytes(64)
        return b"\x17\x03\x03\x00\x20" + bytes(32)


@dataclass(slots=True)
class Mute:
    """Takes everything."""

    closed: bool = False

    def greet(self) -> bytes:
        """Nothing."""
        return b""

    def hear(self, data: bytes) -> bytes:
        """Nothing."""
        return b""


def talker(machine: Machine, port: int, broker: Broker, push: Push) -> Talker:
    """Who answers there."""
    if port == MQTT:
        return Session(broker, push)
    if port in (22,):
        return LogIn()
    if port == 502:
        return Plc()
    if port == ROBOT_TCP:
        return RobotLines()
    if port in (MQTTS, 443):
        return Sealed()
    if port in (80, WS, 8080, API, 9100):
        return Web()
    return Mute()


def answer_udp(site: Site, machine: Machine, port: int, data: bytes) -> bytes:
    """What a machine answers to a datagram."""
    if port == 53 and len(data) > 12:
        return _resolve(site, data)
    if port == 123:
        return b"\x24\x02" + bytes(46)
    if port == 161:
        return data if b"public" in data else b""
    return b""


def _resolve(site: Site, question: bytes) -> bytes:
    text = words.asked_name(question)
    label = text.split(".")[0]
    if text.endswith(".site") and label in site.machines:
        return words.dns_answer(question, site.machines[label].address)
    if text.endswith(".tunnel.example"):
        return words.dns_answer(question, more=b"ok" * 40)
    if text.endswith((".missing.example", ".invalid", ".site")):
        return words.dns_answer(question, failed=words.DNS_FAILED)
    outside = site.one("mirror").address if "mirror" in text else site.one("outside").address
    return words.dns_answer(question, outside)
