"""A `Screen` for a robot with any metrics: learns in its first hours, then judges. Wires the parts; decides little itself.

What is wrong with one metric is an event; what all of them do together is a score, and a window when it is suspect. Nothing is judged
before there is a profile, and nothing is learned again before a person says so.
"""

import logging
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from threading import Thread
from typing import Final

import numpy as np

from croody_contract.limits import SAID_AGAIN_S
from croody_contract.messages import Event, Reading, Record, Value, Window
from croody_contract.profiles import ANY_MODE, WINDOW_ROWS, Profile, Refused, Rule
from croody_edge.screen.card import ModelRefused
from croody_edge.screen.decide import START, Policy, State, decide
from croody_edge.screen.learned import files, learn
from croody_edge.screen.learned.inputs import Array
from croody_edge.screen.learned.journal import Journal
from croody_edge.screen.learned.judges import Judges
from croody_edge.screen.learned.rows import Row, Rows
from croody_edge.screen.learned.said import Said
from croody_edge.screen.learned.together import AT_LIMIT, Together
from croody_edge.texts import text

log = logging.getLogger("croody.screen")

#: How long is learned while readings come, and at most so many times as long where something still wanders.
LEARN_S: Final = 7200.0
_MOST_TIMES: Final = 3.0
#: Parts of that time after which it is tried again.
_TRIES: Final = 4
#: So many rows between two looks at the folder.
_LOOK_ROWS: Final = 60


class LearnedScreen:
    """Of one robot."""

    def __init__(
        self, folder: Path, *, declared: Sequence[str] = (), learn_s: float = LEARN_S, joint: bool = True, rng: Random | None = None
    ) -> None:
        """Go on where the board is: learning, or judging. What must not be used is reported with the first reading.

        Args:
            folder: the agent's own.
            declared: numbers that the robot's sources named, for a robot with too many.
            learn_s: of readings, seconds.
            joint: score all metrics together as well; not where another model does.
            rng: for the sample.
        """
        self._folder, self._declared, self._learn_s, self._joint = folder, declared, learn_s, joint
        self._rng = rng or Random()
        self._rows = Rows()
        self._news: list[Record] = []
        self._note = ""
        #: Why it is off, and when that was told; its alarm ends for want of news.
        self._off: tuple[Event, float] | None = None
        self._looked = 0
        self._mark: files.Mark = None
        self._stage: _Learning | _Judging | None = None
        #: What is said to be wrong, as the folder has it.
        self._remembered: list[Rule] = []
        self._open()

    @property
    def note(self) -> str:
        """See `Screen.note`."""
        return self._note

    def offer(self, reading: Reading, now: float) -> tuple[float | None, list[Record]]:
        """See `Screen.offer`."""
        row = self._rows.take(reading, now)
        if self._off is not None and abs(now - self._off[1]) >= SAID_AGAIN_S:
            self._off = self._off[0], now
            self._news.append(self._off[0])
        score: float | None = None
        records: list[Record] = []
        if row is not None:
            self._look()
            if isinstance(self._stage, _Judging):
                score, records = self._stage.take(row, now)
                self._note = "" if self._stage.scores else "sensors_unknown"
            elif self._stage is not None:
                self._learn(self._stage, row, now)
        news, self._news = self._news, []
        return score, [*news, *records]

    def kept(self) -> None:
        """See `Screen.kept`."""
        said = self._stage.said.open if isinstance(self._stage, _Judging) else self._remembered
        if said != self._remembered:
            self._remembered = said
            self._remember(said)

    def _open(self) -> None:
        """As the folder is."""
        self._off = None
        self._mark = files.mark(self._folder / files.PROFILE)
        try:
            profile = files.read(self._folder)
            if profile is not None:
                said = Said(files.open_rules(self._folder))
                self._remembered = said.open
                self._stage, self._note = _Judging(profile, self._rng, self._graph(profile), said), ""
                return
            self._stage = _Learning(self._folder / files.JOURNAL)
            self._note = "learning"
            log.info("%s", text("profile.goes_on" if self._stage.journal.rows else "profile.begins", hours=_hours(self._learn_s)))
        except (Refused, OSError) as error:
            self._stage = None
            self._stopped("profile_refused", str(error))

    def _graph(self, profile: Profile) -> Together | None:
        """What scores all metrics together; each of them is judged without it as well."""
        if not profile.joint or not self._joint:
            return None
        try:
            return Together(profile)
        except ModelRefused as error:
            self._stopped(f"model_{error.reason}", str(error))
            return None

    def _stopped(self, reason: str, why: str) -> None:
        self._note = reason
        log.error("%s", text("screen.off", why=why))
        self._off = Event(code="screening_stopped", severity="medium", detail={"reason": reason, "text": why[:1000]}), float("-inf")

    def _remember(self, said: Sequence[Rule]) -> None:
        """What is said to be wrong, for the next start."""
        try:
            files.keep_open(self._folder, said)
        except OSError as error:
            log.warning("%s", text("profile.not_written", error=error))

    def _look(self) -> None:
        """Whether a person had it learned again, or put another profile there."""
        self._looked += 1
        if self._looked % _LOOK_ROWS == 0 and files.mark(self._folder / files.PROFILE) != self._mark:
            self._open()

    def _learn(self, learning: "_Learning", row: Row, now: float) -> None:
        if learning.journal.gone:
            self._open()
            return
        learning.take(row, self._learn_s, self._declared, datetime.fromtimestamp(now, UTC))
        made = learning.made()
        if made is None:
            return
        try:
            files.keep(self._folder, made)
        except OSError as error:
            log.error("%s", text("profile.not_kept", error=error))
            return
        said: dict[str, Value] = {"name": made.name(), "metrics": len(made.metrics), "modes": len(made.modes()), "readings": made.readings}
        log.info("%s", text("profile.learned", **said))
        self._news.append(
            Event(code="profile_learned", ts=datetime.fromtimestamp(now, UTC), detail={**said, "hours": _hours(made.lasted_s)})
        )
        self._open()


class _Learning:
    """Rows to disk and, when there are enough, a profile of them; worked out beside the agent's own thread."""

    def __init__(self, path: Path) -> None:
        self.journal = Journal(path)
        self._thread: Thread | None = None
        self._made: Profile | None = None
        self._try_s = 0.0
        self._failed = ""

    def take(self, row: Row, learn_s: float, declared: Sequence[str], now: datetime) -> None:
        """One more row."""
        try:
            written = self.journal.add(row)
        except OSError as error:
            if str(error) != self._failed:
                self._failed = str(error)
                log.error("%s", text("profile.not_written", error=error))
            return
        lasted_s = self.journal.lasted_s
        due = lasted_s >= max(learn_s, self._try_s) and self.journal.rows >= learn.LEAST_ROWS
        works = self._thread is not None and self._thread.is_alive()
        if not works and ((written and due) or (self.journal.full and self._thread is None)):
            self._try_s = lasted_s + learn_s / _TRIES
            last = lasted_s >= _MOST_TIMES * learn_s or self.journal.full
            self._thread = Thread(target=self._work, args=(declared, now, last), name="croody profile", daemon=True)
            self._thread.start()

    def made(self) -> Profile | None:
        """The profile, once."""
        made, self._made = self._made, None
        return made

    def _work(self, declared: Sequence[str], now: datetime, last: bool) -> None:
        try:
            seen = self.journal.seen()
            if last or learn.settled(seen):
                self._made = learn.learn(seen, now, declared)
        except (learn.TooFew, OSError) as error:
            log.warning("%s", text("profile.too_few", why=error))


class _Judging:
    """The judges of each metric, and all of them together."""

    def __init__(self, profile: Profile, rng: Random, together: Together | None, said: Said) -> None:
        self._judges, self.said, self._together = Judges(profile), said, together
        self._name, self._joint, self._rng = profile.name(), profile.joint, rng
        self._policy = Policy(suspect_at=AT_LIMIT)
        self._state: State = START
        self._window: deque[tuple[str, Array]] = deque(maxlen=WINDOW_ROWS)
        self._unscored = 0

    @property
    def scores(self) -> bool:
        """Whether a window was scored lately, or none ever is."""
        return self._together is None or self._unscored < 4 * WINDOW_ROWS

    def take(self, row: Row, now: float) -> tuple[float | None, list[Record]]:
        """The score of the newest window, if there is one, and what the cloud must see."""
        if row.paused:
            self._window.clear()
            self._state = START
        records: list[Record] = [*self.said.take(self._judges.take(row), row.mode, row.t_s, now)]
        values = self._judges.values(self._joint)
        if self._together is None:
            return None, records
        if not np.isfinite(values).all():
            self._window.clear()
        else:
            self._window.append((row.mode, values))
        if len(self._window) < WINDOW_ROWS:
            self._unscored += 1
            return None, records
        self._unscored = 0
        mode = row.mode if all(one == row.mode for one, _ in self._window) else ANY_MODE
        rows = np.stack([one for _, one in self._window])
        score = self._together.score(rows, mode)
        self._state, verdict = decide(self._state, self._policy, score, now, self._rng.random())
        if verdict.send:
            records.append(
                Window(
                    model=self._name,
                    score=score,
                    suspect=verdict.suspect,
                    names=list(self._joint),
                    features=[[round(value, 4) for value in one] for one in rows.tolist()],
                    ts=datetime.fromtimestamp(now, UTC),
                    sampled=verdict.sampled,
                )
            )
        return score, records


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.1f}"
