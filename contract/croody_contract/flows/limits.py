"""Counters of a device -> evidence: one table of floors, raised by what is ordinary at a site. Pure.

A limit is the floor, or twice the most that any device of the site ever did while nothing was wrong, whichever is higher.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from croody_contract.flows.counters import Counter
from croody_contract.flows.meter import Look

Severity = Literal["low", "medium", "high", "critical"]
#: How far above the most of ordinary traffic something has to be.
ABOVE: Final = 2


@dataclass(frozen=True, slots=True)
class Rule:
    """A counter over `seconds`, evidence from `floor` on; `calibrated`: only where a site's ordinary traffic is known.

    `technique`: of MITRE ATT&CK, for Enterprise or ICS.
    """

    code: str
    counter: Counter
    seconds: int
    floor: int
    severity: Severity
    technique: str
    calibrated: bool = False


#: The worst first.
RULES: Final = (
    Rule("arp_spoofing", Counter.ARP_CLAIMS, 60, 3, "critical", "T0830"),
    Rule("address_borrowed", Counter.BORROWED, 10, 5, "critical", "T0830", calibrated=True),
    Rule("router_claims", Counter.ROUTER_CLAIMS, 60, 3, "critical", "T0830", calibrated=True),
    Rule("leases_given", Counter.LEASES_GIVEN, 60, 3, "critical", "T1557.003", calibrated=True),
    Rule("dns_unasked", Counter.DNS_UNASKED, 60, 20, "high", "T1557"),
    Rule("dns_two_answers", Counter.DNS_AGAIN, 60, 3, "high", "T1557"),
    Rule("dns_moved_names", Counter.DNS_PRIVATE, 60, 3, "high", "T1584.002", calibrated=True),
    Rule("mqtt_spoofing", Counter.MQTT_FOREIGN, 60, 2, "high", "T0856"),
    Rule("plc_writes", Counter.PLC_WRITES, 60, 3, "high", "T0836", calibrated=True),
    Rule("mqtt_guessing", Counter.MQTT_SECRETS, 60, 6, "high", "T1110.001"),
    Rule("mqtt_spraying", Counter.MQTT_NAMES, 60, 5, "high", "T1110.003"),
    Rule("login_guessing", Counter.SHORT_LOGINS, 60, 8, "high", "T1110.001"),
    Rule("login_spread", Counter.LOGIN_HOSTS, 60, 4, "high", "T0866"),
    Rule("exfiltration", Counter.BYTES_OUT, 10, 2_000_000, "high", "T1048", calibrated=True),
    Rule("ping_tunnel", Counter.PING_SIZES, 10, 8, "high", "T1095"),
    Rule("half_open", Counter.HALF_OPEN, 10, 60, "high", "T0814"),
    Rule("port_scan", Counter.FAILED_PORTS, 10, 10, "high", "T0846"),
    Rule("slow_port_scan", Counter.FAILED_PORTS, 60, 12, "high", "T0846"),
    Rule("host_scan", Counter.FAILED_HOSTS, 60, 6, "high", "T0846"),
    Rule("stray_scan", Counter.STRAYS, 10, 10, "high", "T0846"),
    Rule("udp_scan", Counter.UDP_REFUSED, 10, 10, "high", "T0846"),
    Rule("udp_sweep", Counter.UDP_PORTS, 10, 50, "medium", "T0846"),
    Rule("discovery_scan", Counter.DISCOVERY, 10, 40, "medium", "T0846"),
    Rule("spread", Counter.REACHED, 60, 7, "medium", "T0846"),
    Rule("host_spread", Counter.REACHED_HOSTS, 60, 4, "medium", "T0846", calibrated=True),
    Rule("snmp_sweep", Counter.SNMP_TRIES, 60, 8, "medium", "T0888"),
    Rule("snmp_hosts", Counter.SNMP_HOSTS, 60, 4, "medium", "T0888", calibrated=True),
    Rule("plc_sweep", Counter.PLC_UNITS, 60, 8, "medium", "T0888"),
    Rule("ping_sweep", Counter.PINGED_HOSTS, 60, 12, "medium", "T0846"),
    Rule("address_sweep", Counter.ARP_HOSTS, 10, 25, "medium", "T0846"),
    Rule("idle_connections", Counter.IDLE, 10, 20, "high", "T0814"),
    Rule("mqtt_flood", Counter.MQTT_PUBLISHES, 10, 2_000, "high", "T0814"),
    Rule("mqtt_malformed", Counter.MQTT_MALFORMED, 10, 10, "high", "T0819"),
    Rule("mqtt_refused", Counter.MQTT_REFUSED, 60, 30, "medium", "T1110"),
    Rule("mqtt_listening", Counter.MQTT_WIDE, 60, 1, "medium", "T0842", calibrated=True),
    Rule("mqtt_retained", Counter.MQTT_RETAINED, 60, 40, "medium", "T0856"),
    Rule("mqtt_filters", Counter.MQTT_FILTERS, 60, 20, "medium", "T0861"),
    Rule("mqtt_accounts", Counter.MQTT_ACCOUNTS, 60, 3, "medium", "T0859", calibrated=True),
    Rule("mqtt_logins", Counter.MQTT_LOGINS, 60, 60, "medium", "T0814", calibrated=True),
    Rule("mqtt_bulk", Counter.MQTT_BYTES, 10, 4_000_000, "medium", "T0814", calibrated=True),
    Rule("short_sessions", Counter.SHORT_SESSIONS, 60, 12, "medium", "T1110", calibrated=True),
    Rule("questions", Counter.TURNS, 10, 60, "medium", "T0802", calibrated=True),
    Rule("bulk", Counter.BYTES_UP, 10, 4_000_000, "medium", "T0814", calibrated=True),
    Rule("http_guessing", Counter.HTTP_ERRORS, 60, 40, "medium", "T1595.003"),
    Rule("http_scan", Counter.HTTP_PATHS, 10, 80, "medium", "T1595.003"),
    Rule("dns_tunnel", Counter.DNS_LONG, 60, 30, "high", "T1071.004"),
    Rule("dns_failures", Counter.DNS_FAILED, 60, 60, "medium", "T1568.002"),
    Rule("dns_flood", Counter.DNS_ASKED, 10, 40, "medium", "T1071.004", calibrated=True),
    Rule("beacon", Counter.BEATS, 60, 6, "medium", "T1071.001", calibrated=True),
    Rule("odd_protocol", Counter.ODD_PROTOCOLS, 60, 20, "medium", "T1095", calibrated=True),
    Rule("fragments", Counter.FRAGMENTS, 10, 500, "medium", "T0814"),
    Rule("ping_flood", Counter.PINGS, 10, 500, "medium", "T0814"),
    Rule("connect_flood", Counter.CONNECTS, 10, 200, "medium", "T0814"),
    Rule("packet_flood", Counter.PACKETS, 10, 100_000, "medium", "T0814"),
)
BY_CODE: Final[Mapping[str, Rule]] = {rule.code: rule for rule in RULES}
#: counter -> seconds -> the most of ordinary traffic.
Maxima = Mapping[str, Mapping[str, int]]


class Evidence(NamedTuple):
    """A counter at or above its limit."""

    rule: Rule
    value: int
    limit: int
    #: The most that was ordinary here; None where nobody calibrated.
    most: int | None


def limit_of(rule: Rule, maxima: Maxima | None) -> tuple[int, int | None]:
    """From which value on it is evidence, and the most that was ordinary."""
    if maxima is None:
        return rule.floor, None
    most = maxima.get(rule.counter.value, {}).get(str(rule.seconds), 0)
    return max(rule.floor, ABOVE * most + 1), most


def judge(look: Look, maxima: Maxima | None) -> list[Evidence]:
    """All evidence of one look, the worst first."""
    found = []
    for rule in RULES:
        value = look.windows.get(rule.seconds, {}).get(rule.counter, 0)
        if value < rule.floor or (rule.calibrated and (maxima is None or rule.counter.value not in maxima)):
            # A calibration may be older than a counter: of that it does not say what is ordinary.
            continue
        limit, most = limit_of(rule, maxima)
        if value >= limit:
            found.append(Evidence(rule, value, limit, most))
    return found
