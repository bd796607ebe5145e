"""Questions for names and their answers (DNS): which answers nobody asked for, came twice, or cannot be true. Bounded."""

from collections import OrderedDict
from typing import Final, NamedTuple

from croody_contract.flows.counters import Counter

_MOST: Final = 4_096
#: An answer after so long is none to that question.
_LATE_NS: Final = 10_000_000_000
#: Names that are of a site by their last part: an address of the site is what they should have.
_OURS: Final = frozenset({b"local", b"lan", b"site", b"home", b"internal", b"arpa", b"corp", b"intranet", b"test", b"localdomain"})
#: A public name that is said to be at a private address for less than this, seconds, is about to be moved.
_SHORT_TTL: Final = 60


class _Asked(NamedTuple):
    at_ns: int
    number: bytes
    #: What was answered; empty while nobody did.
    answer: bytes


class Names:
    """Open questions, by who asked from which port whom."""

    def __init__(self) -> None:
        self._asked: OrderedDict[tuple[bytes, int, bytes], _Asked] = OrderedDict()
        #: Who asks at all in what is captured: of others an answer without a question says nothing.
        self._asking: OrderedDict[bytes, None] = OrderedDict()

    def ask(self, source: bytes, port: int, target: bytes, number: bytes, at_ns: int) -> None:
        """A question."""
        self._asked[source, port, target] = _Asked(at_ns, number, b"")
        self._asking[source] = None
        for table in (self._asked, self._asking):
            if len(table) > _MOST:
                table.popitem(last=False)

    def answer(self, source: bytes, target: bytes, port: int, payload: bytes, at_ns: int) -> list[Counter]:
        """What is odd about an answer from `source` to `target`."""
        found = []
        key = (target, port, source)
        asked = self._asked.get(key)
        if asked is None or at_ns - asked.at_ns > _LATE_NS:
            if target in self._asking:
                found.append(Counter.DNS_UNASKED)
        elif asked.number != payload[:2]:
            found.append(Counter.DNS_UNASKED)
        elif not asked.answer:
            self._asked[key] = asked._replace(answer=payload)
        elif asked.answer != payload:
            found.append(Counter.DNS_AGAIN)
        if _is_impossible(payload):
            found.append(Counter.DNS_PRIVATE)
        return found


def _is_impossible(payload: bytes) -> bool:
    """Whether a public name is said to be at a private address, and for a short time only."""
    if payload[6:8] == b"\0\0":
        return False
    labels, at = [], 12
    while at < len(payload) and 0 < payload[at] < 64:
        labels.append(payload[at + 1 : at + 1 + payload[at]])
        at += 1 + payload[at]
    if len(labels) < 2 or labels[-1].lower() in _OURS:
        return False
    # Behind the name: its end, type and class; then the first answer, whose name is most often a pointer.
    at += 5
    if payload[at : at + 1] and payload[at] & 0xC0 != 0xC0:
        return False
    if payload[at + 2 : at + 4] != b"\0\1" or payload[at + 10 : at + 12] != b"\0\4" or len(payload) < at + 16:
        return False
    return is_private(payload[at + 12 : at + 16]) and int.from_bytes(payload[at + 6 : at + 10], "big") < _SHORT_TTL


def is_private(address: bytes) -> bool:
    """Whether an address is of a site and not of the internet: RFC 1918, 4193, 3927, 4291, 6598, loopback, multicast, none."""
    if len(address) == 4:
        a, b = address[0], address[1]
        return (
            a in (0, 10, 127)
            or a >= 224
            or (a == 172 and 16 <= b < 32)
            or (a == 192 and b == 168)
            or (a == 169 and b == 254)
            or (a == 100 and 64 <= b < 128)
        )
    return address[0] >> 1 == 0x7E or address[0] == 0xFF or (address[0] == 0xFE and address[1] & 0x80 != 0) or not any(address[:15])
