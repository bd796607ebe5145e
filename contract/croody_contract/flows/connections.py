"""TCP connections as a capture shows them, from both ends: which were refused, never answered, left half open, or stay silent. Bounded.

What was open before the capture began is known by an acknowledgement that goes on, and is no attempt.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from croody_contract.flows.packets import ACK, FIN, RST, SYN, Packet

#: Connections that are followed; the one without news for longest is forgotten.
MOST: Final = 65_536
#: Nobody answered for so long, or acknowledged: that is how it ended.
ANSWER_NS: Final = 3_000_000_000
#: A connection that says nothing for so long is idle; without any news for so long it is forgotten.
IDLE_NS: Final = 5_000_000_000
_FORGET_NS: Final = 120_000_000_000
Key = tuple[bytes, int, bytes, int]


@dataclass(slots=True)
class Connection:
    """One connection. `began_ns`: its first packet; `known`: its beginning was seen. `said`, `heard`: bytes from and to who opened it."""

    key: Key
    mac: bytes
    began_ns: int
    known: bool
    last_ns: int
    answered: bool = False
    open: bool = False
    judged: bool = False
    ended: bool = False
    said: int = 0
    heard: int = 0
    #: What it speaks, once its first words are known; and what of that its reader has to remember.
    speaks: str = ""
    note: bytes = b""
    #: Bytes of a message that began in an earlier segment and go on in the next.
    rest: int = 0
    #: Who was asked spoke last.
    heard_last: bool = False

    @property
    def source(self) -> bytes:
        """Who opened it."""
        return self.key[0]

    @property
    def target(self) -> bytes:
        """Who was asked."""
        return self.key[2]

    @property
    def port(self) -> int:
        """Where."""
        return self.key[3]


@dataclass(slots=True)
class Seen:
    """A packet of a connection. `outward`: from who opened it. `refused`: this packet refuses it; `opened`: this packet completes it.

    `begun`: it is the first that was seen.
    """

    connection: Connection
    outward: bool
    refused: bool = False
    opened: bool = False
    ended: bool = False
    begun: bool = False


class Connections:
    """Follows all of them."""

    def __init__(self) -> None:
        self._table: OrderedDict[Key, Connection] = OrderedDict()
        #: Those that wait for an answer, oldest first.
        self._waiting: OrderedDict[Key, None] = OrderedDict()
        self.forgotten = 0

    def __len__(self) -> int:
        return len(self._table)

    def take(self, packet: Packet, at_ns: int) -> Seen:
        """One TCP packet."""
        key = (packet.source, packet.source_port, packet.target, packet.target_port)
        connection = self._table.get(key)
        if connection is not None and (not packet.flags & SYN or packet.flags & ACK or not connection.ended):
            return self._outward(connection, packet, at_ns)
        back = (packet.target, packet.target_port, packet.source, packet.source_port)
        connection = self._table.get(back)
        if connection is not None and not (packet.flags & SYN and not packet.flags & ACK):
            return self._inward(connection, packet, at_ns)
        return self._new(key, back, packet, at_ns)

    def _new(self, key: Key, back: Key, packet: Packet, at_ns: int) -> Seen:
        if packet.flags & (SYN | ACK) == SYN | ACK or (packet.flags & ACK and not packet.flags & (SYN | RST) and _is_served(packet)):
            # Its beginning was missed; who has the lower port was asked.
            connection = Connection(back, b"", at_ns, False, at_ns, answered=True, open=not packet.flags & SYN)
            self._keep(connection)
            return Seen(connection, False)
        usual = bool(packet.flags & ACK) and not packet.flags & SYN
        connection = Connection(key, packet.mac, at_ns, not usual, at_ns, said=len(packet.payload), open=usual)
        self._keep(connection)
        if not packet.flags & RST:
            self._waiting[key] = None
        return Seen(connection, True, begun=True)

    def _keep(self, connection: Connection) -> None:
        self._table[connection.key] = connection
        if len(self._table) > MOST:
            self._table.popitem(last=False)
            self.forgotten += 1

    def _outward(self, connection: Connection, packet: Packet, at_ns: int) -> Seen:
        connection.last_ns = at_ns
        connection.said += len(packet.payload)
        opened = connection.answered and not connection.open and bool(packet.flags & ACK) and not packet.flags & RST
        if opened:
            connection.open = True
            self._waiting.pop(connection.key, None)
        ended = self._end(connection, packet)
        return Seen(connection, True, opened=opened, ended=ended)

    def _inward(self, connection: Connection, packet: Packet, at_ns: int) -> Seen:
        connection.last_ns = at_ns
        connection.heard += len(packet.payload)
        refused = bool(packet.flags & RST) and not connection.heard and not connection.judged and not (connection.open and connection.known)
        if refused:
            connection.judged = True
            self._waiting.pop(connection.key, None)
        elif connection.open:
            self._waiting.pop(connection.key, None)
        connection.answered = True
        ended = self._end(connection, packet)
        return Seen(connection, False, refused=refused, ended=ended and not refused)

    def _end(self, connection: Connection, packet: Packet) -> bool:
        if packet.flags & (FIN | RST) and not connection.ended:
            connection.ended = True
            return True
        return False

    def overdue(self, now_ns: int) -> Iterator[Connection]:
        """Those that wait for too long, once each: nobody answered, or who opened it never acknowledged (`answered`)."""
        while self._waiting:
            key = next(iter(self._waiting))
            connection = self._table.get(key)
            if connection is not None and now_ns - connection.began_ns < ANSWER_NS:
                return
            del self._waiting[key]
            if connection is not None and not connection.judged and not connection.open:
                connection.judged = True
                yield connection

    def idle(self, now_ns: int) -> Iterator[Connection]:
        """Those that were opened and say nothing; call it every few seconds. Forgets what is long over."""
        gone = []
        for key, connection in self._table.items():
            quiet_ns = now_ns - connection.last_ns
            if quiet_ns > (_FORGET_NS if not connection.ended else ANSWER_NS):
                gone.append(key)
            elif connection.open and connection.known and not connection.ended and quiet_ns > IDLE_NS:
                yield connection
        for key in gone:
            del self._table[key]


def _is_served(packet: Packet) -> bool:
    """Whether this comes from where something is offered, and not from who asked."""
    return packet.source_port < packet.target_port
