"""What is wrong at one robot at the moment: logged once when it begins, and told to log and cloud, with its cost, when it is over."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from croody_contract.messages import Event, Value

log = logging.getLogger("croody.agent")

Severity = Literal["low", "medium"]


@dataclass(slots=True)
class _Fault:
    severity: Severity
    count: int = 0
    cause: str = ""


class Faults:
    """Known by their code; the log hears of the beginning, log and cloud of the end."""

    def __init__(self, robot_id: str, tell: Callable[[Event], object], clock: Callable[[], float]) -> None:
        """Args: `tell` keeps an event for the cloud and raises OSError when it cannot; `clock` gives unix seconds."""
        self._robot_id, self._tell, self._clock = robot_id, tell, clock
        self._now: dict[tuple[str, str], _Fault] = {}

    def now(self) -> list[tuple[str, str, str, int]]:
        """Code, what it is about, cause and cost of everything that is wrong; may be asked from any thread."""
        return [(code, about, fault.cause, fault.count) for (code, about), fault in list(self._now.items())]

    def raised(self, code: str, severity: Severity, cause: str, count: int = 1, *, about: str = "") -> None:
        """It happened, for the first time or again; `count` is how many readings it cost, `about` the source it is of."""
        fault = self._now.get((code, about))
        if fault is None:
            fault = self._now[code, about] = _Fault(severity)
            log.error("%s: %s%s: %s", self._robot_id, code, f" {about}" if about else "", cause)
        fault.count += count
        fault.cause = cause

    def cleared(self, code: str, *, about: str = "") -> None:
        """It works again; while that cannot be kept for the cloud it is not over."""
        fault = self._now.get((code, about))
        if fault is None:
            return
        detail: dict[str, Value] = {"count": fault.count, "cause": fault.cause[:1000]}
        if about:
            detail["source"] = about
        moment = datetime.fromtimestamp(self._clock(), UTC)
        try:
            self._tell(Event(code=code, ts=moment, severity=fault.severity, detail=detail))
        except OSError:
            return
        del self._now[code, about]
        log.warning("%s: %s%s is over after %d times", self._robot_id, code, f" {about}" if about else "", fault.count)
