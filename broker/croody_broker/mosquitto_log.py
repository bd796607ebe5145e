"""Mosquitto's own log, of which one line in ten thousand is for a person: what passes, and which publishes it refused. Pure.

MQTT 3.1.1 cannot refuse a publish but by closing the connection, and Mosquitto does not: it answers as if all were well. Only its log of
every packet tells. So it is asked for that log, and this keeps the refusals and drops the rest. To write it takes Mosquitto longer
than the message itself: so under load it is asked for a moment only, once in a while.
"""

import re
from typing import Final, NamedTuple

from croody_broker.mosquitto_visitors import Visit, Visitors
from croody_broker.rules import parse_acl
from croody_contract.printable import printable

#: Longest line that is kept together, bytes; Mosquitto's topics end at 65,535.
_LONGEST: Final = 128 * 1024
#: A line a packet, as Mosquitto 2.0 writes them with `log_type debug`; the tab is before a filter or a will's topic.
_PACKETS: Final = re.compile(
    rb"^[^ \n]+: (?:Received |Sending |Denied |\t|Will message specified|No will message specified)[^\n]*\n", re.MULTILINE
)
_DENIED: Final = re.compile(
    rb"^[^ \n]+: Denied PUBLISH from (?P<client>[^\n]*?) \(d\d, q\d, r\d, m\d+, '(?P<topic>[^\n]*)', \.\.\. ", re.MULTILINE
)


#: More of the log than this between two looks, bytes, is load: some 400 messages a second.
_MOST: Final = 32 * 1024
#: Under load the log is rested from for so long.
_REST_S: Final = 60.0


class Attention:
    """Whether Mosquitto is to log every packet."""

    def __init__(self) -> None:
        self.on = True
        self._bytes = 0
        self._again_s = 0.0

    def heard(self, count: int) -> None:
        """So many bytes of its log came."""
        self._bytes += count

    def look(self, now_s: float) -> bool:
        """Decide anew, several times a second; say whether that changed anything. `now_s`: monotonic."""
        busy, self._bytes = self._bytes > _MOST, 0
        if self.on and busy:
            self.on, self._again_s = False, now_s + _REST_S
            return True
        if not self.on and now_s >= self._again_s:
            self.on = True
            return True
        return False


class Refusal(NamedTuple):
    """A publish that was dropped: whose, and to which topic."""

    client: str
    topic: str


class Heard(NamedTuple):
    """Lines for a person, made fit for a terminal; the publishes among the others that were refused; and what detection is told."""

    lines: str
    refusals: list[Refusal]
    visits: list[Visit]


class MosquittoLog:
    """Fed with what Mosquitto writes, in pieces of any size."""

    def __init__(self) -> None:
        self._rest = b""
        self._visitors = Visitors()

    def adopt(self, acl: str) -> None:
        """Judge subscriptions by these rules, too."""
        self._visitors.rules = parse_acl(acl)[0]

    def feed(self, data: bytes) -> Heard:
        """What the whole lines hold that there are by now."""
        data = self._rest + data
        end = data.rfind(b"\n") + 1
        data, self._rest = data[:end], data[end:]
        if len(self._rest) > _LONGEST:
            data, self._rest = data + self._rest + b"\n", b""
        refusals = [Refusal(_text(found["client"]), _text(found["topic"])) for found in _DENIED.finditer(data)]
        lines = printable(_PACKETS.sub(b"", data).decode("utf-8", "backslashreplace"), keep="\n\t")
        return Heard(lines, refusals, list(self._visitors.read(data)))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
