"""Counts what devices do: frames in, and a look at every device once a second. Knows protocols as far as they are in the clear.

Pure: time is that of the capture. A second without a frame is looked at when the next frame comes.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from typing import Final, NamedTuple

from croody_contract.flows import packets
from croody_contract.flows.capture import Frame
from croody_contract.flows.connections import Connection, Connections, Seen
from croody_contract.flows.counters import MOST_DIFFERENT, WINDOWS, Counter, Counters
from croody_contract.flows.packets import ARP, ICMP, ICMP6, TCP, UDP, Packet

_SECOND_NS: Final = 1_000_000_000
#: A gap in a capture that is longer is not walked through second by second.
_LONGEST_GAP: Final = 2 * WINDOWS[-1]
_IDLE_EVERY_S: Final = 5
_MOST_NAMES: Final = 4_096
_HASH_BYTES: Final = 8
_LOGIN_PORTS: Final = frozenset({21, 22, 23, 3389, 5900})
#: A log-in that ends sooner was none; and one after which more came was none of a password.
_SHORT_NS: Final = 10 * _SECOND_NS
_SHORT_BYTES: Final = 6_000
#: From so many addresses of one link address on they are held for invented.
_INVENTED: Final = 20
_DNS: Final = frozenset({53, 5353})
_LONG_NAME: Final = 60
_WIDE: Final = frozenset({b"#", b"+/#", b"$SYS/#", b"+/+/#"})
_HTTP: Final = (b"GET ", b"POST ", b"HEAD ", b"PUT ", b"DELETE ", b"OPTIONS ", b"PATCH ", b"CONNECT ", b"TRACE ")
_MQTT_PORTS: Final = frozenset({1883})


class Look(NamedTuple):
    """A device at the end of a second. `windows`: seconds -> counter -> value. `beside`: other devices of what it did, newest last."""

    at_ns: int
    device: bytes
    windows: dict[int, dict[Counter, int]]
    beside: tuple[bytes, ...]


class Meter:
    """Takes frames in the order of their times."""

    def __init__(self) -> None:
        self.counters = Counters()
        self.connections = Connections()
        self.frames = 0
        #: Frames of which nothing could be read.
        self.unread = 0
        self._second: int | None = None
        #: Address -> the MAC that had it first; MAC -> the address that it had first.
        self._macs: OrderedDict[bytes, bytes] = OrderedDict()
        self._owners: OrderedDict[bytes, bytes] = OrderedDict()
        self._beside: OrderedDict[bytes, OrderedDict[bytes, None]] = OrderedDict()
        self._mqtt: set[tuple[bytes, int]] = set()
        #: Who tried which name -> hashes of the secrets.
        self._tried: OrderedDict[tuple[bytes, bytes], set[bytes]] = OrderedDict()
        #: Link address -> addresses under which it failed lately.
        self._failing: dict[bytes, set[bytes]] = {}

    def take(self, frame: Frame) -> Iterator[Look]:
        """One frame; gives the looks of the seconds that it ends."""
        second = frame.at_ns // _SECOND_NS
        if self._second is None:
            self._start(second)
        elif second > self._second:
            yield from self._go_to(second)
        self.frames += 1
        packet = packets.parse(frame.link, frame.data)
        if packet is None:
            self.unread += 1
        else:
            self._count(packet, frame.at_ns)

    def pass_time(self, now_ns: int) -> Iterator[Look]:
        """Nothing came until now: gives the looks of the seconds that ended."""
        second = now_ns // _SECOND_NS
        if self._second is not None and second > self._second:
            yield from self._go_to(second)

    def end(self) -> Iterator[Look]:
        """The last look."""
        if self._second is not None:
            yield from self._look(self._second)

    def owner_of(self, mac: bytes) -> bytes | None:
        """The address that spoke first from this link address."""
        return self._owners.get(mac)

    # -- seconds ---------------------------------------------------------------------------------------------------

    def _start(self, second: int) -> None:
        self._second = second
        self.counters.begin(second)

    def _go_to(self, second: int) -> Iterator[Look]:
        assert self._second is not None
        first = max(self._second, second - _LONGEST_GAP)
        for passed in range(first, second):
            yield from self._look(passed)
            self._start(passed + 1)

    def _look(self, second: int) -> Iterator[Look]:
        """What is overdue is counted, then everybody with news is looked at."""
        now_ns = (second + 1) * _SECOND_NS
        for connection in self.connections.overdue(now_ns):
            self._failed(connection, refused=False)
        if second % _IDLE_EVERY_S == 0:
            self._count_idle(now_ns)
        if second % WINDOWS[0] == 0:
            self._failing.clear()
        for device in self.counters.devices():
            windows = {seconds: self.counters.window(device, seconds) for seconds in WINDOWS}
            yield Look(now_ns, device, windows, tuple(self._beside.get(device, ())))

    def _count_idle(self, now_ns: int) -> None:
        idle: dict[bytes, int] = {}
        for connection in self.connections.idle(now_ns):
            # A session that speaks MQTT may be silent as long as it likes; one that never said what it wants may not.
            if connection.speaks not in ("mqtt", "tls", "ssh"):
                idle[connection.source] = idle.get(connection.source, 0) + 1
        for device, number in idle.items():
            self.counters.at_least(device, Counter.IDLE, number)

    # -- packets ---------------------------------------------------------------------------------------------------

    def _count(self, packet: Packet, at_ns: int) -> None:
        counters = self.counters
        if packet.protocol == ARP:
            self._arp(packet)
            return
        counters.add(packet.source, Counter.PACKETS)
        counters.add(packet.target, Counter.VICTIM_PACKETS)
        if packet.mac and len(packet.source) == 4:
            self._remember(packet.source, packet.mac)
        if packet.fragment:
            counters.add(packet.source, Counter.FRAGMENTS)
        if packet.protocol == TCP:
            self._tcp(packet, at_ns)
        elif packet.protocol == UDP:
            self._udp(packet)
        elif packet.protocol in (ICMP, ICMP6):
            self._icmp(packet)

    def _tcp(self, packet: Packet, at_ns: int) -> None:
        seen = self.connections.take(packet, at_ns)
        connection = seen.connection
        if seen.refused:
            self._failed(connection, refused=True)
        if seen.opened:
            self.counters.add(connection.source, Counter.CONNECTS)
            self._with(connection.source, connection.target)
        if packet.payload:
            self._words(packet, seen)
        if seen.ended and connection.port in _LOGIN_PORTS and _is_short_login(connection, at_ns):
            self.counters.add(connection.source, Counter.SHORT_LOGINS)

    def _failed(self, connection: Connection, *, refused: bool) -> None:
        """It was refused, not answered, or not completed."""
        if not connection.known:
            return
        device = self._sender(connection)
        self._with(device, connection.target)
        if not refused:
            self.counters.add(device, Counter.HALF_OPEN)
            self.counters.add(connection.target, Counter.VICTIM_HALF_OPEN)
            self._with(connection.target, device)
        if connection.answered and not refused:
            return
        self.counters.note(device, Counter.FAILED_PORTS, (connection.target, connection.port))
        self.counters.note(device, Counter.FAILED_HOSTS, connection.target)

    def _sender(self, connection: Connection) -> bytes:
        """Its address; where one link address fails under many, they are invented, and it is the address that really spoke there."""
        if not connection.mac:
            return connection.source
        failed = self._failing.setdefault(connection.mac, set())
        if len(self._failing) > _MOST_NAMES:
            self._failing.clear()
        if len(failed) < _INVENTED:
            failed.add(connection.source)
            return connection.source
        return self._owners.get(connection.mac, connection.source)

    def _words(self, packet: Packet, seen: Seen) -> None:
        connection, payload = seen.connection, packet.payload
        if not connection.speaks and seen.outward:
            connection.speaks = self._language(connection, payload)
            if connection.speaks == "nonsense":
                self.counters.add(connection.source, Counter.MQTT_MALFORMED)
                self._with(connection.source, connection.target)
        if connection.speaks == "mqtt":
            self._mqtt_words(connection, payload, outward=seen.outward)
        elif connection.speaks == "http":
            self._http_words(connection, payload, outward=seen.outward)

    def _language(self, connection: Connection, payload: bytes) -> str:
        if payload[:1] == b"\x16" and payload[1:2] == b"\x03":
            return "tls"
        if payload.startswith(b"SSH-"):
            return "ssh"
        if payload.startswith(_HTTP):
            return "http" if not self._is_mqtt(connection) else "nonsense"
        if payload[:1] == b"\x10" and (b"MQTT" in payload[2:12] or b"MQIsdp" in payload[2:14]):
            self._mqtt.add((connection.target, connection.port))
            connection.note = _log_in(payload)
            return "mqtt"
        return "nonsense" if self._is_mqtt(connection) and connection.known else "other"

    def _is_mqtt(self, connection: Connection) -> bool:
        return connection.port in _MQTT_PORTS or (connection.target, connection.port) in self._mqtt

    def _mqtt_words(self, connection: Connection, payload: bytes, *, outward: bool) -> None:
        kind = payload[0] >> 4
        if outward and kind == 3:
            self.counters.add(connection.source, Counter.MQTT_PUBLISHES)
        elif outward and kind == 8:
            for topic_filter in _filters(payload):
                if topic_filter in _WIDE:
                    self.counters.note(connection.source, Counter.MQTT_WIDE, topic_filter)
                    self._with(connection.source, connection.target)
        elif not outward and kind == 2 and len(payload) >= 4 and payload[3]:
            self.counters.add(connection.source, Counter.MQTT_REFUSED)
            self._guess(connection)
            self._with(connection.source, connection.target)

    def _guess(self, connection: Connection) -> None:
        """A name that is tried with one secret again and again was set up wrongly; with a second one, both count as guesses."""
        name, secret = connection.note[:_HASH_BYTES], connection.note[_HASH_BYTES:]
        tried = self._tried.setdefault((connection.source, name), set())
        if len(self._tried) > _MOST_NAMES:
            self._tried.popitem(last=False)
        if len(tried) < MOST_DIFFERENT:
            tried.add(secret)
        if len(tried) > 1:
            for each in tried if len(tried) == 2 else (secret,):
                self.counters.note(connection.source, Counter.MQTT_SECRETS, (name, each))

    def _http_words(self, connection: Connection, payload: bytes, *, outward: bool) -> None:
        if outward and payload.startswith(_HTTP):
            parts = payload.split(b" ", 2)
            self.counters.note(connection.source, Counter.HTTP_PATHS, parts[1][:100] if len(parts) > 1 else b"")
        elif not outward and payload.startswith(b"HTTP/1.") and payload[9:10] in b"45":
            self.counters.add(connection.source, Counter.HTTP_ERRORS)
            self._with(connection.source, connection.target)

    def _udp(self, packet: Packet) -> None:
        if packet.target_port in _DNS and len(packet.payload) > 12:
            name = packet.payload[12 : 12 + 255].split(b"\0", 1)[0]
            if len(name) >= _LONG_NAME:
                self.counters.note(packet.source, Counter.DNS_LONG, name)
        # An answer that says that there is no such name: of who asked.
        elif packet.source_port == 53 and len(packet.payload) > 4 and packet.payload[2] & 0x80 and packet.payload[3] & 0x0F == 3:
            self.counters.add(packet.target, Counter.DNS_FAILED)

    def _icmp(self, packet: Packet) -> None:
        kind, code = packet.source_port, packet.target_port
        if kind == (8 if packet.protocol == ICMP else 128):
            self.counters.add(packet.source, Counter.PINGS)
            self.counters.note(packet.source, Counter.PINGED_HOSTS, packet.target)
            self._with(packet.source, packet.target)
        elif packet.protocol == ICMP and kind == 3 and code == 3 and len(packet.payload) >= 24:
            header = (packet.payload[0] & 15) * 4
            port = packet.payload[header + 2 : header + 4]
            if packet.payload[9] == UDP:
                self.counters.note(packet.target, Counter.UDP_REFUSED, (packet.source, port))
                self._with(packet.target, packet.source)
        elif packet.protocol == ICMP6 and kind == 135 and len(packet.payload) >= 16:
            self.counters.note(packet.source, Counter.ARP_HOSTS, packet.payload[:16])

    def _arp(self, packet: Packet) -> None:
        sender, mac = packet.source, packet.payload
        if sender != b"\0\0\0\0":
            if self._macs.get(sender, mac) != mac:
                liar = self._owners.get(mac, sender)
                self.counters.add(liar, Counter.ARP_CLAIMS)
                self._with(liar, sender)
            else:
                self._remember(sender, mac)
        if packet.source_port == 1 and packet.target != sender:
            self.counters.note(sender, Counter.ARP_HOSTS, packet.target)

    # -- who is who ------------------------------------------------------------------------------------------------

    def _remember(self, address: bytes, mac: bytes) -> None:
        if address not in self._macs and mac not in self._owners:
            _keep(self._macs, address, mac)
            _keep(self._owners, mac, address)

    def _with(self, device: bytes, other: bytes) -> None:
        if device == other:
            return
        others = self._beside.setdefault(device, OrderedDict())
        others[other] = None
        others.move_to_end(other)
        if len(others) > 20:
            others.popitem(last=False)
        if len(self._beside) > _MOST_NAMES:
            self._beside.popitem(last=False)


def _keep(table: OrderedDict[bytes, bytes], key: bytes, value: bytes) -> None:
    table[key] = value
    if len(table) > _MOST_NAMES:
        table.popitem(last=False)


def _is_short_login(connection: Connection, at_ns: int) -> bool:
    """Whether it ended too soon for anybody to have been let in."""
    short = at_ns - connection.began_ns < _SHORT_NS and connection.said + connection.heard < _SHORT_BYTES
    return short and connection.known and connection.heard > 0


def _log_in(payload: bytes) -> bytes:
    """Hashes of the name and of the secret of a CONNECT, as far as it was captured; never what they are."""
    at = payload.find(b"MQ", 2, 12)
    at += (6 if payload[at : at + 6] == b"MQIsdp" else 4) + 1
    flags = payload[at] if at < len(payload) else 0
    at += 3
    skipped = 1 + (2 if flags & 0x04 else 0)
    for _ in range(skipped):
        at = _behind(payload, at)
    end = _behind(payload, at) if flags & 0x80 else at
    parts = payload[at:end], payload[end:] if flags & 0x40 else b""
    return b"".join(hashlib.blake2b(part, digest_size=_HASH_BYTES).digest() for part in parts)


def _behind(payload: bytes, at: int) -> int:
    """Where the field that begins here ends."""
    return at + 2 + int.from_bytes(payload[at : at + 2], "big")


def _filters(payload: bytes) -> Iterator[bytes]:
    """Of a SUBSCRIBE, as far as it was captured."""
    at = 1
    while at < min(len(payload), 5) and payload[at] & 0x80:
        at += 1
    at += 3
    while at + 2 < len(payload):
        size = int.from_bytes(payload[at : at + 2], "big")
        yield payload[at + 2 : at + 2 + size]
        at += 3 + size
