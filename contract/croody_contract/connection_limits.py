"""Who stands at the door and was not let in yet: how many may, from one address and in all. Pure: names who has to go, closes nothing.

An address that is full makes room among its own, so that strangers at one never cost a robot at another its turn.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

#: Connections that were not let in yet. One costs at most about 90 kB: a TLS handshake that was begun.
MOST: Final = 384
#: Of one address, so that another one always finds room. A site whose robots all come back at once is one address, too,
#: and so is the gateway, which lets 200 of one address come to it over WebSocket.
MOST_OF_ONE: Final = 256
#: A handshake that was begun is left alone for so long, in seconds: it cost more than the others, and is nearly done.
PATIENCE_S: Final = 2.0


@dataclass(eq=False, slots=True)
class Visitor:
    """A connection that was not let in yet. `shaking`: its TLS handshake has begun and not ended. `since_s`: loop time."""

    address: str
    since_s: float
    abort: Callable[[], None]
    shaking: bool = False


class Crowd:
    """Visitors, by address."""

    def __init__(self, most: int = MOST, most_of_one: int = MOST_OF_ONE) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._count = 0
        self._by_address: dict[str, dict[Visitor, None]] = {}

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Visitor]:
        return iter([visitor for some in self._by_address.values() for visitor in some])

    def enter(self, visitor: Visitor) -> Visitor | None:
        """Take one more in. Returns who has to go for it and counts no more: another, or the newcomer itself."""
        self._by_address.setdefault(visitor.address, {})[visitor] = None
        self._count += 1
        if len(self._by_address[visitor.address]) > self._most_of_one:
            goes = self._of(visitor.address, visitor)
        elif self._count > self._most:
            goes = self._of(max(self._by_address, key=lambda address: len(self._by_address[address])), visitor)
        else:
            return None
        self.leave(goes)
        return goes

    def leave(self, visitor: Visitor) -> None:
        """It was let in, or is gone; or it was forgotten already."""
        some = self._by_address.get(visitor.address, {})
        if visitor in some:
            del some[visitor]
            self._count -= 1
            if not some:
                del self._by_address[visitor.address]

    def _of(self, address: str, newcomer: Visitor) -> Visitor:
        """Who of this address has waited longest, but for those in the middle of a handshake. A newcomer goes for its own address alone."""
        some = self._by_address[address]
        last = newcomer if newcomer in some else next(iter(some))
        return next((each for each in some if not _is_busy(each, newcomer.since_s)), last)


def _is_busy(visitor: Visitor, now: float) -> bool:
    return visitor.shaking and now - visitor.since_s < PATIENCE_S


def one_address(text: str) -> str:
    """What counts as one: an address, of IPv6 the network of 64 bits that one visitor has whole."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return text
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network(f"{address}/64", strict=False).network_address)
    return text
