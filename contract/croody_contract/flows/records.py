"""Flows as records: who spoke to whom, when, how much, how it ended, and what the limits make of it. Pure and bounded.

A flow has no class of its own: it is as suspicious as the counters of its device that it feeds. A robot that also scans keeps its
ordinary session. A flow is over when it was closed, silent for `IDLE_NS`, or `LONGEST_NS` old (then the rest is another record).
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from croody_contract.flows.capture import Frame
from croody_contract.flows.counters import WINDOWS, Counter
from croody_contract.flows.limits import RULES, Maxima, limit_of
from croody_contract.flows.meter import Look, Meter
from croody_contract.flows.packets import ACK, ARP, FIN, ICMP, ICMP6, RST, SYN, TCP, UDP, Packet, parse, text

#: Flows that are followed at once: beyond that the one that was silent for longest is over.
MOST: Final = 65_536
IDLE_NS: Final = 60 * 1_000_000_000
LONGEST_NS: Final = 300 * 1_000_000_000
#: After its end a flow is kept for so long: counters of its device that it feeds stand highest a little later.
SETTLE_NS: Final = (WINDOWS[0] + 3) * 1_000_000_000
#: Devices whose scores are remembered, and steps of one.
_MOST_DEVICES: Final = 4_096
_MOST_STEPS: Final = 512
#: Scores below this say nothing.
_LEAST: Final = 0.1
_NAMES: Final[Mapping[int, str]] = {TCP: "tcp", UDP: "udp", ICMP: "icmp", ICMP6: "icmp6"}
_SERVED: Final[Mapping[int, str]] = {53: "dns", 5353: "dns", 22: "ssh", 1883: "mqtt", 8883: "mqtts", 80: "http", 443: "tls"}
Key = tuple[bytes, int, bytes, int, int]

#: Counters -> the flows that feed them.
_FAILED: Final = frozenset({Counter.FAILED_PORTS, Counter.FAILED_HOSTS, Counter.HALF_OPEN})
_OF_SPEECH: Final[Mapping[str, frozenset[Counter]]] = {
    "mqtt": frozenset({Counter.MQTT_REFUSED, Counter.MQTT_SECRETS, Counter.MQTT_PUBLISHES, Counter.MQTT_WIDE, Counter.MQTT_MALFORMED}),
    "http": frozenset({Counter.HTTP_ERRORS, Counter.HTTP_PATHS}),
    "dns": frozenset({Counter.DNS_FAILED, Counter.DNS_LONG}),
}
_NEVER_OPENED: Final = frozenset({"refused", "unanswered", "half_open"})
_LOGINS: Final = frozenset({21, 22, 23, 3389, 5900})


@dataclass(slots=True)
class Flow:
    """One conversation. Times in nanoseconds since 1970; `sent`, `received`: (packets, bytes on the wire) from and to who began it.

    `state` of TCP: `refused`, `unanswered`, `half_open`, `open`, `closed`, `reset`; of others empty. `scores`: code of a limit -> how many
    times the limit its counter stood; `kind`: the worst of those at 1 or above, or `normal`.
    """

    source: bytes
    source_port: int
    target: bytes
    target_port: int
    protocol: int
    first_ns: int
    last_ns: int
    sent: list[int] = field(default_factory=lambda: [0, 0])
    received: list[int] = field(default_factory=lambda: [0, 0])
    speaks: str = ""
    flags_out: int = 0
    flags_back: int = 0
    fragments: bool = False
    #: Of who began it, empty where the link has none.
    mac: bytes = b""
    scores: dict[str, float] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        """As it is found again."""
        return (self.source, self.source_port, self.target, self.target_port, self.protocol)

    @property
    def state(self) -> str:
        """How a TCP connection stands."""
        if self.protocol != TCP:
            return ""
        if self.flags_back & RST and not self.received_data:
            return "refused"
        if self.flags_out & SYN and not self.received[0]:
            return "unanswered"
        if self.flags_back & SYN and not self.flags_out & ACK:
            return "half_open"
        if (self.flags_out | self.flags_back) & RST:
            return "reset"
        return "closed" if self.flags_out & FIN and self.flags_back & FIN else "open"

    @property
    def received_data(self) -> bool:
        """Whether who was asked said more than a refusal."""
        return bool(self.flags_back & (SYN | FIN)) or self.received[0] > 1

    @property
    def over(self) -> bool:
        """Whether nothing more is to come."""
        return self.protocol == TCP and self.state in ("refused", "reset", "closed")

    @property
    def kind(self) -> str:
        """The worst limit that its device went beyond by such flows."""
        return next((rule.code for rule in RULES if self.scores.get(rule.code, 0.0) >= 1.0), "normal")

    def feeds(self, counter: Counter) -> bool:
        """Whether such flows are what this counter counts."""
        if counter in _FAILED:
            return self.state in _NEVER_OPENED
        for speaks, counters in _OF_SPEECH.items():
            if counter in counters:
                return self.speaks == speaks or (counter is Counter.MQTT_MALFORMED and self.target_port == 1883)
        match counter:
            case Counter.SHORT_LOGINS:
                return self.protocol == TCP and self.target_port in _LOGINS
            case Counter.CONNECTS | Counter.IDLE:
                return self.protocol == TCP and self.state not in ("refused", "unanswered")
            case Counter.UDP_REFUSED:
                return self.protocol == UDP and not self.received[0]
            case Counter.PINGS | Counter.PINGED_HOSTS:
                return self.protocol in (ICMP, ICMP6)
            case Counter.FRAGMENTS:
                return self.fragments
            case Counter.PACKETS:
                return True
        return False

    def as_line(self) -> str:
        """For a person: when it began, its class, who spoke to whom, how it ended, and how much went each way."""
        at = datetime.fromtimestamp(self.first_ns / 1e9, UTC).isoformat(timespec="seconds")
        ends = f"{text(self.source)}:{self.source_port} > {text(self.target)}:{self.target_port}"
        spoken = "/".join(filter(None, (_NAMES.get(self.protocol, str(self.protocol)), self.speaks)))
        return f"{at}  {self.kind:16}  {spoken:10}  {ends}  {self.state}  {self.sent[1]} B > < {self.received[1]} B"

    def as_json(self) -> dict[str, Any]:
        """As `croody ids classify --json` writes it; times in seconds since 1970."""
        return {
            "first": self.first_ns / 1e9,
            "last": self.last_ns / 1e9,
            "source": text(self.source),
            "source_port": self.source_port,
            "target": text(self.target),
            "target_port": self.target_port,
            "protocol": _NAMES.get(self.protocol, str(self.protocol)),
            "application": self.speaks,
            "state": self.state,
            "packets": self.sent[0],
            "bytes": self.sent[1],
            "packets_back": self.received[0],
            "bytes_back": self.received[1],
            "scores": self.scores,
            "class": self.kind,
        }


class Flows:
    """Follows all of them. Give it each frame, then the looks that the meter made of it."""

    def __init__(
        self, maxima: Maxima | None, owner_of: Callable[[bytes], bytes | None] = lambda mac: None, most: int | None = None
    ) -> None:
        """`owner_of`: the address that really speaks from a link address, as the meter knows it. `most`: flows at once."""
        self._most = MOST if most is None else most
        self._owner_of = owner_of
        self._limits = [(rule, limit_of(rule, maxima)[0]) for rule in RULES if maxima is not None or not rule.calibrated]
        self._open: OrderedDict[Key, Flow] = OrderedDict()
        #: Over, and waiting for what their device's counters come to.
        self._settling: deque[Flow] = deque()
        #: Device -> (when, code -> times its limit), newest last.
        self._scores: OrderedDict[bytes, deque[tuple[int, dict[str, float]]]] = OrderedDict()
        self.forgotten = 0

    def take(self, frame: Frame) -> None:
        """One frame."""
        packet = parse(frame.link, frame.data)
        if packet is None or packet.protocol == ARP:
            return
        flow, outward = self._flow_of(packet, frame.at_ns)
        way = flow.sent if outward else flow.received
        way[0] += 1
        way[1] += frame.length
        flow.last_ns = frame.at_ns
        flow.fragments = flow.fragments or packet.fragment
        if packet.protocol == TCP:
            if outward:
                flow.flags_out |= packet.flags
            else:
                flow.flags_back |= packet.flags
        if packet.payload and not flow.speaks:
            flow.speaks = _speech(packet.payload, flow.target_port)
        self._open.move_to_end(flow.key)

    def look(self, look: Look) -> None:
        """What a device's counters stand at."""
        found = {}
        for rule, limit in self._limits:
            value = look.windows.get(rule.seconds, {}).get(rule.counter, 0)
            if value >= limit * _LEAST:
                found[rule.code] = round(value / limit, 3)
        steps = self._scores.get(look.device)
        if not found and steps is None:
            return
        if steps is None:
            steps = self._scores[look.device] = deque(maxlen=_MOST_STEPS)
        steps.append((look.at_ns, found))
        self._scores.move_to_end(look.device)
        if len(self._scores) > _MOST_DEVICES:
            self._scores.popitem(last=False)

    def of(self, device: bytes, most: int) -> list[Flow]:
        """The newest flows that this device began and that are not over, judged as far as it goes."""
        mine = [flow for flow in reversed(self._open.values()) if flow.source == device]
        return [self._judged(flow) for flow in mine[:most]]

    def due(self, now_ns: int) -> Iterator[Flow]:
        """Those that are over, and settled."""
        while self._open:
            flow = next(iter(self._open.values()))
            if now_ns - flow.last_ns <= (SETTLE_NS if flow.over else IDLE_NS):
                break
            self._close(flow)
        while self._settling and now_ns - self._settling[0].last_ns > SETTLE_NS:
            yield self._judged(self._settling.popleft())

    def end(self) -> Iterator[Flow]:
        """All that are left, in the order in which they were silent."""
        for flow in (*self._settling, *self._open.values()):
            yield self._judged(flow)
        self._settling.clear()
        self._open.clear()

    def _flow_of(self, packet: Packet, at_ns: int) -> tuple[Flow, bool]:
        ports = (packet.source_port, packet.target_port) if packet.protocol in (TCP, UDP) else (0, 0)
        key = (packet.source, ports[0], packet.target, ports[1], packet.protocol)
        back = (packet.target, ports[1], packet.source, ports[0], packet.protocol)
        begins = packet.protocol == TCP and packet.flags & (SYN | ACK) == SYN
        outward = not _is_answer(packet)
        for place, mine in ((key, True), (back, False)):
            flow = self._open.get(place)
            if flow is None:
                continue
            if not (begins and flow.over) and at_ns - flow.first_ns <= LONGEST_NS:
                return flow, mine
            self._close(flow)
            # What was too old goes on, in the same direction.
            outward = outward if begins else mine
        flow = Flow(*(key if outward else back), first_ns=at_ns, last_ns=at_ns, mac=packet.mac if outward else b"")
        self._open[flow.key] = flow
        if len(self._open) > self._most:
            self._close(next(iter(self._open.values())))
            self.forgotten += 1
        return flow, outward

    def _close(self, flow: Flow) -> None:
        del self._open[flow.key]
        self._settling.append(flow)

    def _judged(self, flow: Flow) -> Flow:
        """With the highest scores of its device from its first packet until it settled, as far as such flows are what they count."""
        devices = {flow.source}
        if flow.mac and flow.state in _NEVER_OPENED:
            # One link address fails under many: they are invented, and the meter counts for who really spoke.
            devices.add(self._owner_of(flow.mac) or flow.source)
        for device in devices:
            for at_ns, found in self._scores.get(device, ()):
                if flow.first_ns <= at_ns <= flow.last_ns + SETTLE_NS:
                    for code, score in found.items():
                        if score > flow.scores.get(code, 0.0) and flow.feeds(_COUNTERS[code]):
                            flow.scores[code] = score
        return flow


_COUNTERS: Final = {rule.code: rule.counter for rule in RULES}


def classify(frames: Iterable[Frame], maxima: Maxima | None) -> Iterator[Flow]:
    """Every flow of a capture, each as it is over and settled; the rest at its end."""
    meter, passed_ns = Meter(), 0
    flows = Flows(maxima, meter.owner_of)
    for frame in frames:
        for look in meter.take(frame):
            flows.look(look)
        flows.take(frame)
        if frame.at_ns - passed_ns > 1_000_000_000:
            passed_ns = frame.at_ns
            yield from flows.due(frame.at_ns)
    for look in meter.end():
        flows.look(look)
    yield from flows.end()


def _is_answer(packet: Packet) -> bool:
    """Whether who sends this was asked, where the beginning was missed."""
    if packet.protocol == TCP:
        if packet.flags & SYN:
            return bool(packet.flags & ACK)
        return packet.source_port < packet.target_port
    return packet.protocol == UDP and packet.source_port in _SERVED and packet.target_port not in _SERVED


def _speech(payload: bytes, port: int) -> str:
    """What its first words are in, else what is spoken at such a port."""
    if payload[:2] == b"\x16\x03":
        return "tls"
    if payload.startswith(b"SSH-"):
        return "ssh"
    if payload[:1] == b"\x10" and (b"MQTT" in payload[2:12] or b"MQIsdp" in payload[2:14]):
        return "mqtt"
    if payload.split(b" ", 1)[0] in (b"GET", b"POST", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"PATCH") or payload.startswith(b"HTTP/1."):
        return "http"
    return _SERVED.get(port, "")
