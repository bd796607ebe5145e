"""A network that exists in a file only: every packet that machines would send, with true bytes, in a time of its own.

An hour takes seconds and needs no rights, and the same seed gives the same bytes. It is no measurement of a real stack: nothing is lost,
nothing is late, and a window is never full.
"""

import heapq
import types
from collections import deque
from collections.abc import Coroutine, Generator
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any, Final

from croody_contract.flows import packets
from croody_contract.flows.capture import Frame
from croody_contract.flows.packets import ACK, FIN, ICMP, ICMP6, RST, SYN, TCP, UDP, Packet
from croody_edge.sim.lab import frames, services
from croody_edge.sim.lab.site import INSIDE, INSIDE6, Machine, Site

_NEAR_S: Final = 0.0004
_FAR_S: Final = 0.03
_SEGMENT: Final = 1_448
#: Segments a second of one connection.
_RATE: Final = 8_000
#: What is known of a neighbour is asked again after so long, seconds.
_NEIGHBOUR_S: Final = 60.0
#: Linux answers "nobody listens there" so often at once, and then once a second.
_BURST: Final = 6
_BUFFER: Final = 262_144
#: Machines whose firewall answers nothing.
_SILENT: Final = frozenset({"cloud", "camera"})
#: Connections that one machine accepts and nobody closed.
_MOST_OPEN: Final = 65_536


class Full(Exception):
    """The capture has as many frames as it may."""


@types.coroutine
def _until(at: float) -> Generator[float, None, None]:
    """Wait for a moment, seconds since 1970."""
    yield at


@dataclass(slots=True)
class _Task:
    run: Coroutine[Any, Any, None]
    #: Which of its wake-ups counts.
    turn: int = 0


class Wire:
    """The network, its clock and its capture. `most`: frames that it may have."""

    def __init__(self, site: Site, seed: str, began: float, most: int) -> None:
        self.site = site
        self.now = self.until = began
        self.broker = services.Broker(site.accounts)
        #: (name, port) that is not there now.
        self.down: set[tuple[str, int]] = set()
        self._rng = Random(f"wire:{seed}")
        self._most = most
        self._frames: list[tuple[int, int, bytes]] = []
        self._order = count()
        self._due: list[tuple[float, int, _Task, int]] = []
        self.task: _Task | None = None
        self._by_address = {
            address: machine for machine in site.machines.values() for address in (machine.address, machine.address6) if address
        }
        self._hosts: dict[str, WireHost] = {}
        self._known: dict[tuple[str, str], float] = {}
        self._allowance: dict[str, tuple[float, float]] = {}
        self._seed = seed

    # -- time ------------------------------------------------------------------------------------------------------

    def start(self, run: Coroutine[Any, Any, None], at: float) -> None:
        """Let something happen from then on."""
        self._wake_at(_Task(run), at)

    def _wake_at(self, task: _Task, at: float) -> None:
        task.turn += 1
        heapq.heappush(self._due, (at, next(self._order), task, task.turn))

    def wake(self, task: _Task) -> None:
        """It need not wait any longer."""
        self._wake_at(task, self.now)

    def run(self, until: float) -> None:
        """Let time pass, until then or until `self.until`.

        Raises:
            Full: too many frames.
        """
        self.until = until
        while self._due and self._due[0][0] <= self.until:
            at, _order, task, turn = heapq.heappop(self._due)
            if turn != task.turn:
                continue
            self.now, self.task = max(self.now, at), task
            try:
                wish = task.run.send(None)
            except StopIteration:
                continue
            self._wake_at(task, max(wish, self.now))
        for _at, _order, task, turn in self._due:
            if turn == task.turn:
                task.run.close()

    # -- frames ----------------------------------------------------------------------------------------------------

    def emit(self, data: bytes, after_s: float = 0.0) -> None:
        """A frame is on the wire."""
        if len(self._frames) >= self._most:
            raise Full(f"{self._most} frames")
        self._frames.append((int((self.now + after_s) * 1e9), len(self._frames), data))

    def capture(self) -> list[Frame]:
        """All of it, in the order of times."""
        return [Frame(at_ns, 1, len(data), data) for at_ns, _order, data in sorted(self._frames)]

    def host(self, name: str) -> "WireHost":
        """A machine that acts."""
        if name not in self._hosts:
            self._hosts[name] = WireHost(self, self.site.machines[name], Random(f"host:{self._seed}:{name}"))
        return self._hosts[name]

    def machine(self, address: str) -> Machine | None:
        """Whose an address is."""
        return self._by_address.get(address)

    def mac_of(self, address: str) -> bytes:
        """Where frames for it go: what is not of the site goes to the router."""
        if address.startswith((INSIDE, INSIDE6)):
            machine = self.machine(address)
            return machine.mac if machine else b"\x02\xde\xad" + frames.packed(address)[-3:]
        bits = frames.packed(address)
        if bits[0] == 0xFF or 224 <= bits[0] < 240:
            return frames.multicast_mac(address) if bits[0] != 0xFF or len(bits) == 16 else frames.BROADCAST
        return self.site.one("router").mac

    def delay(self, one: str, other: str) -> float:
        """One way between two addresses, seconds."""
        near = one.startswith((INSIDE, INSIDE6)) and other.startswith((INSIDE, INSIDE6))
        return (_NEAR_S if near else _FAR_S) * self._rng.uniform(0.7, 1.6)

    def is_open(self, machine: Machine, port: int) -> bool:
        """Whether somebody listens there now."""
        return port in machine.offers and (machine.name, port) not in self.down

    def say(self, source: str, target: str, packet: bytes, after_s: float = 0.0, *, mac: bytes | None = None) -> None:
        """An IP packet on the wire, from the link address of who has it, or through the router."""
        self.emit(frames.ethernet(self.mac_of(target), mac or self.mac_of(source), frames.kind_of(source), packet), after_s)

    def meet(self, me: Machine, address: str) -> bool:
        """Ask whose an address of the site is, where that is not known any more. False: nobody answers."""
        if not address.startswith((INSIDE, INSIDE6)):
            address = self.site.one("router").address
        if self.now - self._known.get((me.name, address), -1e9) < _NEIGHBOUR_S:
            return True
        other = self.machine(address)
        six = ":" in address
        for turn in range(1 if other else 3):
            if six:
                packet = frames.neighbour(me.address6, address, me.mac)
                self.emit(frames.ethernet(frames.multicast_mac(frames.many_of(address)), me.mac, frames.IPV6, packet), turn)
            else:
                asked = frames.arp(1, me.mac, me.address, address)
                self.emit(frames.ethernet(frames.BROADCAST, me.mac, frames.ARP, asked), turn)
        if other is None:
            return False
        if six:
            self.say(address, me.address6, frames.neighbour(address, me.address6, other.mac, answer=True), _NEAR_S)
        else:
            told = frames.arp(2, other.mac, address, me.address, me.mac)
            self.emit(frames.ethernet(me.mac, other.mac, frames.ARP, told), _NEAR_S)
        self._known[me.name, address] = self.now
        return True

    def may_refuse(self, machine: Machine) -> bool:
        """Whether it says that nobody listens on a port of UDP: systems limit how often they do."""
        left, at = self._allowance.get(machine.name, (float(_BURST), self.now))
        left = min(float(_BURST), left + self.now - at)
        self._allowance[machine.name] = (max(0.0, left - 1), self.now)
        return left >= 1

    def respond(self, packet: Packet, original: bytes) -> bytes:
        """What the machine that a packet is for answers by itself; returns the answer of UDP."""
        if packet.protocol == packets.ARP:
            self._arp(packet)
            return b""
        source, target = packets.text(packet.source), packets.text(packet.target)
        machine = self.machine(target)
        if machine is None or packet.fragment:
            return b""
        if packet.protocol == TCP:
            self._tcp(packet, source, target, machine)
        elif packet.protocol == UDP:
            return self._udp(packet, source, target, machine, original)
        elif packet.protocol in (ICMP, ICMP6) and packet.source_port in (8, 128):
            number = 0
            self.say(target, source, frames.ping(target, source, number, packet.payload, answer=True), self.delay(source, target))
        return b""

    def _arp(self, packet: Packet) -> None:
        asked, asking = packets.text(packet.target), packets.text(packet.source)
        machine = self.machine(asked)
        if packet.source_port == 1 and machine is not None and asked != asking and machine.mac != packet.mac:
            told = frames.arp(2, machine.mac, asked, asking, packet.mac)
            self.emit(frames.ethernet(packet.mac, machine.mac, frames.ARP, told), _NEAR_S)

    def _tcp(self, packet: Packet, source: str, target: str, machine: Machine) -> None:
        there, back = (target, packet.target_port), (source, packet.source_port)
        wait = self.delay(source, target)
        if packet.flags & RST:
            return
        if self.is_open(machine, packet.target_port):
            if packet.flags & (SYN | ACK) == SYN:
                self.say(target, source, frames.tcp(*there, *back, SYN | ACK, 9_000, 1), wait)
                owner = self.machine(source)
                if owner is not None and owner.mac == packet.mac:
                    # Its own system knows of no such connection.
                    self.say(source, target, frames.tcp(*back, *there, RST, 1), wait + _NEAR_S)
                return
            if not packet.flags & ACK:
                return
        elif machine.role in _SILENT:
            return
        self.say(target, source, frames.tcp(*there, *back, RST | ACK, 0, 1), wait)

    def _udp(self, packet: Packet, source: str, target: str, machine: Machine, original: bytes) -> bytes:
        wait = self.delay(source, target)
        if packet.target_port in machine.offers_udp:
            answer = services.answer_udp(self.site, machine, packet.target_port, packet.payload)
            if answer:
                self.say(target, source, frames.udp(target, packet.target_port, source, packet.source_port, answer), wait)
            return answer
        if machine.role not in _SILENT and self.may_refuse(machine):
            self.say(target, source, frames.unreachable(target, source, original), wait)
        return b""


class WireHost:
    """See `host.Host`."""

    def __init__(self, wire: Wire, machine: Machine, rng: Random) -> None:
        self.wire, self.machine, self.rng, self.site = wire, machine, rng, wire.site
        self._ports = count(rng.randrange(33_000, 50_000))

    def now(self) -> float:
        """See `host.Host`."""
        return self.wire.now

    async def sleep(self, seconds: float) -> None:
        """See `host.Host`."""
        await _until(self.wire.now + max(0.0, seconds))

    def mac_of(self, address: str) -> bytes:
        """See `host.Host`."""
        return self.wire.mac_of(address)

    def other(self, name: str) -> "WireHost":
        """See `host.Host`."""
        return self.wire.host(name)

    async def set_down(self, name: str, port: int, *, down: bool) -> None:
        """See `host.Host`."""
        (self.wire.down.add if down else self.wire.down.discard)((name, port))
        if down:
            for session in list(self.wire.broker.sessions.values()):
                session.closed = True
                session.push(b"")
            self.wire.broker.sessions.clear()

    def _own(self, address: str, source: str = "") -> str:
        return source or (self.machine.address6 if ":" in address else self.machine.address)

    def _port(self) -> int:
        return 33_000 + next(self._ports) % 27_000

    async def connect(self, address: str, port: int, *, within_s: float = 1.0, source: str = "") -> "WireConnection | None":
        """See `host.Host`."""
        wire, own, mine = self.wire, self._own(address, source), self._port()
        if not wire.meet(self.machine, address):
            await self.sleep(min(within_s, 3.0))
            return None
        await self.sleep(2 * _NEAR_S)
        other = wire.machine(address)
        first = self.rng.randrange(2**32)
        there, here = (address, port), (own, mine)
        if other is None or (not wire.is_open(other, port) and other.role in _SILENT):
            for again in (0.0, 1.0, 3.0):
                if again <= within_s:
                    wire.say(own, address, frames.tcp(*here, *there, SYN, first), again, mac=self.machine.mac)
            await self.sleep(within_s)
            return None
        wait = wire.delay(own, address)
        wire.say(own, address, frames.tcp(*here, *there, SYN, first), mac=self.machine.mac)
        if not wire.is_open(other, port):
            wire.say(address, own, frames.tcp(*there, *here, RST | ACK, 0, first + 1), wait)
            await self.sleep(wait * 2)
            return None
        connection = WireConnection(self, other, here, there, first + 1, self.rng.randrange(2**32) + 1)
        wire.say(address, own, frames.tcp(*there, *here, SYN | ACK, connection.theirs - 1, first + 1), wait)
        await self.sleep(wait * 2)
        connection.begin()
        return connection

    async def ask(self, address: str, port: int, payload: bytes, *, source_port: int = 0, within_s: float = 1.0) -> bytes:
        """See `host.Host`."""
        wire, own, mine = self.wire, self._own(address), source_port or self._port()
        bits = frames.packed(address)
        many = bits[0] == 0xFF or 224 <= bits[0] < 240
        if not many and not wire.meet(self.machine, address):
            return b""
        if not many:
            await self.sleep(2 * _NEAR_S)
        packet = frames.udp(own, mine, address, port, payload)
        wire.say(own, address, packet, mac=self.machine.mac)
        parsed = packets.parse(12, packet)
        answer = b"" if many or parsed is None else wire.respond(parsed, packet)
        await self.sleep(2 * wire.delay(own, address) if answer else 0.0)
        return answer

    async def frame(self, data: bytes) -> None:
        """See `host.Host`."""
        self.wire.emit(data)
        packet = packets.parse(1, data)
        if packet is not None:
            self.wire.respond(packet, data[14:])
        await self.sleep(0.00001)


@dataclass(slots=True)
class WireConnection:
    """See `host.Connection`. `mine`, `theirs`: the next sequence numbers."""

    host: WireHost
    other: Machine
    here: tuple[str, int]
    there: tuple[str, int]
    mine: int
    theirs: int
    over: bool = False
    talker: services.Talker = field(init=False)
    _came: deque[tuple[float, bytes]] = field(default_factory=deque)
    _held: int = 0
    _waits: _Task | None = None

    def begin(self) -> None:
        """Acknowledge; who offers something may speak first."""
        self.talker = services.talker(self.other, self.there[1], self.host.wire.broker, self.push)
        self._out(ACK)
        greeting = self.talker.greet()
        if greeting:
            self._in(greeting, self._way())

    def _way(self) -> float:
        return self.host.wire.delay(self.here[0], self.there[0])

    def _out(self, flags: int, payload: bytes = b"", after_s: float = 0.0) -> None:
        packet = frames.tcp(*self.here, *self.there, flags, self.mine, self.theirs, payload)
        self.host.wire.say(self.here[0], self.there[0], packet, after_s, mac=self.host.machine.mac)
        self.mine += len(payload) + bool(flags & FIN)

    def _back(self, flags: int, payload: bytes = b"", after_s: float = 0.0) -> None:
        packet = frames.tcp(*self.there, *self.here, flags, self.theirs, self.mine, payload)
        self.host.wire.say(self.there[0], self.here[0], packet, after_s)
        self.theirs += len(payload) + bool(flags & FIN)

    def _in(self, data: bytes, after_s: float) -> None:
        """What the other says: on the wire, acknowledged, and for `receive`."""
        for number, at in enumerate(range(0, len(data), _SEGMENT)):
            self._back(ACK | frames.PSH, data[at : at + _SEGMENT], after_s + number / _RATE)
            if number % 2 or at + _SEGMENT >= len(data):
                self._out(ACK, after_s=after_s + number / _RATE + 0.00005)
        self._came.append((self.host.wire.now + after_s + len(data) / _SEGMENT / _RATE, data))
        self._held += len(data)
        while self._held > _BUFFER and len(self._came) > 1:
            self._held -= len(self._came.popleft()[1])

    def push(self, data: bytes) -> None:
        """The other says something by itself; nothing: it ends the connection."""
        if self.over:
            return
        if data:
            self._in(data, _NEAR_S)
        else:
            self._end(_NEAR_S)
        if self._waits is not None:
            self.host.wire.wake(self._waits)

    def _end(self, after_s: float) -> None:
        self.over = True
        self._back(FIN | ACK, after_s=after_s)
        self._out(FIN | ACK, after_s=after_s + _NEAR_S)
        self._back(ACK, after_s=after_s + 2 * _NEAR_S)

    async def send(self, data: bytes) -> None:
        """See `host.Connection`."""
        if self.over:
            return
        way = self._way()
        for number, at in enumerate(range(0, len(data), _SEGMENT)):
            self._out(ACK | frames.PSH, data[at : at + _SEGMENT], number / _RATE)
        last = max(0, len(data) - 1) // _SEGMENT / _RATE
        answer = self.talker.hear(data)
        if answer:
            self._in(answer, last + 2 * way)
        elif not self.over:
            self._back(ACK, after_s=last + way)
        if self.talker.closed and not self.over:
            self._end(last + 2 * way + 0.0002)
        await self.host.sleep(last + 0.00002)

    async def receive(self, within_s: float = 2.0) -> bytes:
        """See `host.Connection`."""
        wire = self.host.wire
        if not self._came and not self.over:
            self._waits = wire.task
            await _until(wire.now + within_s)
            self._waits = None
        if not self._came:
            return b""
        at, _data = self._came[0]
        await _until(max(at, wire.now))
        found = b"".join(data for _at, data in self._came)
        self._came.clear()
        self._held = 0
        return found

    async def close(self, *, abruptly: bool = False) -> None:
        """See `host.Connection`."""
        if self.over:
            return
        self.over = True
        if isinstance(self.talker, services.Session):
            self.host.wire.broker.sessions.pop(self.talker.client, None)
        if abruptly:
            self._out(RST)
        else:
            self._out(FIN | ACK)
            self._back(FIN | ACK, after_s=self._way())
            self._out(ACK, after_s=2 * self._way())
        await self.host.sleep(0.0001)
