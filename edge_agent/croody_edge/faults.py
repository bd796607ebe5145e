"""What is wrong at one robot at the moment: logged once when it begins, and told to log and cloud, with its cost, when it is over.

What lasts is told to the cloud before, and again every `SAID_AGAIN_S`: otherwise nobody would hear of what is never over.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from croody_contract.limits import SAID_AGAIN_S
from croody_contract.messages import Event, Value

log = logging.getLogger("croody.agent")

Severity = Literal["low", "medium"]


@dataclass(slots=True)
class _Fault:
    severity: Severity
    since_s: float
    count: int = 0
    cause: str = ""
    told: bool = False
    told_s: float = 0.0


class Faults:
    """Known by their code; the log hears of the beginning, log and cloud of the end."""

    def __init__(
        self, robot_id: str, tell: Callable[[Event], object], clock: Callable[[], float], monotonic: Callable[[], float] | None = None
    ) -> None:
        """Nothing is wrong yet.

        Args:
            robot_id: whose they are.
            tell: keeps an event for the cloud and raises OSError when it cannot.
            clock: gives unix seconds.
            monotonic: gives seconds of a clock that never jumps; without it, `clock` counts.
        """
        self._robot_id, self._tell, self._clock, self._monotonic = robot_id, tell, clock, monotonic or clock
        self._now: dict[tuple[str, str], _Fault] = {}

    def now(self) -> list[tuple[str, str, str, int]]:
        """Code, what it is about, cause and cost of everything that is wrong; may be asked from any thread."""
        return [(code, about, fault.cause, fault.count) for (code, about), fault in list(self._now.items())]

    def raised(self, code: str, severity: Severity, cause: str, count: int = 1, *, about: str = "", lasts_s: float | None = None) -> None:
        """It happened, for the first time or again.

        Args:
            code: of the event.
            severity: of the event.
            cause: in words.
            count: how many readings it cost.
            about: the source it is of.
            lasts_s: after so long it is told to the cloud though it is not over, and again while it holds; None for what is told at its
                end alone.
        """
        fault = self._now.get((code, about))
        if fault is None:
            fault = self._now[code, about] = _Fault(severity, self._monotonic())
            log.error("%s: %s%s: %s", self._robot_id, code, f" {about}" if about else "", cause)
        fault.count += count
        fault.cause = cause
        mono_s = self._monotonic()
        due_s = fault.told_s + SAID_AGAIN_S if fault.told else fault.since_s + (lasts_s or 0.0)
        if lasts_s is not None and mono_s >= due_s and self._say(code, about, fault, fault.severity, over=False):
            fault.told, fault.told_s = True, mono_s

    def cleared(self, code: str, *, about: str = "") -> None:
        """It works again; while that cannot be kept for the cloud it is not over."""
        fault = self._now.get((code, about))
        if fault is None:
            return
        # The alarm of one source must not end while another of the same robot is still away.
        alone = not any(other.told for key, other in self._now.items() if key != (code, about) and key[0] == code)
        if not self._say(code, about, fault, fault.severity if alone or not fault.told else "low", over=fault.told and alone):
            return
        del self._now[code, about]
        log.warning("%s: %s%s is over after %d times", self._robot_id, code, f" {about}" if about else "", fault.count)

    def _say(self, code: str, about: str, fault: _Fault, severity: Severity, *, over: bool) -> bool:
        detail: dict[str, Value] = {"count": fault.count, "cause": fault.cause[:1000]}
        if about:
            detail["source"] = about
        moment = datetime.fromtimestamp(self._clock(), UTC)
        try:
            self._tell(Event(code=code, ts=moment, severity=severity, detail=detail, over=over))
        except OSError:
            return False
        return True
