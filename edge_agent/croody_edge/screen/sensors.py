"""Screens the sensors of one robot: keeps its newest window, has it scored, and makes the records. Knows neither link nor outbox.

A screen that cannot work says so once, in an event, and the agent goes on publishing unscreened.
"""

import logging
from collections import deque
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Final

from croody_contract import windows
from croody_contract.messages import Event, Reading, Record, Window
from croody_edge.screen.card import SENSORS_CARD, ModelRefused, read
from croody_edge.screen.decide import START, Policy, State, decide
from croody_edge.screen.tflite import Scorer
from croody_edge.texts import text

log = logging.getLogger("croody.screen")

#: A reading this much sooner than the period still makes a row: clocks and schedulers are not exact.
_EARLY: Final = 0.9
#: So many readings in a row that make no window, and screening is said to have stopped.
_GIVE_UP: Final = 5


class SensorScreen:
    """A `Screen` over motor, battery and air."""

    def __init__(self, card: Path = SENSORS_CARD, *, rng: Random | None = None) -> None:
        """Load the model; one that must not be used is reported with the first reading, never raised."""
        self._rng = rng or Random()
        self._scorer: Scorer | None = None
        self._state: State = START
        self._rows: deque[list[float]] = deque(maxlen=windows.WINDOW_ROWS)
        self._before: tuple[float, Reading] | None = None
        self._fruitless = 0
        self._stopped: str | None = None
        self._news: list[Record] = []
        loaded = _load(card)
        if isinstance(loaded, ModelRefused):
            self._stop(f"model_{loaded.reason}", str(loaded), severity="medium")
        else:
            self._scorer = loaded
            self._policy = Policy(suspect_at=loaded.card.suspect_at)

    def offer(self, reading: Reading, now: float) -> tuple[float | None, list[Record]]:
        """See `Screen.offer`. Readings that come faster than the model's period are passed over."""
        score: float | None = None
        records: list[Record] = []
        too_soon = self._before is not None and 0 <= now - self._before[0] < _EARLY * windows.PERIOD_S
        if self._scorer is not None and not too_soon:
            self._take(reading, now)
            if len(self._rows) == windows.WINDOW_ROWS:
                score, records = self._judge(self._scorer, now)
        news, self._news = self._news, []
        return score, [*news, *records]

    def _take(self, reading: Reading, now: float) -> None:
        """Add a row, or say why none can be added."""
        before, self._before = self._before, (now, reading)
        if any(name not in reading.data for name in windows.METRICS):
            absent = [name for name in windows.METRICS if name not in reading.data]
            self._miss("sensors_unknown", f"the model knows {', '.join(windows.METRICS)}; this robot does not send {', '.join(absent)}")
            return
        if before is None:
            return
        gap_s = now - before[0]
        if not 0 < gap_s <= windows.LONGEST_GAP_S:
            self._miss(
                "readings_too_slow", f"the model needs a reading every {windows.PERIOD_S:g} s; the last two were {gap_s:.1f} s apart"
            )
            return
        row = windows.row(reading.data, before[1].data, gap_s)
        if row is None:
            self._miss("sensors_unknown", f"one of {', '.join(windows.METRICS)} was no finite number")
            return
        self._rows.append(row)
        self._fruitless = 0
        if self._stopped is not None:
            self._stopped = None
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

    def _miss(self, reason: str, cause: str) -> None:
        self._rows.clear()
        self._fruitless += 1
        if self._fruitless >= _GIVE_UP and self._stopped is None:
            log.info("%s", text("screen.off", why=cause))
            self._stop(reason, cause, severity="low")

    def _stop(self, reason: str, cause: str, *, severity: str) -> None:
        self._stopped = reason
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
