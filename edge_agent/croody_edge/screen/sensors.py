"""Screens the sensors of one robot: keeps its newest window, has it scored, and makes the records. Knows neither link nor outbox.

A screen that cannot work says so in an event, again while it is so, and the agent goes on publishing unscreened. What makes no window
(a robot that is slow, or has other sensors) is a note beside its readings, not a fault.
"""

import logging
from collections import deque
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Final

from croody_contract import windows
from croody_contract.limits import SAID_AGAIN_S
from croody_contract.messages import Event, Reading, Record, Window
from croody_edge.screen.card import SENSORS_CARD, ModelRefused, read
from croody_edge.screen.decide import START, Policy, State, decide
from croody_edge.screen.hysteresis import Standing, looked
from croody_edge.screen.tflite import Scorer
from croody_edge.texts import text

log = logging.getLogger("croody.screen")

#: A reading this much sooner than the period still makes a row: clocks and schedulers are not exact.
_EARLY: Final = 0.9
#: A reading that comes later than `windows.LONGEST_GAP_S`, but not later than this, leaves no hole: a straight line stands for what is
#: missing, seconds.
_LATE_S: Final = 3.7
#: A window with more such rows than this is not scored: the model knows no robot that is always late.
_MOST_FILLED: Final = 3


class SensorScreen:
    """A `Screen` over motor, battery and air."""

    def __init__(self, card: Path = SENSORS_CARD, *, rng: Random | None = None) -> None:
        """Load the model; one that must not be used is reported with the first reading, never raised."""
        self._rng = rng or Random()
        self._scorer: Scorer | None = None
        self._state: State = START
        self._rows: deque[list[float]] = deque(maxlen=windows.WINDOW_ROWS)
        #: Which of the rows a straight line stands for.
        self._filled: deque[bool] = deque(maxlen=windows.WINDOW_ROWS)
        self._before: tuple[float, Reading] | None = None
        self._standing = Standing()
        self._miss: tuple[str, str] = ("", "")
        self._note = ""
        self._news: list[Record] = []
        #: Why there is no model, and when that was told.
        self._refused: ModelRefused | None = None
        self._told_s = float("-inf")
        loaded = _load(card)
        if isinstance(loaded, ModelRefused):
            self._refused, self._note = loaded, f"model_{loaded.reason}"
        else:
            self._scorer = loaded
            self._policy = Policy(suspect_at=loaded.card.suspect_at)

    def offer(self, reading: Reading, now: float) -> tuple[float | None, list[Record]]:
        """See `Screen.offer`. Readings that come faster than the model's period are passed over."""
        if self._refused is not None and abs(now - self._told_s) >= SAID_AGAIN_S:
            self._told_s = now
            self._stop(f"model_{self._refused.reason}", str(self._refused), severity="medium")
        score: float | None = None
        records: list[Record] = []
        too_soon = self._before is not None and 0 <= now - self._before[0] < _EARLY * windows.PERIOD_S
        if self._scorer is not None and not too_soon:
            self._take(reading, now)
            if len(self._rows) == windows.WINDOW_ROWS and sum(self._filled) <= _MOST_FILLED:
                score, records = self._judge(self._scorer, now)
            self._stand(score is not None, now)
        news, self._news = self._news, []
        return score, [*news, *records]

    def kept(self) -> None:
        """See `Screen.kept`; it remembers nothing."""

    @property
    def note(self) -> str:
        """See `Screen.note`."""
        return self._note

    def _take(self, reading: Reading, now: float) -> None:
        """Add a row, or begin anew."""
        before, self._before = self._before, (now, reading)
        absent = [name for name in windows.METRICS if name not in reading.data]
        if absent:
            self._begin("sensors_unknown", f"the model knows {', '.join(windows.METRICS)}; this robot does not send {', '.join(absent)}")
            return
        if before is None:
            return
        gap_s = now - before[0]
        if not 0 < gap_s <= windows.LONGEST_GAP_S:
            self._miss = (
                "readings_too_slow",
                f"the model needs a reading every {windows.PERIOD_S:g} s; the last two were {gap_s:.1f} s apart",
            )
        if not 0 < gap_s <= _LATE_S:
            self._begin(*self._miss)
            return
        row = windows.row(reading.data, before[1].data, gap_s)
        if row is None:
            self._begin("sensors_unknown", f"one of {', '.join(windows.METRICS)} was no finite number")
            return
        if self._rows and gap_s > windows.LONGEST_GAP_S:
            for between in windows.between(self._rows[-1], row, round(gap_s / windows.PERIOD_S)):
                self._add(between, filled=True)
        self._add(row, filled=False)

    def _add(self, row: list[float], *, filled: bool) -> None:
        self._rows.append(row)
        self._filled.append(filled)

    def _begin(self, reason: str, cause: str) -> None:
        """What came before belongs to no window any more."""
        self._rows.clear()
        self._filled.clear()
        self._miss = (reason, cause)

    def _stand(self, scored: bool, now: float) -> None:
        """Say when screening stops or starts, but not with every reading that is late."""
        self._standing, news = looked(self._standing, scored, now)
        if news == "stopped":
            reason, cause = self._miss
            log.info("%s", text("screen.off", why=cause))
            self._stop(reason, cause, severity="low")
        elif news == "started":
            self._note = ""
            self._news.append(Event(code="screening_started", ts=datetime.fromtimestamp(now, UTC)))

    def _judge(self, scorer: Scorer, now: float) -> tuple[float, list[Record]]:
        rows = list(self._rows)
        score = scorer.score(windows.vector(rows))
        self._state, verdict = decide(self._state, self._policy, score, now, self._rng.random())
        if not verdict.send:
            return score, []
        window = Window(
            model=scorer.card.name,
            score=score,
            suspect=verdict.suspect,
            names=list(windows.FEATURES),
            features=[[round(value, 4) for value in row] for row in rows],
            ts=datetime.fromtimestamp(now, UTC),
            sampled=verdict.sampled,
        )
        return score, [window]

    def _stop(self, reason: str, cause: str, *, severity: str) -> None:
        self._note = reason
        self._news.append(
            Event(
                code="screening_stopped",
                severity="medium" if severity == "medium" else "low",
                detail={"reason": reason, "text": cause[:1000]},
            )
        )


@lru_cache(maxsize=4)
def _load(card: Path) -> Scorer | ModelRefused:
    """One interpreter for all robots of a process: they are asked from one thread, and each would cost memory.

    A refusal is logged here, and so once a process; each robot reports it in its own stream besides.
    """
    try:
        return Scorer(read(card))
    except ModelRefused as error:
        log.error("%s", text("screen.off", why=error))
        return error
