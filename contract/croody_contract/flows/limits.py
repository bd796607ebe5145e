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
    Rule("mqtt_guessing", Counter.MQTT_SECRETS, 60, 6, "high", "T1110.001"),
    Rule("login_guessing", Counter.SHORT_LOGINS, 60, 8, "high", "T1110.001"),
    Rule("half_open", Counter.HALF_OPEN, 10, 60, "high", "T0814"),
    Rule("port_scan", Counter.FAILED_PORTS, 10, 15, "high", "T0846"),
    Rule("slow_port_scan", Counter.FAILED_PORTS, 60, 30, "high", "T0846"),
    Rule("host_scan", Counter.FAILED_HOSTS, 60, 10, "high", "T0846"),
    Rule("udp_scan", Counter.UDP_REFUSED, 10, 10, "high", "T0846"),
    Rule("ping_sweep", Counter.PINGED_HOSTS, 60, 12, "medium", "T0846"),
    Rule("address_sweep", Counter.ARP_HOSTS, 10, 25, "medium", "T0846"),
    Rule("idle_connections", Counter.IDLE, 10, 20, "high", "T0814"),
    Rule("mqtt_flood", Counter.MQTT_PUBLISHES, 10, 2_000, "high", "T0814"),
    Rule("mqtt_malformed", Counter.MQTT_MALFORMED, 10, 10, "high", "T0819"),
    Rule("mqtt_refused", Counter.MQTT_REFUSED, 60, 30, "medium", "T1110"),
    Rule("mqtt_listening", Counter.MQTT_WIDE, 60, 1, "medium", "T0842", calibrated=True),
    Rule("http_guessing", Counter.HTTP_ERRORS, 60, 60, "medium", "T1595.003"),
    Rule("http_scan", Counter.HTTP_PATHS, 10, 80, "medium", "T1595.003"),
    Rule("dns_tunnel", Counter.DNS_LONG, 60, 30, "high", "T1071.004"),
    Rule("dns_failures", Counter.DNS_FAILED, 60, 60, "medium", "T1568.002"),
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
        if value < rule.floor or (rule.calibrated and maxima is None):
            continue
        limit, most = limit_of(rule, maxima)
        if value >= limit:
            found.append(Evidence(rule, value, limit, most))
    return found
