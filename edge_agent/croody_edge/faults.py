"""What keeps going wrong at one robot: said once when it begins, and once, with its cost, when it is over."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from croody_contract.messages import Event, Value

log = logging.getLogger("croody.agent")

Severity = Literal["low", "medium"]


@dataclass(slots=True)
class _Trouble:
    severity: Severity
    count: int = 0
    cause: str = ""


class Troubles:
    """Known by their code; the log hears of the beginning, log and cloud of the end."""

    def __init__(self, robot_id: str, tell: Callable[[Event], object], clock: Callable[[], float]) -> None:
        """Args: `tell` keeps an event for the cloud and raises OSError when it cannot; `clock` gives unix seconds."""
        self._robot_id, self._tell, self._clock = robot_id, tell, clock
        self._now: dict[str, _Trouble] = {}

    def began(self, code: str, severity: Severity, cause: str, count: int = 1) -> None:
        """It happened, for the first time or again; `count` is how many readings it cost."""
        trouble = self._now.get(code)
        if trouble is None:
            trouble = self._now[code] = _Trouble(severity)
            log.error("%s: %s: %s", self._robot_id, code, cause)
        trouble.count += count
        trouble.cause = cause

    def over(self, code: str) -> None:
        """It works again; while that cannot be kept for the cloud it is not over."""
        trouble = self._now.get(code)
        if trouble is None:
            return
        detail: dict[str, Value] = {"count": trouble.count, "cause": trouble.cause[:1000]}
        moment = datetime.fromtimestamp(self._clock(), UTC)
        try:
            self._tell(Event(code=code, ts=moment, severity=trouble.severity, detail=detail))
        except OSError:
            return
        del self._now[code]
        log.warning("%s: %s is over after %d times", self._robot_id, code, trouble.count)
