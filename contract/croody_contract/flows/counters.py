"""What each device did in a second, counted: names, and the table that holds the last minute. Bounded whatever comes.

A counter is a number, or how many different things there were. A window adds seconds up; `WINDOWS` are those that limits are held against.
"""

from collections import OrderedDict
from collections.abc import Iterator
from enum import StrEnum
from typing import Final

WINDOWS: Final = (10, 60)
#: Devices of one second, and different things of one counter: what is more is counted as left out.
MOST_DEVICES: Final = 2_048
MOST_DIFFERENT: Final = 1_024


class Counter(StrEnum):
    """Of a device, by its address; `VICTIM_...`: of who was asked."""

    FAILED_PORTS = "failed_ports"
    """Different (host, port) that refused it or never answered."""
    FAILED_HOSTS = "failed_hosts"
    """Different hosts that did."""
    HALF_OPEN = "half_open"
    """Connections that it began and that were never completed: nobody answered, or it left the answer."""
    CONNECTS = "connects"
    """Connections that were opened."""
    IDLE = "idle"
    """Connections that it opened and that say nothing, at most at one time."""
    SHORT_LOGINS = "short_logins"
    """Connections to a place to log in (SSH, Telnet, FTP, RDP) that ended within seconds."""
    SHORT_SESSIONS = "short_sessions"
    """Connections to other places, pages left out, that ended within seconds and said next to nothing."""
    TURNS = "turns"
    """Questions that it asked at the site, brokers and log-ins left out, each after an answer: known also of what is encrypted."""
    BYTES_UP = "bytes_up"
    """Bytes that it sent on connections that it opened to machines of the site."""
    MQTT_REFUSED = "mqtt_refused"
    """MQTT log-ins that were refused."""
    MQTT_SECRETS = "mqtt_secrets"
    """Different secrets of those, of names that were tried with more than one."""
    MQTT_MALFORMED = "mqtt_malformed"
    """Connections that spoke no MQTT where MQTT is spoken."""
    MQTT_PUBLISHES = "mqtt_publishes"
    """Packets with a PUBLISH, but for what a robot delivers: to its own topics, to be acknowledged (QoS 1 or 2)."""
    MQTT_WIDE = "mqtt_wide"
    """Different filters that ask for everything: `#`, `+/#`, `$SYS/#`."""
    MQTT_NAMES = "mqtt_names"
    """Different names that were refused with a secret that was tried with more than one."""
    MQTT_LOGINS = "mqtt_logins"
    """MQTT log-ins that succeeded."""
    MQTT_ACCOUNTS = "mqtt_accounts"
    """Different names of those."""
    MQTT_BYTES = "mqtt_bytes"
    """Bytes that it sent to brokers."""
    MQTT_RETAINED = "mqtt_retained"
    """Different topics on which it left a retained message."""
    MQTT_FOREIGN = "mqtt_foreign"
    """Different topics of other robots to which it published."""
    MQTT_FILTERS = "mqtt_filters"
    """Different filters that it subscribed to."""
    HTTP_ERRORS = "http_errors"
    """Answers of 400 and above that it got."""
    HTTP_PATHS = "http_paths"
    """Different addresses that it asked for."""
    DNS_ASKED = "dns_asked"
    """Questions for names."""
    DNS_FAILED = "dns_failed"
    """Names that do not exist, which it asked for."""
    DNS_LONG = "dns_long"
    """Different long names that it asked for."""
    DNS_UNASKED = "dns_unasked"
    """Answers that it gave to questions that nobody asked, or with another number."""
    DNS_AGAIN = "dns_again"
    """Second answers to one question that say something else."""
    DNS_PRIVATE = "dns_private"
    """Answers by which a public name is at a private address, for a short time."""
    LEASES_GIVEN = "leases_given"
    """Addresses that it gave away (DHCP)."""
    SNMP_TRIES = "snmp_tries"
    """Different (host, community) that it asked by SNMP."""
    SNMP_HOSTS = "snmp_hosts"
    """Different hosts that it asked by SNMP."""
    PLC_WRITES = "plc_writes"
    """Coils and registers that it wrote by Modbus."""
    PLC_UNITS = "plc_units"
    """Different units that it asked by Modbus."""
    PINGED_HOSTS = "pinged_hosts"
    """Different hosts that it pinged, that nobody had heard of and that did not answer: who asks what is there is no sweep."""
    PINGS = "pings"
    PING_SIZES = "ping_sizes"
    """Different sizes of those."""
    UDP_REFUSED = "udp_refused"
    """Different (host, port) of UDP that were answered as unreachable."""
    ARP_HOSTS = "arp_hosts"
    """Different addresses that it looked for on the link, by ARP or neighbour discovery."""
    ARP_CLAIMS = "arp_claims"
    """How often it said that an address of another was its own, by ARP or neighbour discovery."""
    BORROWED = "borrowed"
    """Packets that it sent under an address under which its owner speaks, too."""
    ROUTER_CLAIMS = "router_claims"
    """How often it said that it was a router (IPv6)."""
    STRAYS = "strays"
    """Different (host, port) to which it sent TCP that belongs to no connection."""
    REACHED = "reached"
    """Different (host, port) that it tried to reach by TCP, other than web pages."""
    REACHED_HOSTS = "reached_hosts"
    """Different hosts of those."""
    LOGIN_HOSTS = "login_hosts"
    """Different hosts at which it opened a place to log in."""
    UDP_PORTS = "udp_ports"
    """Different (host, port) of UDP that it sent to."""
    DISCOVERY = "discovery"
    """Different (host, port) of participants of ROS 2 that it asked, where both ends announce themselves (`flows.discovery`)."""
    BEATS = "beats"
    """Connections to one place outside, each as long after the one before."""
    BYTES_OUT = "bytes_out"
    """Bytes that it sent outside of the site."""
    ODD_PROTOCOLS = "odd_protocols"
    """Packets of a protocol of IP that is none of the usual ones, outside of the site."""
    FRAGMENTS = "fragments"
    PACKETS = "packets"
    """Packets that it sent."""
    VICTIM_HALF_OPEN = "victim_half_open"
    """The same, of who was asked."""
    VICTIM_PACKETS = "victim_packets"


#: Not added up: how high it stood at most.
_HIGHEST: Final = frozenset({Counter.IDLE, Counter.BEATS})
Value = int | set[object]
_Second = dict[bytes, dict[Counter, Value]]


class Counters:
    """The last `WINDOWS[-1]` seconds."""

    def __init__(self) -> None:
        self._seconds: OrderedDict[int, _Second] = OrderedDict()
        self._now: _Second = {}
        self.left_out = 0

    def begin(self, second: int) -> None:
        """Count for this second from now on."""
        self._now = self._seconds.setdefault(second, {})
        while next(iter(self._seconds)) <= second - WINDOWS[-1]:
            self._seconds.popitem(last=False)

    def _of(self, device: bytes) -> dict[Counter, Value] | None:
        mine = self._now.get(device)
        if mine is None:
            if len(self._now) >= MOST_DEVICES:
                self.left_out += 1
                return None
            mine = self._now[device] = {}
        return mine

    def add(self, device: bytes, counter: Counter, times: int = 1) -> None:
        """So many more."""
        mine = self._of(device)
        if mine is not None:
            mine[counter] = mine.get(counter, 0) + times  # type: ignore[operator]

    def note(self, device: bytes, counter: Counter, thing: object) -> None:
        """One of different things."""
        mine = self._of(device)
        if mine is not None:
            different = mine.setdefault(counter, set())
            if len(different) < MOST_DIFFERENT:  # type: ignore[arg-type]
                different.add(thing)  # type: ignore[union-attr]

    def forget(self, device: bytes, counter: Counter, thing: object) -> None:
        """It was noted in this second or the one before, and turned out to be nothing."""
        for second in list(self._seconds)[-2:]:
            different = self._seconds[second].get(device, {}).get(counter)
            if isinstance(different, set):
                different.discard(thing)

    def at_least(self, device: bytes, counter: Counter, value: int) -> None:
        """It stood at this, at one moment."""
        mine = self._of(device)
        if mine is not None:
            mine[counter] = max(value, mine.get(counter, 0))

    def devices(self) -> Iterator[bytes]:
        """Those with any news in this second."""
        return iter(list(self._now))

    def window(self, device: bytes, seconds: int) -> dict[Counter, int]:
        """Each counter over the last `seconds`."""
        found: dict[Counter, Value] = {}
        for second in list(self._seconds)[-seconds:]:
            for counter, value in self._seconds[second].get(device, {}).items():
                before = found.get(counter)
                if isinstance(value, set):
                    found[counter] = value | before if isinstance(before, set) else set(value)
                elif counter in _HIGHEST:
                    found[counter] = max(value, before if isinstance(before, int) else 0)
                else:
                    found[counter] = value + (before if isinstance(before, int) else 0)
        return {counter: len(value) if isinstance(value, set) else value for counter, value in found.items()}
