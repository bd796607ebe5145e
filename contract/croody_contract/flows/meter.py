"""Counts what devices do: frames in, and a look at every device once a second. Knows protocols as far as they are in the clear.

Pure: time is that of the capture. A second without a frame is looked at when the next frame comes.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final, NamedTuple

from croody_contract.flows import packets
from croody_contract.flows.capture import Frame
from croody_contract.flows.connections import Connection, Connections, Seen
from croody_contract.flows.counters import WINDOWS, Counter, Counters
from croody_contract.flows.discovery import Discovery
from croody_contract.flows.mqtt import Mqtt, log_in
from croody_contract.flows.names import Names, is_private
from croody_contract.flows.packets import ACK, ARP, ICMP, ICMP6, RST, SYN, TCP, UDP, Packet

_SECOND_NS: Final = 1_000_000_000
#: A gap in a capture that is longer is not walked through second by second.
_LONGEST_GAP: Final = 2 * WINDOWS[-1]
_IDLE_EVERY_S: Final = 5
_MOST_NAMES: Final = 4_096
_LOGIN_PORTS: Final = frozenset({21, 22, 23, 3389, 5900})
#: A log-in that ends sooner was none; and one after which more came was none of a password.
_SHORT_NS: Final = 10 * _SECOND_NS
_SHORT_BYTES: Final = 6_000
#: From so many addresses of one link address on they are held for invented.
_INVENTED: Final = 20
_DNS: Final = frozenset({53, 5353})
_LONG_NAME: Final = 60
_HTTP: Final = (b"GET ", b"POST ", b"HEAD ", b"PUT ", b"DELETE ", b"OPTIONS ", b"PATCH ", b"CONNECT ", b"TRACE ")
_MQTT_PORTS: Final = frozenset({1883})
#: Where a session is long and its questions are readings.
_BROKER_PORTS: Final = frozenset({1883, 8883})
_WEB_PORTS: Final = frozenset({80, 443, 8080, 8443})
_MODBUS: Final = 502
_MODBUS_WRITES: Final = frozenset({5, 6, 15, 16, 22, 23})
_SNMP: Final = 161
#: Below this somebody serves.
_SERVED: Final = 1_024
_LEASES: Final = 67
_LEASED: Final = 68
_IGMP: Final = 2
_USUAL: Final = frozenset({ARP, ICMP, _IGMP, TCP, UDP, ICMP6, 0})
#: Who spoke under an address within this time still has it, seconds.
_STILL_S: Final = 10
#: Two beats are alike when they differ by less than this share, and by less than this, nanoseconds.
_ALIKE: Final = 0.1
_ALIKE_NS: Final = 200_000_000
_SHORTEST_BEAT_NS: Final = 1_000_000_000


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
        self._brokers: set[tuple[bytes, int]] = set()
        self._mqtt = Mqtt(self.counters, self._with)
        self._names = Names()
        self._discovery = Discovery()
        #: Address -> when who had it first spoke under it last, seconds.
        self._spoke: OrderedDict[bytes, int] = OrderedDict()
        #: Address -> whether it is of the site, or said to all.
        self._private: OrderedDict[bytes, bool] = OrderedDict()
        #: Who opened which place outside -> when last, and how long after the one before, nanoseconds; how often alike.
        self._rhythm: OrderedDict[tuple[bytes, bytes, int], tuple[int, int, int]] = OrderedDict()
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
        if packet.mac:
            self._speaks(packet, at_ns)
        if not self._is_private(packet.target):
            counters.add(packet.source, Counter.BYTES_OUT, len(packet.payload))
            if packet.protocol not in _USUAL and not packet.fragment:
                counters.add(packet.source, Counter.ODD_PROTOCOLS)
        if packet.fragment:
            counters.add(packet.source, Counter.FRAGMENTS)
        if packet.protocol == TCP:
            self._tcp(packet, at_ns)
        elif packet.protocol == UDP:
            self._udp(packet, at_ns)
        elif packet.protocol in (ICMP, ICMP6):
            self._icmp(packet, at_ns // _SECOND_NS)

    def _tcp(self, packet: Packet, at_ns: int) -> None:
        seen = self.connections.take(packet, at_ns)
        connection = seen.connection
        if seen.refused:
            self._failed(connection, refused=True)
        if seen.begun:
            self._begun(connection, packet, at_ns)
        if seen.opened:
            self._opened(connection)
        if packet.payload:
            self._words(packet, seen)
        if seen.ended and connection.port not in _WEB_PORTS and _is_short(connection, at_ns):
            self._short(connection)

    def _begun(self, connection: Connection, packet: Packet, at_ns: int) -> None:
        """Its first packet."""
        if packet.flags & SYN:
            if connection.port not in _WEB_PORTS:
                self.counters.note(connection.source, Counter.REACHED, (connection.target, connection.port))
                self.counters.note(connection.source, Counter.REACHED_HOSTS, connection.target)
            if not self._is_private(connection.target):
                self._beat(connection, at_ns)
        elif not packet.flags & (ACK | RST) and not packet.payload:
            # No stack sends this: FIN alone, all flags, none.
            self.counters.note(connection.source, Counter.STRAYS, (connection.target, connection.port))
            self._with(connection.source, connection.target)

    def _short(self, connection: Connection) -> None:
        """It ended too soon, and said too little, to have been of use."""
        if connection.port not in _LOGIN_PORTS:
            self.counters.add(connection.source, Counter.SHORT_SESSIONS)
        elif connection.heard:
            self.counters.add(connection.source, Counter.SHORT_LOGINS)

    def _opened(self, connection: Connection) -> None:
        self.counters.add(connection.source, Counter.CONNECTS)
        if connection.port in _LOGIN_PORTS:
            self.counters.note(connection.source, Counter.LOGIN_HOSTS, connection.target)
        self._with(connection.source, connection.target)

    def _beat(self, connection: Connection, at_ns: int) -> None:
        key = (connection.source, connection.target, connection.port)
        last_ns, before_ns, alike = self._rhythm.pop(key, (0, 0, 0))
        gap_ns = at_ns - last_ns
        if last_ns and gap_ns < _SHORTEST_BEAT_NS:
            # Several at once are one beat.
            self._rhythm[key] = (last_ns, before_ns, alike)
            return
        alike = alike + 1 if abs(gap_ns - before_ns) <= min(_ALIKE_NS, _ALIKE * gap_ns) else 0
        self._rhythm[key] = (at_ns, gap_ns, alike)
        if len(self._rhythm) > _MOST_NAMES:
            self._rhythm.popitem(last=False)
        self.counters.at_least(connection.source, Counter.BEATS, alike)

    def _failed(self, connection: Connection, *, refused: bool) -> None:
        """It was refused, not answered, or not completed."""
        if not connection.known:
            if refused and not connection.said:
                self.counters.note(connection.source, Counter.STRAYS, (connection.target, connection.port))
                self._with(connection.source, connection.target)
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
        if self._is_private(connection.target):
            self._turn(connection, packet.size, outward=seen.outward)
        if not connection.speaks and seen.outward:
            connection.speaks = self._language(connection, payload)
            if connection.speaks == "nonsense":
                self.counters.add(connection.source, Counter.MQTT_MALFORMED)
                self._with(connection.source, connection.target)
        if connection.speaks == "mqtt":
            self._mqtt.said(connection, payload, packet.size, outward=seen.outward)
        elif connection.speaks == "http":
            self._http_words(connection, payload, outward=seen.outward)
        elif connection.port == _MODBUS and seen.outward and len(payload) >= 8 and payload[2:4] == b"\0\0":
            self._modbus(connection, payload)

    def _turn(self, connection: Connection, size: int, *, outward: bool) -> None:
        """Who opened it says something, or is answered: known also of what nobody can read."""
        if not outward:
            connection.heard_last = True
            return
        self.counters.add(connection.source, Counter.BYTES_UP, size)
        if connection.heard_last:
            connection.heard_last = False
            if connection.port not in _LOGIN_PORTS and connection.port not in _BROKER_PORTS and connection.speaks != "mqtt":
                self.counters.add(connection.source, Counter.TURNS)

    def _language(self, connection: Connection, payload: bytes) -> str:
        if payload[:1] == b"\x16" and payload[1:2] == b"\x03":
            return "tls"
        if payload.startswith(b"SSH-"):
            return "ssh"
        if payload.startswith(_HTTP):
            return "http" if not self._is_mqtt(connection) else "nonsense"
        if payload[:1] == b"\x10" and (b"MQTT" in payload[2:12] or b"MQIsdp" in payload[2:14]):
            self._brokers.add((connection.target, connection.port))
            connection.note = log_in(payload)
            return "mqtt"
        return "nonsense" if self._is_mqtt(connection) and connection.known else "other"

    def _is_mqtt(self, connection: Connection) -> bool:
        return connection.port in _MQTT_PORTS or (connection.target, connection.port) in self._brokers

    def _http_words(self, connection: Connection, payload: bytes, *, outward: bool) -> None:
        if outward and payload.startswith(_HTTP):
            parts = payload.split(b" ", 2)
            self.counters.note(connection.source, Counter.HTTP_PATHS, parts[1][:100] if len(parts) > 1 else b"")
        elif not outward and payload.startswith(b"HTTP/1.") and payload[9:10] in b"45":
            self.counters.add(connection.source, Counter.HTTP_ERRORS)
            self._with(connection.source, connection.target)

    def _modbus(self, connection: Connection, payload: bytes) -> None:
        self.counters.note(connection.source, Counter.PLC_UNITS, (connection.target, payload[6]))
        if payload[7] in _MODBUS_WRITES:
            self.counters.add(connection.source, Counter.PLC_WRITES)
            self._with(connection.source, connection.target)

    def _udp(self, packet: Packet, at_ns: int) -> None:
        source, target, payload = packet.source, packet.target, packet.payload
        if packet.target_port == _SNMP and packet.source_port != _SNMP:
            self.counters.note(source, Counter.SNMP_TRIES, (target, _community(payload)))
            self.counters.note(source, Counter.SNMP_HOSTS, target)
        elif packet.source_port == _LEASES and packet.target_port == _LEASED:
            self.counters.add(source, Counter.LEASES_GIVEN)
        if packet.source_port >= _SERVED:
            # What comes from a lower port is an answer.
            self._sent(packet, at_ns // _SECOND_NS)
        if packet.target_port == 53:
            self.counters.add(source, Counter.DNS_ASKED)
        if packet.target_port == 53 and len(payload) > 12 and not payload[2] & 0x80:
            self._names.ask(source, packet.source_port, target, payload[:2], at_ns)
        elif packet.source_port == 53 and len(payload) > 12 and payload[2] & 0x80:
            liar = self._true(source, packet.mac)
            for counter in self._names.answer(source, target, packet.target_port, payload, at_ns):
                self.counters.add(liar, counter)
                self._with(liar, target)
        if packet.target_port in _DNS and len(packet.payload) > 12:
            name = packet.payload[12 : 12 + 255].split(b"\0", 1)[0]
            if len(name) >= _LONG_NAME:
                self.counters.note(packet.source, Counter.DNS_LONG, name)
        # An answer that says that there is no such name: of who asked.
        elif packet.source_port == 53 and len(packet.payload) > 4 and packet.payload[2] & 0x80 and packet.payload[3] & 0x0F == 3:
            self.counters.add(packet.target, Counter.DNS_FAILED)

    def _sent(self, packet: Packet, second: int) -> None:
        """A datagram that is no answer."""
        source, place = packet.source, (packet.target, packet.target_port)
        if self._discovery.announces(source, *place, second):
            return
        known = self._discovery.between(source, *place, second)
        self.counters.note(source, Counter.DISCOVERY if known else Counter.UDP_PORTS, place)

    def _icmp(self, packet: Packet, second: int) -> None:
        kind, code = packet.source_port, packet.target_port
        if kind == (8 if packet.protocol == ICMP else 128):
            self.counters.add(packet.source, Counter.PINGS)
            if packet.target not in self._macs:
                self.counters.note(packet.source, Counter.PINGED_HOSTS, packet.target)
            self.counters.note(packet.source, Counter.PING_SIZES, len(packet.payload))
            self._with(packet.source, packet.target)
        elif kind == (0 if packet.protocol == ICMP else 129):
            self.counters.forget(packet.target, Counter.PINGED_HOSTS, packet.source)
        elif packet.protocol == ICMP and kind == 3 and code == 3 and len(packet.payload) >= 24:
            header = (packet.payload[0] & 15) * 4
            port = packet.payload[header + 2 : header + 4]
            asked = (packet.source, int.from_bytes(port, "big"))
            if packet.payload[9] == UDP and not self._discovery.between(packet.target, *asked, second):
                self.counters.note(packet.target, Counter.UDP_REFUSED, asked)
                self._with(packet.target, packet.source)
        elif packet.protocol == ICMP6 and kind == 135 and len(packet.payload) >= 16:
            self.counters.note(packet.source, Counter.ARP_HOSTS, packet.payload[:16])
        elif packet.protocol == ICMP6 and kind == 134:
            self.counters.add(packet.source, Counter.ROUTER_CLAIMS)
        elif packet.protocol == ICMP6 and kind == 136 and len(packet.payload) >= 16:
            self._claims(packet.payload[:16], packet.payload[18:24] if packet.payload[16:18] == b"\x02\x01" else packet.mac)

    def _arp(self, packet: Packet) -> None:
        sender, mac = packet.source, packet.payload
        if sender != b"\0\0\0\0":
            self._claims(sender, mac)
        if packet.source_port == 1 and packet.target != sender:
            self.counters.note(sender, Counter.ARP_HOSTS, packet.target)

    # -- who is who ------------------------------------------------------------------------------------------------

    def _claims(self, address: bytes, mac: bytes) -> None:
        """A link address says that this address is its own."""
        if self._macs.get(address, mac) != mac:
            liar = self._owners.get(mac, address)
            self.counters.add(liar, Counter.ARP_CLAIMS)
            self._with(liar, address)
        else:
            self._remember(address, mac)

    def _speaks(self, packet: Packet, at_ns: int) -> None:
        """Somebody sends under an address: who has it, or somebody else while its owner still speaks."""
        source, second = packet.source, at_ns // _SECOND_NS
        owner = self._macs.get(source)
        if owner is None:
            if len(source) == 4 or source[:1] != b"\xfe":
                self._remember(source, packet.mac)
        elif owner == packet.mac:
            self._spoke[source] = second
            if len(self._spoke) > _MOST_NAMES:
                self._spoke.popitem(last=False)
        elif second - self._spoke.get(source, -_STILL_S) < _STILL_S:
            liar = self._owners.get(packet.mac)
            if liar is not None:
                self.counters.add(liar, Counter.BORROWED)
                self._with(liar, source)

    def _true(self, source: bytes, mac: bytes) -> bytes:
        """Who sent something under an address that is another's."""
        owner = self._macs.get(source, mac)
        return source if owner == mac else self._owners.get(mac, source)

    def _is_private(self, address: bytes) -> bool:
        known = self._private.get(address)
        if known is None:
            known = self._private[address] = is_private(address)
            if len(self._private) > _MOST_NAMES:
                self._private.popitem(last=False)
        return known

    def _remember(self, address: bytes, mac: bytes) -> None:
        """Who was first has it. A machine may have several addresses of the site; the many outside are not the router's."""
        if address in self._macs or (mac in self._owners and not self._is_private(address)):
            return
        _keep(self._macs, address, mac)
        if mac not in self._owners:
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


def _community(payload: bytes) -> bytes:
    """Of an SNMP message, as far as it was captured."""
    return payload[7 : 7 + payload[6]] if len(payload) > 6 else b""


def _is_short(connection: Connection, at_ns: int) -> bool:
    """Whether it ended too soon for anybody to have been let in."""
    short = at_ns - connection.began_ns < _SHORT_NS and connection.said + connection.heard < _SHORT_BYTES
    return short and connection.known and connection.open
