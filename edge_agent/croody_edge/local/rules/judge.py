"""Whether a rule holds, from one reading to the next: hysteresis, duration, absence. Pure; time is an argument."""

from dataclasses import dataclass
from math import isfinite
from typing import Literal

from croody_contract.messages import Value
from croody_edge.local.rules.rule import Rule

Turn = Literal["begin", "over"]


@dataclass(slots=True)
class Judge:
    """Of one rule. Every `mono_s` is in seconds of a clock that never jumps.

    `holds`: it has begun and not ended. `since_s`: each reading from then on found it so. `seen_s`: a reading last had the metric.
    """

    rule: Rule
    seen_s: float
    holds: bool = False
    since_s: float | None = None
    begun_s: float | None = None

    def saw(self, value: Value, mono_s: float) -> Turn | None:
        """A reading has this value of its metric. What is no number says only that the metric is there."""
        self.seen_s = mono_s
        if self.rule.absent_s is not None:
            return self._end() if self.holds else None
        if isinstance(value, str) or not isfinite(value):
            return None
        if self.holds:
            return None if self._still(float(value)) else self._end()
        if not self._beyond(float(value)):
            self.since_s = None
            return None
        if self.since_s is None:
            self.since_s = mono_s
        return self._begin(mono_s) if mono_s - self.since_s >= self.rule.for_s else None

    def passed(self, mono_s: float) -> Turn | None:
        """Time has passed, which matters to an absence alone."""
        if self.rule.absent_s is None or self.holds or mono_s - self.seen_s < self.rule.absent_s:
            return None
        return self._begin(mono_s)

    def _begin(self, mono_s: float) -> Turn | None:
        if self.begun_s is not None and mono_s - self.begun_s < self.rule.again_s:
            return None
        self.holds, self.begun_s = True, mono_s
        return "begin"

    def _end(self) -> Turn:
        self.holds, self.since_s = False, None
        return "over"

    def _beyond(self, value: float) -> bool:
        if self.rule.above is not None:
            return value > self.rule.above
        return self.rule.below is not None and value < self.rule.below

    def _still(self, value: float) -> bool:
        """Beyond where it ends: between that and the limit it goes on as it was."""
        until = self.rule.until if self.rule.until is not None else self.rule.limit
        return value > until if self.rule.above is not None else value < until
