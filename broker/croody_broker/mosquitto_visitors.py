"""What Mosquitto's log says of who comes: which address was refused, who publishes or subscribes where he may not. Pure.

Its log of connections names an address when somebody comes, and says of a refusal only that there was one; its log of packets, which is
not always asked for, names the address there too. Which account and which secret were tried it never says.
"""

import re
from collections import OrderedDict
from collections.abc import Iterator
from typing import Final, NamedTuple, TypeVar

from croody_broker.rules import Rules
from croody_contract.connection_limits import one_address
from croody_contract.mosquitto import BRIDGE_USER
from croody_contract.security import Kind
from croody_contract.topics import down_filter

_K = TypeVar("_K")
_V = TypeVar("_V")
#: Clients, and connections of which nothing more was heard, that are remembered: the oldest is forgotten.
_MOST: Final = 4096
_LINES: Final = re.compile(
    rb"^[^ \n]+: (?:New connection from (?P<came>[^\n]+):(?P<port>\d+) on port |"
    rb"New client connected from (?P<let_in>[^\n]+):(?P<let_in_port>\d+) as (?P<client>[^\n]+) \(p\d, c\d, k\d+, u'(?P<user>[^\n]*)'\)\.|"
    rb"Sending CONNACK to (?P<connack>[^\n]+) \(0, 5\)|"
    rb"Client (?P<leaver>[^\n]+) (?P<refused>disconnected, not authorised|disconnected due to protocol error)\.|"
    rb"Client (?P<taken_over>[^\n]+) already connected, closing old connection\.|"
    rb"Denied PUBLISH from (?P<publisher>[^\n]*?) \(d\d, q\d, r\d, m\d+, '(?P<topic>[^\n]*)', \.\.\. |"
    rb"Received SUBSCRIBE from (?P<subscriber>[^\n]+)$|"
    rb"\t(?P<filter>[^\n]+) \(QoS \d\)$)",
    re.MULTILINE,
)


class Visit(NamedTuple):
    """Something that was noticed, as `croody_contract.security.Noticed` has it."""

    kind: Kind
    address: str
    account: str = ""
    topic: str = ""


class Visitors:
    """Fed with whole lines of the log."""

    def __init__(self) -> None:
        #: Connections that were not let in yet, oldest first: address and port.
        self._waiting: OrderedDict[tuple[bytes, bytes], None] = OrderedDict()
        #: Client id -> account and address of those that were let in.
        self._clients: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._told: bytes | None = None
        self._subscriber = ""
        #: The rules of topics, for accounts that may read more than what is sent down to them.
        self.rules = Rules()

    def read(self, lines: bytes) -> Iterator[Visit]:
        """What these lines tell."""
        for found in _LINES.finditer(lines):
            match found.lastgroup:
                case "port":
                    _remember(self._waiting, (found["came"], found["port"]), None)
                case "user":
                    yield self._let_in(found)
                case "connack":
                    self._told = found["connack"]
                case "refused":
                    kind = Kind.WRONG_SECRET if found["refused"].endswith(b"authorised") else Kind.MALFORMED
                    address = self._refused()
                    # The site's own health probes have no account: that they are refused is all that they ask.
                    if address is not None and found["leaver"] != b"probe":
                        yield Visit(kind, address)
                case "taken_over":
                    yield self._of(Kind.TAKEN_OVER, found["taken_over"])
                case "topic":
                    yield self._of(Kind.DENIED_PUBLISH, found["publisher"], _text(found["topic"]))
                case "subscriber":
                    self._subscriber = _text(found["subscriber"])
                case "filter":
                    yield from self._subscribed(_text(found["filter"]))

    def _let_in(self, found: re.Match[bytes]) -> Visit:
        self._waiting.pop((found["let_in"], found["let_in_port"]), None)
        account, address = _text(found["user"]), one_address(_text(found["let_in"]))
        _remember(self._clients, _text(found["client"]), (account, address))
        return Visit(Kind.CONNECTED, address, account)

    def _refused(self) -> str | None:
        """The address that the line before named, else that of the connection that waits longest. None: not even that is known.

        Where a client sent no account, that line names its client id instead."""
        told, self._told = self._told, None
        key = next((key for key in self._waiting if key[0] == told), next(iter(self._waiting), None))
        if key is None:
            return None
        del self._waiting[key]
        return one_address(_text(key[0]))

    def _of(self, kind: Kind, client: bytes, topic: str = "") -> Visit:
        account, address = self._clients.get(_text(client), (_text(client).partition(":")[0], ""))
        return Visit(kind, address, account, topic)

    def _subscribed(self, topic_filter: str) -> Iterator[Visit]:
        """Mosquitto grants every subscription, and only delivers nothing: so it is judged here."""
        account, address = self._clients.get(self._subscriber, ("", ""))
        own = down_filter(account).removesuffix("#") if account and account != BRIDGE_USER else ""
        if own and not topic_filter.startswith(own) and not self.rules.grant(account, account).may_subscribe(topic_filter.split("/")):
            yield Visit(Kind.DENIED_SUBSCRIBE, address, account, topic_filter)


def _remember(table: OrderedDict[_K, _V], key: _K, value: _V) -> None:
    table[key] = value
    table.move_to_end(key)
    if len(table) > _MOST:
        table.popitem(last=False)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
