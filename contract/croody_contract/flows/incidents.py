"""Evidence of one device, put together: an incident lasts until two minutes are quiet. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from croody_contract.flows.limits import RULES, Evidence, Maxima, Severity, judge
from croody_contract.flows.meter import Look
from croody_contract.flows.packets import text

GAP_NS: Final = 120 * 1_000_000_000
#: Incidents that are open at once: beyond that the one that was quiet for longest is over.
MOST: Final = 1_000


@dataclass(slots=True)
class Incident:
    """What one device did. Times in nanoseconds since 1970. `evidence`: code -> the highest that it stood."""

    offender: str
    first_ns: int
    last_ns: int
    evidence: dict[str, Evidence] = field(default_factory=dict)
    beside: set[str] = field(default_factory=set)

    @property
    def codes(self) -> list[str]:
        """Codes of its evidence, the worst first."""
        return [rule.code for rule in RULES if rule.code in self.evidence]

    @property
    def severity(self) -> Severity:
        """Of its worst."""
        order: tuple[Severity, ...] = ("critical", "high", "medium", "low")
        return min((evidence.rule.severity for evidence in self.evidence.values()), key=order.index)

    def as_line(self) -> str:
        """For a person: when it began, how bad it is, who, and each counter with its limit."""
        at = datetime.fromtimestamp(self.first_ns / 1e9, UTC).isoformat(timespec="seconds")
        counted = ", ".join(f"{code} {self.evidence[code].value} (>= {self.evidence[code].limit})" for code in self.codes)
        return f"{at}  {self.severity:8}  {self.offender}  {counted}"

    def as_json(self) -> dict[str, Any]:
        """As `croody ids incidents --json` writes it; times in seconds since 1970."""
        return {
            "offender": self.offender,
            "kinds": self.codes,
            "severity": self.severity,
            "first": self.first_ns / 1e9,
            "last": self.last_ns / 1e9,
            "beside": sorted(self.beside),
            "evidence": [
                {
                    "kind": code,
                    "counter": one.rule.counter.value,
                    "seconds": one.rule.seconds,
                    "value": one.value,
                    "limit": one.limit,
                    "ordinary_most": one.most,
                    "technique": one.rule.technique,
                }
                for code, one in ((code, self.evidence[code]) for code in self.codes)
            ],
        }


class Incidents:
    """Takes looks in the order of their times; gives incidents as they end."""

    def __init__(self, maxima: Maxima | None) -> None:
        self._maxima = maxima
        self._open: dict[str, Incident] = {}

    def take(self, look: Look) -> Iterator[Incident]:
        """One look; gives those that are over by now."""
        evidence = judge(look, self._maxima)
        if not evidence:
            return
        yield from self._ended(look.at_ns)
        self._add(text(look.device), look, evidence)
        if len(self._open) > MOST:
            quietest = min(self._open.values(), key=lambda incident: incident.last_ns)
            yield self._open.pop(quietest.offender)

    def open_of(self, offender: str) -> Incident | None:
        """The open one of this device."""
        return self._open.get(offender)

    def end(self) -> list[Incident]:
        """Those that are still open."""
        left = sorted(self._open.values(), key=lambda incident: incident.first_ns)
        self._open.clear()
        return left

    def _add(self, offender: str, look: Look, evidence: Iterable[Evidence]) -> None:
        incident = self._open.setdefault(offender, Incident(offender, look.at_ns, look.at_ns))
        incident.last_ns = look.at_ns
        incident.beside.update(text(other) for other in look.beside[-20:])
        for one in evidence:
            before = incident.evidence.get(one.rule.code)
            if before is None or one.value > before.value:
                incident.evidence[one.rule.code] = one

    def _ended(self, now_ns: int) -> Iterator[Incident]:
        for offender in [incident.offender for incident in self._open.values() if now_ns - incident.last_ns > GAP_NS]:
            yield self._open.pop(offender)
