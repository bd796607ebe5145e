"""What is wrong with metrics, as events: said once, and once when it is over. Pure; each rule is one alarm of a robot."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from croody_contract.limits import SAID_AGAIN_S
from croody_contract.messages import Event
from croody_contract.profiles import EVENTS, Rule
from croody_edge.screen.learned.judges import Finding

#: A rule that found nothing for so long is over, seconds.
QUIET_S: Final = 60.0


@dataclass(slots=True)
class _Open:
    last_s: float
    #: metric -> when it was said, seconds.
    said_s: dict[str, float] = field(default_factory=dict)


class Said:
    """Of one robot. Its clock is the robot's own: it stands while no readings come."""

    def __init__(self, open_: Iterable[Rule] = ()) -> None:
        """Args: `open_` are rules that were said before this start, and not yet that they are over."""
        self._open: dict[Rule, _Open] = {rule: _Open(0.0) for rule in open_}

    @property
    def open(self) -> list[Rule]:
        """Rules that were said, and not yet that they are over."""
        return sorted(self._open)

    def take(self, findings: Sequence[Finding], mode: str, t_s: float, now: float) -> list[Event]:
        """The events of one row. `t_s`: seconds of the robot's own clock; `now`: unix seconds."""
        if not findings and not self._open:
            return []
        events, ts = [], datetime.fromtimestamp(now, UTC)
        for finding in findings:
            told = self._open.setdefault(finding.rule, _Open(t_s))
            told.last_s = t_s
            if t_s - told.said_s.get(finding.metric, float("-inf")) >= SAID_AGAIN_S:
                told.said_s[finding.metric] = t_s
                beside = len(told.said_s) - 1
                events.append(
                    Event(
                        code=EVENTS[finding.rule],
                        severity="medium",
                        ts=ts,
                        detail={
                            "metric": finding.metric,
                            "value": round(finding.value, 4),
                            "limit": round(finding.limit, 4),
                            **({"mode": mode} if mode else {}),
                            **({"beside": beside} if beside else {}),
                        },
                    )
                )
        for rule, told in list(self._open.items()):
            if t_s - told.last_s >= QUIET_S:
                del self._open[rule]
                events.append(Event(code=EVENTS[rule], severity="medium", ts=ts, over=True))
        return events
