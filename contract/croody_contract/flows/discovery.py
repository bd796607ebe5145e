"""How ROS 2 finds others (RTPS 2.3, 9.6.1): who announces itself to all, and which ports are those of participants. Bounded.

A participant announces itself to a group at port 7400 + 250 x domain, and is asked at 7410 + 250 x domain + 2 x its number. Nobody knows
how many run on a machine, so peers try several, and most refuse. That is no search for ports as long as both ends announce themselves in
that domain; what announces nothing is looked at as anybody's.
"""

from collections import OrderedDict
from typing import Final

_FIRST: Final = 7_400
_DOMAIN: Final = 250
_DOMAINS: Final = 233
#: Behind the first port of a domain: its groups, and the ports of participants 0 to 9.
_GROUPS: Final = range(2)
_PARTICIPANTS: Final = range(10, 30)
#: Who announced itself within this time still runs, seconds: the usual lease is 20 to 100.
_LASTS_S: Final = 300
_MOST: Final = 4_096


class Discovery:
    """Who announces itself, and in which domains."""

    def __init__(self) -> None:
        self._announced: OrderedDict[tuple[bytes, int], int] = OrderedDict()

    def announces(self, source: bytes, target: bytes, port: int, second: int) -> bool:
        """Take a datagram to a group; says whether it announces a participant."""
        domain, place = divmod(port - _FIRST, _DOMAIN)
        if not 0 <= domain < _DOMAINS or place not in _GROUPS or not _is_group(target):
            return False
        self._announced[source, domain] = second
        self._announced.move_to_end((source, domain))
        if len(self._announced) > _MOST:
            self._announced.popitem(last=False)
        return True

    def between(self, source: bytes, target: bytes, port: int, second: int) -> bool:
        """Whether one that announces itself asks another that does, where participants of the domain of both are."""
        domain, place = divmod(port - _FIRST, _DOMAIN)
        return place in _PARTICIPANTS and self._runs(source, domain, second) and self._runs(target, domain, second)

    def _runs(self, address: bytes, domain: int, second: int) -> bool:
        at = self._announced.get((address, domain))
        return at is not None and second - at <= _LASTS_S


def _is_group(address: bytes) -> bool:
    return address[0] == 0xFF if len(address) == 16 else 224 <= address[0] < 240
